"""What a stage is given: the sections that it declared, typed, and nothing else."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
import yaml

from enginewright.config.choices import Exporter
from enginewright.config.models import ExtractorModel, MatcherModel, ModelConfig
from enginewright.config.network import SECTIONS
from enginewright.config.sections import CompareConfig, ExportConfig
from enginewright.errors import ConfigError
from enginewright.stage import Stage
from tests.stage.project import composed_text


@pytest.fixture(scope="module")
def networks() -> dict[str, Any]:
    """Return the networks of a fresh params.yaml."""
    values: dict[str, Any] = yaml.safe_load(composed_text())["networks"]
    return values


def stage(networks: dict[str, Any], *sections: str, network: str = "disk_lightglue") -> Stage:
    """Return a stage that declares `sections`."""
    return Stage(network, networks, sections, {}, {})


def test_a_declared_section_comes_typed(networks: dict[str, Any]) -> None:
    section = stage(networks, "export").section(ExportConfig)
    assert section == ExportConfig(Exporter.dynamo, 20, False)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_can_be_declared_and_read(networks: dict[str, Any], name: str) -> None:
    assert isinstance(stage(networks, name).section(SECTIONS[name]), SECTIONS[name])


def test_an_undeclared_section_is_refused_since_dvc_would_miss_its_changes(networks: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="reads compare undeclared") as caught:
        stage(networks, "export").section(CompareConfig)
    assert caught.value.cure == "add it to SECTIONS"
    assert caught.value.expected == ("export",)


def test_the_model_is_of_its_networks_class_by_whatever_class_it_is_asked(networks: dict[str, Any]) -> None:
    reading = stage(networks, "model")
    assert type(reading.section(ModelConfig)) is MatcherModel
    assert type(reading.section(MatcherModel)) is MatcherModel


def test_the_extractors_model_is_another_declaration(networks: dict[str, Any]) -> None:
    assert type(stage(networks, "extractor.model").extractor_model()) is ExtractorModel
    with pytest.raises(ConfigError, match=r"extractor\.model undeclared"):
        stage(networks, "model").extractor_model()
    with pytest.raises(ConfigError, match="model undeclared"):
        stage(networks, "extractor.model").section(ModelConfig)


def test_an_extractor_feeds_itself(networks: dict[str, Any]) -> None:
    own = stage(networks, "extractor.model", network="disk")
    assert own.extractor == "disk"
    assert type(own.extractor_model()) is ExtractorModel
    assert stage(networks).extractor == "disk"


def test_an_unknown_network_is_answered_with_the_known_ones(networks: dict[str, Any]) -> None:
    unknown = stage(networks, "export", "extractor.model", network="disc")
    for read in (lambda: unknown.section(ExportConfig), unknown.extractor_model):
        with pytest.raises(ConfigError, match="unknown network") as caught:
            read()
        assert caught.value.expected == ["disk", "disk_lightglue"]
        assert caught.value.got == "disc"


def test_values_that_do_not_fit_are_refused_with_their_full_key(networks: dict[str, Any]) -> None:
    broken = {"disk": networks["disk"] | {"export": {"opset": "abc"}}}
    with pytest.raises(ConfigError) as caught:
        stage(broken, "export", network="disk").section(ExportConfig)
    assert caught.value.got == "networks.disk.export.opset"


def test_a_section_that_is_not_there(networks: dict[str, Any]) -> None:
    broken = {"disk": {key: value for key, value in networks["disk"].items() if key != "export"}}
    with pytest.raises(ConfigError, match=r"networks\.disk\.export is missing"):
        stage(broken, "export", network="disk").section(ExportConfig)


def test_a_stage_is_frozen(networks: dict[str, Any]) -> None:
    given = Stage("disk", networks, (), {"graph": Path("a.onnx")}, {})
    with pytest.raises(FrozenInstanceError):
        given.network = "other"  # type: ignore[misc]
    assert given.inputs["graph"] == Path("a.onnx")
