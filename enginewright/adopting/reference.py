"""The reference of an ONNX file: the file as it is, run at its static shape and at every corner of its ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from enginewright.adopting.inputs import Inputs, Sizes
from enginewright.config.filled_input import FilledInput
from enginewright.contract import Contract, Kind, Port, Rule
from enginewright.contract.shapes import Ranges, corners, opened
from enginewright.errors import ConfigError
from enginewright.filling import in_shapes_of
from enginewright.reference import Arrays, Reference
from enginewright.samples import Samples

Run = Callable[[Arrays], Arrays]
"""From inputs (S, *shape) to outputs (S, *shape), in the order of the graph."""

Sampler = Callable[[Mapping[str, FilledInput], int | None], Samples]
"""From inputs with their shapes to samples: all of them, or the first so many."""


def reference_of(inputs: Inputs, ranges: Ranges, sampler: Sampler, run: Run) -> Reference:
    """Return the outputs of `run` on samples at the static sizes, and on one sample at each corner of `ranges`.

    The ports of the outputs are what came out; an axis whose size changed from one shape to another stays open.

    Raises:
        ConfigError: for a range of an axis that the file does not leave open, or that leaves out its size.
    """
    contract = opened(Contract(Kind.network, inputs.ports, (), inputs.sizes), ranges)
    _refuse_outside(inputs.sizes, ranges)
    found = [_at(contract, inputs.fills, sampler, run, None)]
    found += [_at(corner, inputs.fills, sampler, run, 1) for corner in corners(contract, ranges)]
    outputs = _output_ports([reference.outputs for reference in found])
    first, *rest = [_described(reference, outputs) for reference in found]
    return replace(first, corners=tuple(rest))


def _refuse_outside(sizes: Sizes, ranges: Ranges) -> None:
    for axis, (low, high) in ranges.items():
        if not low <= sizes[axis] <= high:
            raise ConfigError(
                f"model.ranges.{axis} leaves out the size in model.inputs, for which the engine is tuned",
                expected=f"min <= {sizes[axis]} <= max",
                got=[low, high],
                cure=f"widen model.ranges.{axis}, or change the shape",
            )


def _at(
    contract: Contract, fills: Mapping[str, FilledInput], sampler: Sampler, run: Run, most: int | None
) -> Reference:
    samples = sampler(in_shapes_of(contract, fills), most)
    return Reference(samples.inputs, run(samples.inputs), samples.names, contract)


def _output_ports(shapes: Sequence[Arrays]) -> tuple[Port, ...]:
    return tuple(_output_port(name, [outputs[name].shape[1:] for outputs in shapes], shapes[0]) for name in shapes[0])


def _output_port(name: str, shapes: Sequence[tuple[int, ...]], outputs: Arrays) -> Port:
    axes = axes_of(name, len(shapes[0]))
    dynamic = tuple(axis for axis, sizes in zip(axes, zip(*shapes, strict=True), strict=True) if len(set(sizes)) > 1)
    kind = outputs[name].dtype
    return Port(name, axes, dynamic, kind.name, Rule.close if kind.kind == "f" else Rule.equal)


def axes_of(name: str, rank: int) -> tuple[str, ...]:
    """Return names for the axes of a tensor that the file does not name."""
    return tuple(f"{name}[{index}]" for index in range(rank))


def _described(reference: Reference, outputs: tuple[Port, ...]) -> Reference:
    """Return the reference with its outputs in its contract, sizes included."""
    own = {
        axis: size
        for port in outputs
        for axis, size in zip(port.axes, reference.outputs[port.name].shape[1:], strict=True)
    }
    contract = replace(reference.contract, outputs=outputs, sizes=reference.contract.sizes | own)
    return replace(reference, contract=contract)


def with_layernorms(reference: Reference, layernorms: int) -> Reference:
    """Return the reference with the number of LayerNorms in its contracts."""
    return replace(
        reference,
        contract=replace(reference.contract, layernorms=layernorms),
        corners=tuple(with_layernorms(corner, layernorms) for corner in reference.corners),
    )
