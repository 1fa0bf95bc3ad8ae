"""A graph of the last run is read only where dvc.lock says that this configuration would make it again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from enginewright.bisecting.last_run import fitting
from enginewright.config.choices import Form, Precision, Source
from enginewright.config.models import ModelConfig
from enginewright.config.network import NetworkConfig
from enginewright.config.sections import CastConfig, CheckpointConfig, SwapConfig

CONFIG = NetworkConfig("net", "net", ModelConfig(adapter="net"), CheckpointConfig(Source.none))
FILES = ["exported.onnx", "simplified.onnx", "typed.onnx"]


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what a run of the network `net` leaves."""
    monkeypatch.chdir(tmp_path)
    swap, cast = {"form": "native", "max_abs": 1e-3}, {"precision": "fp32", "fp32_nodes": []}
    stages = {
        "export@net": entry("exported.onnx", {"networks.net.swap": swap}),
        "simplify@net": entry("simplified.onnx", {}),
        "cast@net": entry("typed.onnx", {"networks.net.cast": cast_values() | cast, "networks.net.swap": swap}),
        "cast@other": entry("typed.onnx", {}),
    }
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}), encoding="utf-8")


def entry(file: str, params: dict[str, Any]) -> dict[str, Any]:
    path = Path("weights/net") / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file, encoding="utf-8")
    digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return {"outs": [{"path": path.as_posix(), "md5": digest}], "params": {"params.yaml": params}}


def cast_values() -> dict[str, Any]:
    return {
        "precision": "fp32",
        "fp32_nodes": [],
        "samples": 2,
        "data_max": 512.0,
        "init_max": 65504.0,
        "float_nodes": [],
        "op_types": [],
        "calibration": None,
        "rest": None,
    }


def test_what_the_configuration_would_make_again_fits() -> None:
    assert list(fitting("net", CONFIG)) == FILES


def test_another_precision_leaves_what_came_before_the_cast() -> None:
    assert list(fitting("net", replace(CONFIG, cast=CastConfig(Precision.fp16)))) == FILES[:2]


def test_another_form_leaves_nothing() -> None:
    assert fitting("net", replace(CONFIG, swap=SwapConfig(Form.island))) == {}


def test_a_file_that_the_run_did_not_write_does_not_fit_and_nothing_after_it() -> None:
    Path("weights/net/simplified.onnx").write_text("another", encoding="utf-8")
    assert list(fitting("net", CONFIG)) == FILES[:1]
    Path("weights/net/exported.onnx").unlink()
    assert fitting("net", CONFIG) == {}


def test_without_a_run_nothing_fits() -> None:
    assert fitting("unknown", CONFIG) == {}
    Path("dvc.lock").unlink()
    assert fitting("net", CONFIG) == {}
