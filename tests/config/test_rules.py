"""Rules between sections and between networks."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from omegaconf import OmegaConf

from enginewright.config.choices import Form
from enginewright.config.composed import composed
from enginewright.config.models import ExtractorModel, MatcherModel
from enginewright.config.rules import check_networks
from enginewright.errors import ConfigError


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    """Return the networks that conf/ composes to."""
    plain: Any = OmegaConf.to_container(composed([]).networks, enum_to_str=True)
    return dict(plain)


@pytest.fixture
def networks(shipped: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of them that a test may change."""
    return copy.deepcopy(shipped)


def refused(networks: dict[str, Any]) -> ConfigError:
    """Return the refusal of networks."""
    with pytest.raises(ConfigError) as caught:
        check_networks(networks)
    return caught.value


def test_the_shipped_networks_pass_and_come_out_typed(networks: dict[str, Any]) -> None:
    typed = check_networks(networks)
    assert list(typed) == ["disk", "disk_lightglue"]
    assert isinstance(typed["disk"].model, ExtractorModel)
    assert isinstance(typed["disk_lightglue"].model, MatcherModel)
    assert typed["disk_lightglue"].extractor == "disk"
    assert typed["disk"].swap.form is Form.native


def test_no_network_at_all() -> None:
    assert refused({}).cure == "network=[disk,disk_lightglue]"


def test_a_name_is_checked_before_anything_else() -> None:
    assert "unusable name" in refused({"a;id": 3}).what


def test_a_network_that_is_no_mapping() -> None:
    assert refused({"disk": 3}).what == "networks.disk is no mapping"


def test_a_matcher_without_its_extractor(networks: dict[str, Any]) -> None:
    del networks["disk"]
    error = refused(networks)
    assert "names a network that this run does not build" in error.what
    assert error.got == "disk"
    assert error.cure == "network=[disk,disk_lightglue]"


def test_a_matcher_that_takes_another_number_of_keypoints(networks: dict[str, Any]) -> None:
    networks["disk"]["model"]["keypoints"] = 512
    error = refused(networks)
    assert error.expected == "model.keypoints=512"
    assert error.got == 1024
    assert error.cure == "set networks.disk_lightglue.model.keypoints=512"


def test_both_with_another_number_of_keypoints(networks: dict[str, Any]) -> None:
    for network in networks.values():
        network["model"]["keypoints"] = 2048
    assert {network.model.keypoints for network in check_networks(networks).values()} == {2048}  # type: ignore[attr-defined]


def test_another_extractors_adapter_would_make_dvc_watch_the_wrong_file(networks: dict[str, Any]) -> None:
    networks["disk_lightglue"]["extractor_adapter"] = "lightglue"
    error = refused(networks)
    assert (error.expected, error.got) == ("disk", "lightglue")


def test_opset_16_has_no_native_layernorm(networks: dict[str, Any]) -> None:
    networks["disk_lightglue"]["export"] |= {"exporter": "torchscript", "opset": 16}
    error = refused(networks)
    assert "networks.disk_lightglue" in error.what
    assert "opset 17 or more" in str(error.expected)
    assert "layernorm=decomposed" in str(error.cure)


@pytest.mark.parametrize("form", ["decomposed", "island", "scaled"])
def test_opset_16_is_fine_for_a_form_without_the_operator_and_where_there_is_no_layernorm(
    form: str, networks: dict[str, Any]
) -> None:
    for network in networks.values():
        network["export"] |= {"exporter": "torchscript", "opset": 16}
    networks["disk_lightglue"]["swap"]["form"] = form
    assert check_networks(networks)["disk"].swap.form is Form.native


def test_opset_17_is_the_first_with_the_native_form(networks: dict[str, Any]) -> None:
    networks["disk_lightglue"]["export"]["opset"] = 17
    assert check_networks(networks)["disk_lightglue"].export.opset == 17


@pytest.mark.parametrize(("precision", "tf32"), [("fp32", True), ("tf32", False), ("fp32", None), ("tf32", None)])
def test_a_tf32_flag_that_contradicts_the_precision(
    networks: dict[str, Any], precision: str, tf32: bool | None
) -> None:
    networks["disk"]["cast"]["precision"] = precision
    networks["disk"]["build"]["tf32"] = tf32
    error = refused(networks)
    assert error.what == f"networks.disk.build.tf32 contradicts precision={precision}"
    assert error.expected == str(precision == "tf32").lower()
    assert "they follow the precision" in str(error.cure)


@pytest.mark.parametrize("tf32", [True, False])
def test_fp32_parts_of_another_precision_may_be_either(networks: dict[str, Any], tf32: bool) -> None:
    networks["disk"]["cast"]["precision"] = "fp16"
    networks["disk"]["build"]["tf32"] = tf32
    assert check_networks(networks)["disk"].build.tf32 is tf32


@pytest.mark.parametrize(("precision", "least"), [("bf16", "8.0"), ("fp16", "0")])
def test_gpus_that_lack_a_type_of_the_precision(networks: dict[str, Any], precision: str, least: str) -> None:
    networks["disk"]["cast"]["precision"] = precision
    networks["disk"]["build"]["compute_capabilities"] = ["7.5", "8.9"]
    if least == "0":
        assert check_networks(networks)
    else:
        error = refused(networks)
        assert (error.expected, error.got) == (f"{least} or later", ["7.5"])
