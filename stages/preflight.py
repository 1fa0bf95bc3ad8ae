"""preflight: whether the builder will take the exported graph, before anything slow is done with it."""

from __future__ import annotations

from pathlib import Path

from enginewright.artifacts import write_json
from enginewright.config.choices import Precision
from enginewright.config.models import ModelConfig
from enginewright.config.sections import BuildConfig, CastConfig, SimplifyConfig
from enginewright.graphs.files import load_graph
from enginewright.preflight.check import check_graph
from enginewright.preflight.report import Report
from enginewright.preflight.task import Options
from enginewright.stage import Stage, enter

SECTIONS = ("model", "build")
_LENIENT = SimplifyConfig(), CastConfig(Precision.fp16)
"""What may still go away is no blocker here: constants that a simplifier folds, nodes that build in half precision. So
another precision or simplifier asks nothing again. preflight.json lists it as pending, and the stage that leaves it in
refuses: simplify without a simplifier, cast to fp32. `python -m enginewright.preflight` takes both as they are set.
"""


def run(options: Options, exported: Path) -> Report:
    """Return what stands against the ONNX file `exported`; `not_run` where the builder cannot be asked here.

    Raises:
        GraphError: if the file is no ONNX graph.
    """
    return check_graph(load_graph(exported), options)


def main(stage: Stage) -> None:
    """Ask the builder, write preflight.json, then refuse a graph with blockers, all of them in one error."""
    options = Options.of(stage.section(ModelConfig), *_LENIENT, stage.section(BuildConfig))
    report = run(options, stage.inputs["exported"])
    write_json(stage.outputs["metrics"], report.as_metrics())
    report.refuse_blockers(f"the exported graph of {stage.network}")


if __name__ == "__main__":
    enter(main, SECTIONS)
