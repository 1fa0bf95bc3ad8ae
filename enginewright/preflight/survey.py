"""All that preflight asks of one graph: the whole of it first, then every distinct node alone.

The whole tells what fits together, but a parser stops at the first node that it cannot import and a builder at the
first that it cannot build. Nodes alone tell of every blocker at once, and compile in a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import onnx
from onnx import TensorProto, ValueInfoProto

from enginewright.preflight import whole
from enginewright.preflight.asking import Asker
from enginewright.preflight.findings import Findings
from enginewright.preflight.known import foldable, with_known_types, without_functions
from enginewright.preflight.places import Place, places_of
from enginewright.preflight.regions import Region, element_type, region_of, sizes_of
from enginewright.preflight.report import Blocker, Counts
from enginewright.preflight.task import Answer, Options
from enginewright.preflight.together import in_half

_SHOWN = 3


def survey(ask: Asker, model: onnx.ModelProto, options: Options) -> Answer:
    """Ask everything and return what stands against the graph."""
    model = without_functions(model)
    pinned = options.best
    known = with_known_types(model, pinned)
    places = places_of(known)
    folded = foldable(places, bool(pinned)) if options.simplified else set()
    findings = Findings(places, folded, file=options.file)
    looked = whole.look_at(ask, model, options)
    alone = _Alone(ask, known, places)
    for number, refusal in ask.all(alone.models).items():
        if looked.fits and not refusal.late:
            continue  # it is refused only because it stands alone: the whole graph came through this check
        if options.half and ask.one(number, in_half(alone.models[number])) is None:
            findings.only_half(alone.groups[number], refusal)
        else:
            findings.add_alone(alone.groups[number], refusal)
    findings.add_whole(looked.refusals)
    outer = [*alone.unfit_inputs(), *looked.blockers]
    blockers = [*outer, *findings.blockers(explained=bool(outer))]
    counts = Counts(len(places), len(alone.groups), alone.unchecked)
    return Answer(tuple(blockers), (*findings.notes, *_float64(places)), counts, findings.pending)


class _Alone:
    """The distinct nodes of a graph, each cut out to be built alone.

    groups: regions that the builder cannot tell apart, by number; the first stands for all. models: one for each group.
    unchecked: how many nodes could not be cut out.
    """

    def __init__(self, ask: Asker, model: onnx.ModelProto, places: Sequence[Place]) -> None:
        self._ask, self._model = ask, model
        self._taken: dict[tuple[int, int], bool] = {}
        regions = [self._region(place) for place in places if place.node.op_type != "Constant"]
        alike: dict[Hashable, list[Region]] = {}
        for region in filter(None, regions):
            alike.setdefault(region.key(), []).append(region)
        self.groups = dict(enumerate(alike.values()))
        self.models = {number: group[0].model(model) for number, group in self.groups.items()}
        self.unchecked = regions.count(None) + self._leave_out_shapes()

    def unfit_inputs(self) -> list[Blocker]:
        """Return a blocker for each input of the graph whose type or number of axes the parser does not take."""
        return [
            Blocker(
                (value.name,),
                "input",
                f"the parser takes no {TensorProto.DataType.Name(element_type(value)).lower()} "
                f"of {len(value.type.tensor_type.shape.dim)} axes",
                "use float32, float16, int32, int64, bool or uint8, with 8 axes at most",
                "parser",
            )
            for value in self._model.graph.input
            if element_type(value) and not self._takes(value)
        ]

    def _region(self, place: Place) -> Region | None:
        region = region_of(place)
        return region if region and all(map(self._takes, region.inputs.values())) else None

    def _takes(self, value: ValueInfoProto) -> bool:
        """Return whether the parser takes an input of that type and rank, asked once for each."""
        tensor = value.type.tensor_type
        kind = (tensor.elem_type, len(tensor.shape.dim))
        if kind not in self._taken:
            self._taken[kind] = self._ask.takes(tensor)
        return self._taken[kind]

    def _leave_out_shapes(self) -> int:
        """Leave out what needs the values of an input, since that is a shape; return how many nodes that are."""
        small = [number for number, group in self.groups.items() if any(map(_is_small, group[0].inputs.values()))]
        shapes = [number for number in small if self._ask.needs_values(number, self.models[number])]
        for number in shapes:
            del self.models[number]
        return sum(len(self.groups.pop(number)) for number in shapes)


def _is_small(value: ValueInfoProto) -> bool:
    return len(sizes_of(value) or ()) <= 1 and element_type(value) in (TensorProto.INT32, TensorProto.INT64)


def _float64(places: Sequence[Place]) -> list[str]:
    """Return a note on the nodes that compute in float64, which TensorRT does in float32 without a word."""
    names = [
        place.label
        for place in places
        for name in place.node.output[:1]
        if name in place.scope.types and element_type(place.scope.types[name]) == TensorProto.DOUBLE
    ]
    more = f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else ""
    return [f"float64 is computed in float32 by the builder: {', '.join(names[:_SHOWN])}{more}"] if names else []
