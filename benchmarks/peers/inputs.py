"""The reference's samples in the files that Polygraphy's command line reads."""

from __future__ import annotations

from pathlib import Path

from enginewright.reference import load_reference


def save_for_polygraphy(reference: Path, folder: Path) -> None:
    """Write inputs.json and outputs.json: the samples, and what the original network gave for them."""
    from polygraphy.comparator import IterationResult, RunResults
    from polygraphy.json import save_json
    from polygraphy.logger import G_LOGGER

    samples = [(inputs, outputs) for _, inputs, outputs in load_reference(reference).samples()]
    rows = [IterationResult(dict(outputs), runner_name="original") for _, outputs in samples]
    with G_LOGGER.verbosity(G_LOGGER.CRITICAL):
        save_json([dict(inputs) for inputs, _ in samples], str(folder / "inputs.json"))
        RunResults([("original", rows)]).save(str(folder / "outputs.json"))
