"""Olive at the same steps of the same matcher: convert, optimise, fp16; from nothing, and once more unchanged.

Pipeline: `make repro` of cast@disk_lightglue, checkpoint and reference being there: export (TorchScript, opset 20),
preflight, simplify and cast to fp16 by AutoCast, calibrated on real images, inputs and outputs float32.
Olive: one workflow of OnnxConversion (TorchScript, opset 20, the same module and weights), OnnxPeepholeOptimizer and
OnnxFloatToFloat16, inputs and outputs float32. It does not ask a builder, measures no ranges and checks no result. Its
telemetry is off: on a machine without the web it waits for it.
Floor: the pipeline's stages in one process (benchmarks/one_process.py): what the same work takes without DVC.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from benchmarks.cost import Cost
from benchmarks.part import Measured, Part, Turn
from benchmarks.peers.environment import peer_python
from benchmarks.pipeline import Built, built, floor
from benchmarks.place import Place
from benchmarks.variants import WORKER_MB
from enginewright.artifacts import write_bytes

OPSET = 20
OVERRIDES = ("export=torchscript", f"export.opset={OPSET}", "precision=fp16", "networks.disk.cast.precision=fp32")
SCRIPT = Path(__file__).with_name("olive_matcher.py")
"""Not imported here: it imports torch, whose memory every command that is started would seem to have."""

_READY = "swap@disk_lightglue"
_LAST = "cast@disk_lightglue"
_STEPS = tuple(f"{stage}@disk_lightglue" for stage in ("export", "preflight", "simplify", "cast"))


def workflow(work: Path) -> dict[str, object]:
    """Return Olive's configuration; it works below `work`."""
    return {
        "input_model": {
            "type": "PyTorchModel",
            "model_script": str(SCRIPT),
            "model_loader": "load",
            "dummy_inputs_func": "inputs",
            "io_config": "io_config",
        },
        "passes": {
            "convert": {
                "type": "OnnxConversion",
                "target_opset": OPSET,
                "use_dynamo_exporter": False,
                "dynamic": False,
            },
            "optimise": {"type": "OnnxPeepholeOptimizer"},
            "fp16": {"type": "OnnxFloatToFloat16", "keep_io_types": True},
        },
        "cache_dir": str(work / "cache"),
        "output_dir": str(work / "output"),
    }


def matcher_clone(place: Place, *, whole: bool = False) -> Built:
    """Return a clone in which the matcher was built up to its reference, or `whole`: up to the cast to fp16."""
    name, target = ("matcher_cast", _LAST) if whole else ("matcher", _READY)
    return built(place, name, (*place.size, *OVERRIDES), (target,))


class _Olive(Part):
    """Both sides in one clone."""

    base = "olive"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.work = place.folder / "olive"

    def prepare(self) -> None:
        """Make the peers' environment, and build what export and cast need."""
        self._python = peer_python()
        self.built = matcher_clone(self.place)

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return both sides."""
        return {"pipeline": self.pipeline, "olive": self.olive}

    def pipeline(self) -> Cost:
        """Run the pipeline up to the cast."""
        return self.built.repro(targets=(_LAST,)).cost

    def olive(self) -> Cost:
        """Run Olive's workflow."""
        config = self.work / "workflow.json"
        write_bytes(config, json.dumps(workflow(self.work), indent=1).encode())  # passes run in their order here
        found = {"PYTHONPATH": str(self.built.path), "OLIVE_DISABLE_TELEMETRY": "1"}
        command = (str(self._python), "-m", "olive", "run", "--config", str(config))
        return self.place.run(self.built.path, *command, **found).cost


class OliveCold(_Olive):
    """Nothing cached on either side."""

    name = "olive_cold"
    title = "LightGlue to fp16, cold"

    def ratios(self, measured: Measured) -> dict[str, float]:
        """Return the pipeline's memory to what a worker of a sweep may take: the cast to fp16 takes the most."""
        peaks = [cost.peak_mb for cost in measured.costs.get("pipeline", ())]
        return {"memory_to_6_gb": round(max(peaks) / WORKER_MB, 3)} if peaks else {}

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return both sides, and the floor of the pipeline's."""
        return {"pipeline": self.pipeline, "floor": self.floor, "olive": self.olive}

    def pipeline(self) -> Cost:
        """Run the pipeline up to the cast, forgetting first that it ran."""
        self.built.forget()
        return super().pipeline()

    def floor(self) -> Cost:
        """Do the same in one process."""
        return floor(self.place, self.built.path, self.place.empty("floor"), _STEPS)[0]

    def olive(self) -> Cost:
        """Run Olive's workflow with an empty cache."""
        shutil.rmtree(self.work, ignore_errors=True)
        return super().olive()


class OliveUnchanged(_Olive):
    """The same once more, after the cold one."""

    name = "olive_unchanged"
    title = "LightGlue to fp16, unchanged"
