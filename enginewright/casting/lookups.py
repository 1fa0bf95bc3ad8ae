"""ModelOpt's AutoCast without its searches: it looks through all nodes for the readers of a tensor, for every tensor.

For a matcher that was a quarter of the cast. Within the block the two places that ask most look them up in an index,
which is made where they begin and follows the only thing that they change. And its six shape inferences leave the
weights where they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import onnx

from enginewright.graphs.inference import inferred


class Readers:
    """The nodes of a graph by the tensors that they read, in the graph's order."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._found: dict[str, dict[int, onnx.NodeProto]] = defaultdict(dict)
        for place, node in enumerate(model.graph.node):
            for name in node.input:
                self._found[name][place] = node

    def are_of(self, model: onnx.ModelProto) -> bool:
        """Return whether this is the index of `model`."""
        return model is self._model

    def of(self, name: str) -> list[onnx.NodeProto]:
        """Return the nodes that read a tensor."""
        return [node for _, node in sorted(self._found.get(name, {}).items())]

    def move(self, old: str, new: str) -> None:
        """Let the readers of one tensor be readers of another one."""
        self._found[new].update(self._found.pop(old, {}))


class _Lookups:
    """ModelOpt's own functions, and the index while there is one."""

    def __init__(self, utils: Any, converter: Any) -> None:
        self._search, self._bypass = utils.get_consumer_nodes, utils._bypass_cast_node
        self._redundant, self._unread = utils.remove_redundant_casts, converter._cleanup_no_consumer_nodes
        self._infer, self._is_large = utils.infer_shapes, utils.is_model_too_large_for_protobuf
        self._index: Readers | None = None

    def infer(self, model: onnx.ModelProto, **options: Any) -> onnx.ModelProto:
        """Stand for `infer_shapes`, which takes another way for a model that is too large for one message."""
        found: onnx.ModelProto = self._infer(model, **options) if self._is_large(model) else inferred(model, **options)
        return found

    def readers(self, model: onnx.ModelProto, name: str) -> list[onnx.NodeProto]:
        """Stand for `get_consumer_nodes`."""
        if self._index and self._index.are_of(model):
            return self._index.of(name)
        found: list[onnx.NodeProto] = self._search(model, name)
        return found

    def bypass(self, model: onnx.ModelProto, node: onnx.NodeProto) -> None:
        """Stand for `_bypass_cast_node`, which lets the readers of a Cast's output read its input."""
        taken, given = node.input[0], node.output[0]
        self._bypass(model, node)
        if self._index and self._index.are_of(model):
            if any(output.name == given for output in model.graph.output):
                self._index = Readers(model)
            else:
                self._index.move(given, taken)

    def remove_redundant(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """Stand for `remove_redundant_casts`."""
        found: onnx.ModelProto = self._indexed(model, lambda: self._redundant(model))
        return found

    def remove_unread(self) -> Callable[[Any], None]:
        """Return what stands for the converter's `_cleanup_no_consumer_nodes`."""
        return lambda converter: self._indexed(converter.model, lambda: self._unread(converter))

    def _indexed(self, model: onnx.ModelProto, work: Callable[[], Any]) -> Any:
        self._index = Readers(model)
        try:
            return work()
        finally:
            self._index = None


@contextmanager
def looked_up() -> Iterator[None]:
    """Let AutoCast look readers up within the block; where ModelOpt has not these functions, it searches as it does."""
    from modelopt.onnx import utils
    from modelopt.onnx.autocast.precisionconverter import PrecisionConverter

    try:
        lookups = _Lookups(utils, PrecisionConverter)
    except AttributeError:
        yield
        return
    with (
        _replaced(utils, "infer_shapes", lookups.infer),
        _replaced(utils, "get_consumer_nodes", lookups.readers),
        _replaced(utils, "_bypass_cast_node", lookups.bypass),
        _replaced(utils, "remove_redundant_casts", lookups.remove_redundant),
        _replaced(PrecisionConverter, "_cleanup_no_consumer_nodes", lookups.remove_unread()),
    ):
        yield


@contextmanager
def _replaced(owner: Any, name: str, stand_in: Any) -> Iterator[None]:
    usual = getattr(owner, name)
    setattr(owner, name, stand_in)
    try:
        yield
    finally:
        setattr(owner, name, usual)
