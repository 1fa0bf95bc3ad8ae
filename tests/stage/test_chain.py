"""Graphs made by hand: what they need of the pipeline, and which networks have none."""

from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.config.choices import Source
from enginewright.config.models import OnnxModel
from enginewright.config.network import NetworkConfig
from enginewright.config.sections import CheckpointConfig
from enginewright.errors import ConfigError
from enginewright.stage.chain import configured, needed, write_exported


def test_overrides_reach_the_configuration() -> None:
    config = configured("disk_lightglue", ["layernorm=island", "precision=fp16"])
    assert (config.swap.form.name, config.cast.precision.name) == ("island", "fp16")


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ConfigError):
        configured("no such network", [])


def test_what_the_pipeline_did_not_make_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="net was not built here") as caught:
        needed("net", "reference.npz")
    assert "network=[net]" in str(caught.value)
    (tmp_path / "weights/net").mkdir(parents=True)
    (tmp_path / "weights/net/reference.npz").touch()
    assert needed("net", "reference.npz").is_file()


def test_an_adopted_network_is_not_exported(tmp_path: Path) -> None:
    config = NetworkConfig("net", "net", OnnxModel(adapter=""), CheckpointConfig(Source.none))
    with pytest.raises(ConfigError, match="no torch module"):
        write_exported(tmp_path / "exported.onnx", "net", config)
    assert not list(tmp_path.iterdir())
