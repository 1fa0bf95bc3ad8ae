"""Rows of a sweep before anything runs: what is refused, and what lacks something, is known by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enginewright.config.yaml_text import load_yaml
from enginewright.errors import RequirementError, SweepError
from enginewright.sweeping.axes import Sweep
from enginewright.sweeping.outline import Outline
from enginewright.sweeping.results import Row, State
from stages.probe import refuse_unmet


def refuse_typos(sweep: Sweep, outlines: Mapping[str, Outline]) -> None:
    """Refuse the whole sweep for a key or value that no other value could mend.

    Raises:
        SweepError: naming the variant, the reason and the cure.
    """
    for variant in sweep.variants:
        outline = outlines[variant.name]
        if outline.typo:
            raise SweepError(f"nothing was run, for {' '.join(variant.overrides)} is refused: {outline.refused}")


def rows_of(sweep: Sweep, outlines: Mapping[str, Outline], probe: Mapping[str, Any]) -> dict[str, Row]:
    """Return a row for each variant: refused where it does not compose, not run where its builder is not installed."""
    rows = {variant.name: Row(variant.name, list(variant.swept)) for variant in sweep.variants}
    for name, row in rows.items():
        if outlines[name].refused:
            row.state, row.reason = State.refused, _one_line(str(outlines[name].refused))
            continue
        try:
            refuse_unmet(_networks(outlines[name]), probe)
        except RequirementError as error:
            row.state, row.reason = State.not_run, _one_line(str(error))
    return rows


def _one_line(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines())


def _networks(outline: Outline) -> dict[str, Any]:
    networks: dict[str, Any] = load_yaml(outline.params)["networks"]
    return networks
