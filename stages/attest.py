"""attest: write down what an engine was made from, as a statement that anybody can check and sign.

A stage of its own, after everything that judges an engine, since the verdicts are part of it. No torch, no ONNX.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_json
from enginewright.attesting.source import Source, source_of
from enginewright.attesting.statement import made_of, statement_of
from enginewright.stage import Stage, enter

SECTIONS = ("whole",)


def run(
    network: str, inputs: Mapping[str, Path], parameters: Mapping[str, Mapping[str, Any]], source: Source
) -> dict[str, Any]:
    """Return the statement of the network's engine.

    inputs: files by the names that dvc.yaml gives them. parameters: of each network that has a part in it, by name.
    """
    return statement_of(made_of(network, inputs, parameters, source))


def main(stage: Stage) -> None:
    """Write the output `statement`."""
    write_json(stage.outputs["statement"], run(stage.network, stage.inputs, stage.whole(), source_of(Path())))


if __name__ == "__main__":
    enter(main, SECTIONS)
