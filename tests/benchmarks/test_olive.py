"""What Olive is told: functions that its script has, the same exporter and opset as the pipeline, passes in order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers import olive, olive_matcher
from enginewright.config.composed import plain
from tests.e2e.workspace import ROOT


def workflow() -> Any:
    return olive.workflow(Path("work"))


def test_the_script_has_the_functions_that_are_named() -> None:
    model = workflow()["input_model"]
    assert Path(olive_matcher.__file__) == Path(model["model_script"])
    assert all(hasattr(olive_matcher, model[key]) for key in ("model_loader", "dummy_inputs_func", "io_config"))


def test_both_sides_convert_with_the_same_exporter_and_opset() -> None:
    export = plain([*olive.OVERRIDES])["networks"][olive_matcher.NETWORK]["export"]
    convert = workflow()["passes"]["convert"]
    assert export["exporter"] == "torchscript"
    assert not convert["use_dynamo_exporter"]
    assert export["opset"] == convert["target_opset"]


def test_both_sides_end_in_fp16_and_the_extractor_stays_as_it_is() -> None:
    networks = plain([*olive.OVERRIDES])["networks"]
    assert networks[olive_matcher.NETWORK]["cast"]["precision"] == "fp16"
    assert networks["disk"]["cast"]["precision"] == "fp32"
    assert list(workflow()["passes"])[-1] == "fp16"


def test_the_benchmark_holds_no_torch() -> None:
    code = "import sys, benchmarks.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
