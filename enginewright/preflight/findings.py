"""Refusals gathered by the node that they are about, whoever gave them."""

from __future__ import annotations

from collections.abc import Sequence

from enginewright.preflight.cures import cure_for
from enginewright.preflight.places import Place
from enginewright.preflight.regions import Region
from enginewright.preflight.report import IN_FP32, UNSIMPLIFIED, Blocker
from enginewright.preflight.tool import Refusal
from enginewright.preflight.wording import layer_named, plain


class Findings:
    """What was refused.

    folded: the ids of the places that a simplifier computes away; they get notes. file: the graph came as a file.
    pending: the blockers of those that get notes, for the stage that may leave them: by what they depend on.
    """

    def __init__(self, places: Sequence[Place], folded: set[int], *, file: bool = False) -> None:
        self._places, self._folded, self._file = places, folded, file
        self._found: dict[int, tuple[Place, Refusal]] = {}
        self._loose: list[Refusal] = []
        self._half: list[Blocker] = []
        self._computed: list[Blocker] = []
        self.notes: list[str] = []

    def add_alone(self, group: Sequence[Region], refusal: Refusal) -> None:
        """Add the refusal of a region for each node like its target, or for the node before it that it names."""
        for region in group:
            named = region.places[refusal.index] if 0 <= refusal.index < len(region.places) else region.target
            place = named if named.node.op_type == refusal.operator else region.target
            self._found.setdefault(id(place), (place, refusal))

    def only_half(self, group: Sequence[Region], refusal: Refusal) -> None:
        """Note nodes that are refused in fp32 only, in a graph that becomes fp16."""
        names = ", ".join(region.target.label for region in group)
        self.notes.append(f"{group[0].target.node.op_type} {names} must become fp16: in fp32, {_message(refusal)}")
        lasting = [region.target for region in group if id(region.target) not in self._folded]
        self._half += [self._blocker(place, refusal) for place in lasting]

    def add_whole(self, refusals: Sequence[Refusal]) -> None:
        """Add refusals of the whole graph; one that is already known of its node says nothing new."""
        for refusal in refusals:
            place = self._place(refusal)
            if place is None:
                self._loose.append(refusal)
            else:
                self._found.setdefault(id(place), (place, refusal))

    def blockers(self, explained: bool) -> list[Blocker]:
        """Return the blockers in the order of the graph.

        explained: something else is wrong already, so that a refusal which names no node says nothing new.
        """
        found = [self._found[id(place)] for place in self._places if id(place) in self._found]
        labels = [place.label for place, _ in found]
        told: list[Blocker] = []
        for place, refusal in found:
            if any(label.startswith(f"{place.label} > ") for label in labels):
                continue  # it is refused for what it holds
            if id(place) in self._folded:
                self._computed.append(self._blocker(place, refusal))
                self.notes.append(f"{self._computed[-1]}; it depends on no input: the simplifier removes it")
            else:
                told.append(self._blocker(place, refusal))
        return told if found or explained else [self._blocker(None, refusal) for refusal in self._loose]

    @property
    def pending(self) -> dict[str, tuple[Blocker, ...]]:
        """Return what stands against the graph unless a later stage mends it, after `blockers` has been asked."""
        found = {IN_FP32: tuple(self._half), UNSIMPLIFIED: tuple(self._computed)}
        return {condition: blockers for condition, blockers in found.items() if blockers}

    def _blocker(self, place: Place | None, refusal: Refusal) -> Blocker:
        operator = place.node.op_type if place else "graph"
        message = _message(refusal, place)
        cure = cure_for(operator, message, file=self._file)
        return Blocker((place.label,) if place else ("as a whole",), operator, message, cure, refusal.by)

    def _place(self, refusal: Refusal) -> Place | None:
        name = refusal.name or layer_named(refusal.message)
        named = [place for place in self._places if name and place.node.name == name]
        same = [
            place
            for place in self._places
            if place.index == refusal.index and place.node.op_type == refusal.operator and not place.node.name
        ]
        return next(iter(named or same), None)


def _message(refusal: Refusal, place: Place | None = None) -> str:
    text = plain(refusal.message, (place.node.name,) if place else ())
    return f"at {refusal.at}: {text}" if refusal.at else text
