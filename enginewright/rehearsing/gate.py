"""Reads the ranges of a typed graph on real samples, and judges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import onnx
from numpy.typing import NDArray

from enginewright.config.sections import CompareConfig
from enginewright.graphs.inference import inferred
from enginewright.graphs.modules import nearest_modules
from enginewright.progress import progress
from enginewright.reference import Reference
from enginewright.rehearsing.ranges import Seen
from enginewright.rehearsing.streaming import Streamed
from enginewright.rehearsing.sums import SUM
from enginewright.rehearsing.twin import Twin, twin_of
from enginewright.verdicts import PASSED, Verdict, failed

_MOST_NAMED = 5
"""Tensors that a verdict's reason names; ranges.json has all."""


@dataclass(frozen=True)
class Tensor:
    """One reduced tensor: the node that makes it, its module's path in torch (empty where unknown), what was seen.

    fault: why it does not fit its format. note: that it drowns in it, which may be harmless.
    """

    name: str
    node: str
    operator: str
    module: str
    seen: Seen
    fault: str | None
    note: str | None

    def row(self, position: int) -> dict[str, Any]:
        """Return the tensor's row of ranges.json; position: its place in the graph's order."""
        return {
            "position": position,
            "tensor": self.name,
            "node": self.node,
            "operator": self.operator,
            "module": self.module,
            "format": self.seen.format.name,
            "magnitude": self.seen.magnitude,
            "over": self.seen.over,
            "noise": self.seen.noise,
            "samples": self.seen.overflows,
            "fault": self.fault or "",
            "note": self.note or "",
        }


def read_ranges(twin: Twin, reference: Reference, samples: int) -> dict[str, Seen]:
    """Return what was seen of every reduced tensor that a node makes, in the graph's order.

    The twin runs on the first `samples` samples of the reference, a few tensors at a time.

    Raises:
        GraphError: if ONNX Runtime does not run the twin.
    """
    seen = {name: Seen(twin.reduced[name]) for name in _made(twin)}
    streamed = Streamed(inferred(twin.model))
    count = min(samples, len(reference))
    with progress("reading the ranges of tensors", count, "samples") as tick:
        for done, (name, inputs, _) in enumerate(islice(reference.samples(), count), start=1):
            streamed.run(inputs, lambda tensor, values, name=name: _see(seen, tensor, values, name))  # type: ignore[misc]
            tick(done)
    return seen


def _made(twin: Twin) -> list[str]:
    """Return the reduced tensors that nodes make; those that are stored were rounded when they were cast."""
    return [name for node in twin.model.graph.node for name in node.output if name in twin.reduced]


def _see(seen: Mapping[str, Seen], tensor: str, values: NDArray[Any], sample: str) -> None:
    if tensor in seen:
        seen[tensor].add(values, sample)


def tensors_in(
    typed: onnx.ModelProto, modules: Mapping[str, str], reference: Reference, config: CompareConfig
) -> list[Tensor]:
    """Return every reduced tensor of a typed graph, seen on the reference; modules: torch paths by node name.

    Raises:
        GraphError: if ONNX Runtime does not run the twin.
    """
    twin = twin_of(typed)
    paths = nearest_modules(twin.model, {**modules, **{f"{node}{SUM}": path for node, path in modules.items()}})
    makers = {name: node for node in twin.model.graph.node for name in node.output}
    seen = read_ranges(twin, reference, config.range_samples)
    return [_tensor(name, makers[name], paths, found, config.noise) for name, found in seen.items()]


def _tensor(name: str, maker: onnx.NodeProto, paths: Mapping[str, str], seen: Seen, noise: float) -> Tensor:
    node = maker.name.removesuffix(SUM)
    return Tensor(name, node, maker.op_type, paths[maker.name], seen, seen.fault, seen.note(noise))


def ranges_of(tensors: Sequence[Tensor]) -> dict[str, Any]:
    """Return the metrics of the ranges: how many tensors, at fault and drowned, and the worst of both measures."""
    seen = [tensor.seen for tensor in tensors]
    return {
        "tensors": len(seen),
        "faulty": sum(tensor.fault is not None for tensor in tensors),
        "drowned": sum(tensor.note is not None for tensor in tensors),
        "over_max": max((found.over for found in seen), default=0.0),
        "noise_max": max((found.noise for found in seen), default=0.0),
    }


def verdict_of(tensors: list[Tensor]) -> Verdict:
    """Return passed, or failed with the worst tensors named."""
    faulty = sorted((tensor for tensor in tensors if tensor.fault), key=lambda tensor: -tensor.seen.over)
    if not faulty:
        return PASSED
    named = "; ".join(_words(tensor) for tensor in faulty[:_MOST_NAMED])
    more = f"; and {len(faulty) - _MOST_NAMED} more" if len(faulty) > _MOST_NAMED else ""
    return failed(f"{len(faulty)} of {len(tensors)} tensors do not fit their format: {named}{more}")


def _words(tensor: Tensor) -> str:
    where = f" of {tensor.module}" if tensor.module else ""
    return f"{tensor.node} ({tensor.operator}{where}): {tensor.fault}"
