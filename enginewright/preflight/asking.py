"""Questions to the builder in numbered steps, so that one that kills the process is known and not asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import onnx
from onnx import TypeProto, helper

from enginewright.preflight.task import TOGETHER, WHOLE
from enginewright.preflight.together import merged
from enginewright.preflight.tool import Parsed, Ranges, Refusal, Tool

Models = Mapping[int, onnx.ModelProto]


class Asker:
    """Asks one builder.

    fatal: steps that killed an earlier process, with the signal: they count as refused, and are not taken. begin: told
    each step before it is taken.
    """

    def __init__(self, tool: Tool, fatal: Mapping[int, str], begin: Callable[[int], None]) -> None:
        self._tool, self._fatal, self._begin = tool, fatal, begin

    def parse(self, model: onnx.ModelProto) -> Parsed | Refusal:
        """Parse the whole graph."""
        return self._died(WHOLE) or self._tool.parse(model.SerializeToString())

    def fits(self, parsed: Parsed, ranges: Ranges) -> Refusal | None:
        """Return why the builder refuses the parsed whole graph before it compiles anything."""
        return self._tool.build(parsed, ranges, wholly=False)

    def all(self, models: Models) -> dict[int, Refusal]:
        """Return the refusal of each refused model.

        They are built as one, which is eight times faster than one by one (91 distinct nodes of a matcher with
        tensorrt_rtx 1.7.1: 0.3 s against 2.2 s), and halved until the refused ones are alone.
        """
        if self._died(TOGETHER) is None:
            dead = {number: refusal for number in models if number in self._fatal and (refusal := self._died(number))}
            return dead | dict(self._halving([number for number in models if number not in dead], models))
        return {number: refusal for number, model in models.items() if (refusal := self.one(number, model))}

    def one(self, number: int, model: onnx.ModelProto) -> Refusal | None:
        """Return why the builder does not take a model, or None."""
        return self._died(number) or self._refusal(model)

    def needs_values(self, number: int, model: onnx.ModelProto) -> bool:
        """Return whether an input of a model is a shape: it cannot be built without the values that come in there."""
        if self._died(number):
            return False
        parsed = self._tool.parse(model.SerializeToString())
        inputs = [parsed.network.get_input(index) for index in range(parsed.network.num_inputs)]
        return not parsed.refusals and any(tensor.is_shape_tensor for tensor in inputs)

    def takes(self, kind: TypeProto.Tensor) -> bool:
        """Return whether a graph can have an input of that element type and rank at all."""
        value = helper.make_tensor_value_info("x", kind.elem_type, [1] * len(kind.shape.dim))
        end = helper.make_tensor_value_info("y", kind.elem_type, [1] * len(kind.shape.dim))
        graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "input", [value], [end])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        return not self._tool.parse(model.SerializeToString()).refusals

    def _halving(self, numbers: list[int], models: Models) -> Iterator[tuple[int, Refusal]]:
        chosen = [models[number] for number in numbers]
        if not chosen or (refusal := self._refusal(merged(chosen) if chosen[1:] else chosen[0])) is None:
            return
        if len(numbers) == 1:
            yield numbers[0], refusal
            return
        middle = len(numbers) // 2
        yield from self._halving(numbers[:middle], models)
        yield from self._halving(numbers[middle:], models)

    def _refusal(self, model: onnx.ModelProto) -> Refusal | None:
        parsed = self._tool.parse(model.SerializeToString())
        return parsed.refusals[0] if parsed.refusals else self._tool.build(parsed)

    def _died(self, step: int) -> Refusal | None:
        """Return the refusal of a step that killed an earlier process; otherwise announce the step."""
        if step in self._fatal:
            return Refusal(f"the builder's process dies of it: {self._fatal[step]}", "builder", late=True)
        self._begin(step)
        return None
