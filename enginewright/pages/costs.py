"""What a variant costs: the figures that it can be chosen and plotted by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from enginewright.pages.variant import Variant
from enginewright.report.words import NOTHING, megabytes, small


@dataclass(frozen=True)
class Cost:
    """A figure of which less is better. title: an axis. lowest: the variant that has the least. say: the figure."""

    key: str
    title: str
    lowest: str
    of: Callable[[Variant], float | None]
    say: Callable[[float | None], str]
    logarithmic: bool = False


def milliseconds(value: float | None) -> str:
    """Return a latency in words."""
    return f"{value:.2f} ms" if value is not None else NOTHING


def seconds(value: float | None) -> str:
    """Return a time in words."""
    return f"{value:,.1f} s" if value is not None else NOTHING


def asked(value: float) -> str:
    """Return the share of matches that a gate asks for in words."""
    return f"{100 * value:g} %"


LATENCY = Cost("latency", "Latency, ms", "the lowest latency", lambda one: one.latency_ms, milliseconds)
ENGINE = Cost("engine", "Engines, MB", "the smallest engines", lambda one: one.engine_mb, megabytes)
GRAPH = Cost("graph", "Typed graph, MB", "the smallest typed graph", lambda one: one.graph_mb, megabytes)
ERROR = Cost("error", "Largest error of the graphs", "the smallest error", lambda one: one.error, small, True)
BUILD = Cost("build", "Build, s", "the shortest build", lambda one: one.build_s, seconds)

COSTS = (LATENCY, ENGINE, GRAPH, ERROR, BUILD)
"""All that a plot can be drawn by."""

DECISIVE = (LATENCY, ENGINE, GRAPH)
"""What a variant is chosen by: the first that is known of all."""


def decisive(variants: Sequence[Variant]) -> Cost | None:
    """Return what these variants can be compared by, or None. Latencies of two devices cannot be."""
    for cost in DECISIVE:
        known = all(cost.of(one) is not None for one in variants)
        if known and (cost is not LATENCY or len({one.device for one in variants}) == 1):
            return cost
    return None


def front(variants: Sequence[Variant], cost: Cost, tie: float) -> list[Variant]:
    """Return the sound variants that no other beats in cost and matches kept at once, the cheapest first.

    tie: share of a cost below which a difference is none. Of those that are equal in both, all are returned.
    """
    known = [one for one in variants if one.sound and one.kept and cost.of(one) is not None]
    return sorted(
        (one for one in known if not any(_beats(two, one, cost, tie) for two in known)), key=lambda one: _at(one, cost)
    )


def _at(one: Variant, cost: Cost) -> tuple[float, float]:
    """Return cost and share lost: less is better in both."""
    value = cost.of(one)
    return (float("inf") if value is None else value), 1 - (one.kept.share if one.kept else 0.0)


def _beats(one: Variant, other: Variant, cost: Cost, tie: float) -> bool:
    (ours, lost), (theirs, lost_there) = _at(one, cost), _at(other, cost)
    return ours <= theirs and lost <= lost_there and (ours < theirs * (1 - tie) or lost < lost_there)
