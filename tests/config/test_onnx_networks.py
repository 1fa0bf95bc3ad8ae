"""An ONNX network in conf/: how little it takes, and the lists of networks that dvc.yaml runs over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from enginewright.config.composed import composed
from enginewright.config.resolvers import WIRINGS
from enginewright.config.typed import typed_network
from enginewright.errors import ConfigError
from tests.config.routes import by_dvc, by_us, conf_copy

OCR = f"""\
# @package networks.ocr
defaults:
  - _onnx@_here_
  - _self_

model:
  inputs:
    x: {{shape: [1, 3, 48, 320], fill: image}}

checkpoint:
  path: ocr.onnx
  sha256: {"ab" * 32}
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Return a copy of conf/ with one more network, an ONNX file."""
    conf = conf_copy(tmp_path)
    (conf / "network" / "ocr.yaml").write_text(OCR, encoding="utf-8")
    return conf


def plain(config: DictConfig, key: str) -> dict[str, Any]:
    found: Any = OmegaConf.to_container(config[key], resolve=True, enum_to_str=True)
    return dict(found)


def test_a_few_lines_are_a_whole_network(conf: Path) -> None:
    config = composed(["network=[ocr]"], conf)
    network = typed_network(plain(config, "networks")["ocr"], "ocr")
    assert (network.extractor, network.extractor_adapter, network.model.adapter) == ("ocr", "onnx", "onnx")
    assert network.model.layernorms == 0


def test_each_network_begins_one_way(conf: Path) -> None:
    config = composed(["network=[disk,disk_lightglue,ocr]"], conf)
    assert list(plain(config, "torch_networks")) == ["disk", "disk_lightglue"]
    assert plain(config, "onnx_networks") == {"ocr": {"data": {"watch": "probe/scikit_image.json"}}}
    assert list(plain(config, "matchers")) == ["disk_lightglue"]


def test_a_torch_network_has_what_its_stages_name() -> None:
    config = composed(["export=torchscript"])
    assert plain(config, "torch_networks")["disk_lightglue"] == {
        "extractor": "disk",
        "extractor_adapter": "disk",
        "model": {"adapter": "lightglue"},
        "data": {"watch": "probe/scikit_image.json"},
        "export": {"exporter": "torchscript"},
    }


def test_without_an_onnx_network_the_list_is_there_and_empty() -> None:
    assert plain(composed([]), "onnx_networks") == {}


def test_dvc_composes_the_same(conf: Path, tmp_path: Path) -> None:
    overrides = ["network=[ocr]"]
    (found,) = by_dvc(tmp_path, [(conf, overrides)])
    assert found.text is not None
    assert found.text == by_us(overrides, conf).text


@pytest.mark.parametrize("key", sorted(WIRINGS))
@pytest.mark.parametrize("value", ["{evil: {}}", "null", "[disk]"])
def test_a_list_cannot_be_set_by_hand(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{key} follows from the networks"):
        composed([f"{key}={value}"])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("fill: image", "fill: noise", "noise"),
        ("[1, 3, 48, 320]", "[1, 2, 48, 320]", "cannot take images"),
        ("x: {", "x: {size: 3, ", "size"),
        ("  path: ocr.onnx\n", "", "checkpoint.path"),
        (f"  sha256: {'ab' * 32}\n", "", "sha256"),
    ],
)
def test_a_slip_is_told_while_composing(conf: Path, old: str, new: str, says: str) -> None:
    assert OCR.count(old) == 1
    (conf / "network" / "ocr.yaml").write_text(OCR.replace(old, new), encoding="utf-8")
    found = by_us(["network=[ocr]"], conf)
    assert found.text is None
    assert says in found.told


def test_a_name_that_no_path_may_have_is_refused(conf: Path) -> None:
    (conf / "network" / "Bad-Name.yaml").write_text(OCR.replace("networks.ocr", "networks.Bad-Name"), encoding="utf-8")
    assert by_us(["network=[Bad-Name]"], conf).text is None
