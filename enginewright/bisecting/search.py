"""The search for nodes that must stay fp32 beyond those at fault: by torch module first, then by node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from enginewright.bisecting.trials import Trials, smallest


@dataclass(frozen=True)
class Found:
    """What a search found.

    further: the nodes that must be fp32 beside those it began with; None if nothing helps, not even all of them.
    spent: whether the bound on trials was reached, so that a smaller set may exist. trials: how many were made.
    """

    further: frozenset[str] | None
    spent: bool
    trials: int


def search(base: frozenset[str], groups: Mapping[str, Sequence[str]], trials: Trials) -> Found:
    """Return the smallest further set of nodes with which `base` passes; groups: the candidates by torch module.

    The trials must allow for two at least: of the base, and of everything.
    """
    further = _further(base, groups, trials)
    return Found(further, trials.spent, len(trials))


def _further(base: frozenset[str], groups: Mapping[str, Sequence[str]], trials: Trials) -> frozenset[str] | None:
    def passes(nodes: Iterable[str]) -> bool:
        return trials(base.union(nodes))

    if passes(()):
        return frozenset()
    if not passes(_nodes(groups, groups)):
        return None
    modules = smallest(list(groups), lambda chosen: passes(_nodes(groups, chosen)))
    nodes = smallest([node for node in _nodes(groups, modules) if node not in base], passes)
    by_group = [frozenset(groups[module]) for module in modules]
    kept = frozenset(nodes)
    for part in (*by_group, *(frozenset([node]) for node in nodes)):
        if kept & part and passes(kept - part):
            kept -= part
    return kept


def _nodes(groups: Mapping[str, Sequence[str]], chosen: Iterable[str]) -> list[str]:
    return [node for name in chosen for node in groups[name]]
