"""The parts of the benchmark by name, and the groups of them that are measured together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.changes import depths, opset
from benchmarks.cold import Cold
from benchmarks.growth import Cached, Keypoints, Networks
from benchmarks.part import Part
from benchmarks.peers.navigator import Navigator
from benchmarks.peers.olive import OliveCold, OliveUnchanged
from benchmarks.peers.steps import steps
from benchmarks.place import Place
from benchmarks.unchanged import Unchanged
from benchmarks.variants import Variants, WholeVariants

_MAKERS: dict[str, Callable[[Place], Sequence[Part]]] = {
    "cold": lambda place: [Cold(place)],
    "opset": lambda place: [opset(place)],
    "olive": lambda place: [OliveCold(place), OliveUnchanged(place)],
    "unchanged": lambda place: [Unchanged(place)],
    "variants": lambda place: [Variants(place)],
    "variants_whole": lambda place: [WholeVariants(place)],
    "changes": depths,
    "steps": steps,
    "navigator": lambda place: [Navigator(place)],
    "growth_networks": lambda place: [Networks(place)],
    "growth_variants": lambda place: [Cached(place)],
    "growth_keypoints": lambda place: [Keypoints(place)],
}

GROUPS = {
    "judged": ("cold", "opset", "olive", "unchanged", "variants", "variants_whole"),
    "growth": ("growth_networks", "growth_variants", "growth_keypoints"),
    "all": tuple(_MAKERS),
}
NAMES = (*_MAKERS, *GROUPS)


def named(place: Place, names: Sequence[str]) -> list[Part]:
    """Return the parts of names and groups, each once."""
    wanted = dict.fromkeys(name for given in names for name in GROUPS.get(given, (given,)))
    return [part for name in wanted for part in _MAKERS[name](place)]
