"""Write everything that the stages found on one page."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from enginewright.artifacts import write_bytes
from enginewright.report.page import page
from enginewright.stage import Stage, enter

SECTIONS = ()


def run(metrics: Path, plots: Path, networks: Collection[str] | None = None) -> str:
    """Return the page for the folders `metrics` and `plots`, each with a folder a network, of `networks` alone.

    Raises:
        DataError: if there are no metrics, or a file is not what its name says.
    """
    return page(metrics, plots, networks)


def main(stage: Stage) -> None:
    """Read the inputs `metrics` and `plots`, write the output `report`. The stage covers all networks of the run."""
    html = run(stage.inputs["metrics"], stage.inputs["plots"], stage.networks)
    write_bytes(stage.outputs["report"], html.encode())


if __name__ == "__main__":
    enter(main, SECTIONS)
