"""Single steps of the matcher: the pipeline's stage as DVC starts it, against other tools' command lines.

Each is one process from start to end, on the same input file. What a stage does besides (checks of inputs, outputs and
LayerNorm form, an atomic write, metrics) is in its time.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from benchmarks.cost import Cost
from benchmarks.part import Measured, Part, Turn, ratio
from benchmarks.peers.inputs import save_for_polygraphy
from benchmarks.peers.olive import matcher_clone
from benchmarks.pipeline import built
from benchmarks.place import Place
from enginewright.verifying.pipeline import steps_of

NETWORK = "disk_lightglue"
WEIGHTS = f"weights/{NETWORK}"
_ORT = "python -m onnxruntime.transformers.optimizer --model_type bert --opt_level 0"
_RTX = {"POLYGRAPHY_USE_TENSORRT_RTX": "1"}

Commands = Mapping[str, Sequence[str]]
"""Command lines by tool; several run one after another. OUT is the folder that they write to."""

SIMPLIFY: Commands = {
    "polygraphy_sanitize": [f"polygraphy surgeon sanitize {WEIGHTS}/exported.onnx --fold-constants -o OUT/p.onnx"],
    "onnxsim": [f"onnxsim {WEIGHTS}/exported.onnx OUT/s.onnx"],
    "onnxruntime_optimizer": [f"{_ORT} --input {WEIGHTS}/exported.onnx --output OUT/o.onnx"],
}
CAST: Commands = {
    "polygraphy_fp16": [f"polygraphy convert {WEIGHTS}/simplified.onnx --convert-to onnx --fp-to-fp16 -o OUT/p.onnx"],
    "onnxruntime_float16": [f"{_ORT} --float16 --input {WEIGHTS}/simplified.onnx --output OUT/o.onnx"],
    "modelopt_autocast": [
        f"python -m modelopt.onnx.autocast --onnx_path {WEIGHTS}/simplified.onnx --keep_io_types --providers cpu"
        " --calibration_data OUT/inputs.json --output_path OUT/m.onnx"
    ],
}
COMPARE: Commands = {
    "polygraphy_run": [
        f"polygraphy run {WEIGHTS}/{graph}.onnx --onnxrt --load-inputs OUT/inputs.json --load-outputs OUT/outputs.json"
        " --atol 0.001 --check-error-stat max"
        for graph in ("exported", "simplified", "typed")
    ]
}
BUILD: Commands = {
    "polygraphy_convert": [
        f"polygraphy convert {WEIGHTS}/typed.onnx --convert-to trt --strongly-typed -o OUT/engine.plan"
    ]
}


class Step(Part):
    """One stage and the tools that do the same."""

    base = "pipeline"

    def __init__(self, place: Place, stage: str, commands: Commands, *, reduced: bool = False) -> None:
        super().__init__(place)
        self.name, self.title = f"step_{stage}", f"{stage} of LightGlue alone" + ", fp16" * reduced
        self._stage, self._commands, self._reduced = stage, commands, reduced

    def prepare(self) -> None:
        """Build what the step reads, and write its samples as Polygraphy reads them."""
        clone = matcher_clone(self.place, whole=True) if self._reduced else built(self.place, "full", self.place.size)
        clone.forget()
        self._clone = clone.path
        self._out = self.place.empty(self.name)
        save_for_polygraphy(self._clone / WEIGHTS / "reference.npz", self._out)

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return the stage and each tool."""
        tools = {name: self._turn(commands) for name, commands in self._commands.items()}
        return {"pipeline": self._turn([self._stage_command()]), **tools}

    def figures(self, measured: Measured) -> dict[str, Any]:
        """Return the stage's time to each tool's: the other way round than where the pipeline is no base."""
        found = super().figures(measured)
        mine = measured.costs.get("pipeline", [])
        tools = {name: costs for name, costs in measured.costs.items() if name != "pipeline"}
        return found | {"ratio": {f"pipeline_to_{name}": ratio(mine, costs) for name, costs in tools.items() if mine}}

    def _turn(self, commands: Sequence[str]) -> Turn:
        def turn() -> Cost:
            filled = [shlex.split(command.replace("OUT/", f"{self._out}/")) for command in commands]
            first, *rest = (self.place.run(self._clone, *words, **_RTX).cost for words in filled)
            return sum(rest, first)

        return turn

    def _stage_command(self) -> str:
        """Return the stage's command of dvc.yaml with its outputs in the folder OUT."""
        params = yaml.safe_load((self._clone / "params.yaml").read_text(encoding="utf-8"))
        step = steps_of(self._clone / "dvc.yaml", params)[f"{self._stage}@{NETWORK}"]
        inputs, option, outputs = step.cmd.partition(" --out ")
        return inputs + option + outputs.replace("=", "=OUT/")


def steps(place: Place) -> list[Step]:
    """Return the steps that other tools have a command line for."""
    return [
        Step(place, "simplify", SIMPLIFY),
        Step(place, "cast", CAST, reduced=True),
        Step(place, "compare", COMPARE),
        Step(place, "build", BUILD),
    ]
