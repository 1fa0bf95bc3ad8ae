"""The whole graph: what the parser says of it, its inputs and outputs, its profile, and how its parts fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import TensorProto, ValueInfoProto, helper

from enginewright.engine.bindings import Binding, inputs_of, outputs_of
from enginewright.engine.profile import Range, profile_of
from enginewright.errors import ConfigError
from enginewright.preflight.asking import Asker
from enginewright.preflight.report import Blocker
from enginewright.preflight.task import Options
from enginewright.preflight.tool import Parsed, Refusal


@dataclass(frozen=True)
class Whole:
    """What stands against the graph as a whole: refusals, which name nodes as far as they can, and blockers.

    fits: the builder took it up to where compiling begins.
    """

    refusals: tuple[Refusal, ...] = ()
    blockers: tuple[Blocker, ...] = ()

    @property
    def fits(self) -> bool:
        """Return whether the builder took the graph up to where compiling begins."""
        return not self.refusals and not self.blockers


def look_at(ask: Asker, model: onnx.ModelProto, options: Options) -> Whole:
    """Parse the whole graph and, where that succeeds, build it up to where compiling begins."""
    parsed = ask.parse(model)
    if isinstance(parsed, Refusal):
        return Whole((parsed,))
    if parsed.refusals:
        return Whole(tuple(parsed.refusals))
    inputs, outputs = inputs_of(parsed.network), outputs_of(parsed.network)
    wrong = [
        *_other_types("input", inputs, model.graph.input),
        *_other_types("output", outputs, model.graph.output),
        *_unknown_sizes(inputs, outputs),
    ]
    ranges, unranged = _ranges(inputs, options)
    if unranged:
        return Whole((), (*wrong, *unranged))
    return Whole(tuple(_misfits(ask, parsed, inputs, ranges, options)), tuple(wrong))


def _misfits(
    ask: Asker, parsed: Parsed, inputs: Sequence[Binding], ranges: Mapping[str, Range], options: Options
) -> list[Refusal]:
    """Return the first refusal before compiling, of the profile or else of a corner of it.

    The builder itself looks at the best sizes only: a K that the axis does not hold at its least size would show when
    the engine runs. So each corner is also looked at as if it were the best.
    """
    if refusal := ask.fits(parsed, ranges):
        return [refusal]
    for sizes in options.corners if ranges else ():
        shapes = {item.name: _shape(item, sizes) for item in inputs if item.name in ranges}
        if refusal := ask.fits(parsed, {name: Range(shape, shape, shape) for name, shape in shapes.items()}):
            return [replace(refusal, at=", ".join(f"{axis}={sizes[axis]}" for axis in options.ranges))]
    return []


def _other_types(side: str, found: Sequence[Binding], declared: Sequence[ValueInfoProto]) -> list[Blocker]:
    """Return a blocker for each input or output that gets another type in the engine than it has in the graph."""
    types = {value.name: value.type.tensor_type.elem_type for value in declared}
    return [
        Blocker(
            (binding.name,),
            side,
            f"it is {name} in the graph and would silently be {binding.dtype} in the engine",
            f"export it as {binding.dtype}",
            "parser",
        )
        for binding in found
        if (name := _numpy_name(types.get(binding.name, 0))) not in (binding.dtype, "")
    ]


def _unknown_sizes(inputs: Sequence[Binding], outputs: Sequence[Binding]) -> list[Blocker]:
    """Return a blocker for each output of a static graph that has no fixed size: what an input holds decides it.

    The builder itself takes a TopK whose K is an input, and makes an engine that no buffer can be laid out for.
    """
    if not all(map(_is_static, inputs)):
        return []
    return [
        Blocker(
            (binding.name,),
            "output",
            f"its shape is {_text(binding)}, though every input has a fixed one: it depends on the values of an input",
            "store what decides it, K of a TopK for example, in the graph as a constant",
            "parser",
        )
        for binding in outputs
        if not _is_static(binding)
    ]


def _text(binding: Binding) -> str:
    return f"({', '.join('?' if size == -1 else str(size) for size in binding.shape)})"


def _is_static(binding: Binding) -> bool:
    return all(isinstance(size, int) and size >= 0 for size in binding.shape)


def _numpy_name(kind: int) -> str:
    """Return the numpy name of an ONNX type, as bindings have it; empty for one that numpy has no name for."""
    if kind in (TensorProto.UNDEFINED, TensorProto.STRING):
        return ""
    dtype: np.dtype[np.generic] = np.dtype(helper.tensor_dtype_to_np_dtype(kind))
    return dtype.name if dtype.isbuiltin == 1 else ""


def _ranges(inputs: Sequence[Binding], options: Options) -> tuple[dict[str, Range], list[Blocker]]:
    """Return the profile, and a blocker for each input that has an axis without a range."""
    ranges: dict[str, Range] = {}
    blockers: list[Blocker] = []
    for binding in inputs:
        try:
            ranges |= profile_of((binding,), {binding.name: _shape(binding, options.best)}, options.ranges)
        except ConfigError as error:
            blockers.append(Blocker((binding.name,), "input", error.what, error.cure or "", "graph"))
    return ranges, blockers


def _shape(binding: Binding, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Return an input's shape at these sizes; 1 for an axis that has none."""
    return tuple(size if isinstance(size, int) else sizes.get(size, 1) for size in binding.shape)
