"""From plain mappings to dataclasses, as a stage reads params.yaml: nothing odd gets through."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from enginewright.config.choices import Exporter, MatcherOutput
from enginewright.config.models import ExtractorModel, MatcherModel, ModelConfig, NetworkModel
from enginewright.config.network import SECTIONS
from enginewright.config.sections import CheckpointConfig, CompareConfig, ExportConfig
from enginewright.config.typed import typed, typed_network, typed_section
from enginewright.errors import ConfigError
from tests.stage.project import composed_text

EXPORT = {"exporter": "dynamo", "opset": 20, "dynamic": False}


@pytest.fixture(scope="module")
def networks() -> dict[str, Any]:
    """Return the networks of a fresh params.yaml."""
    values: dict[str, Any] = yaml.safe_load(composed_text())["networks"]
    return values


def refused(values: Any, cls: type = ExportConfig) -> ConfigError:
    """Return the refusal of a section's values."""
    with pytest.raises(ConfigError) as caught:
        typed(cls, values, "networks.disk.export")
    return caught.value


def test_plain_values_become_the_dataclass() -> None:
    assert typed(ExportConfig, EXPORT, "k") == ExportConfig(Exporter.dynamo, 20, False)


def test_an_unknown_key_is_answered_with_the_known_ones() -> None:
    error = refused(EXPORT | {"opst": 18})
    assert "Key 'opst' not in 'ExportConfig'" in error.what
    assert "['exporter', 'opset', 'dynamic']" in str(error.expected)
    assert error.got == "networks.disk.export.opst"


@pytest.mark.parametrize(
    ("key", "value"), [("opset", "abc"), ("opset", 18.5), ("opset", None), ("dynamic", "maybe"), ("exporter", "jit")]
)
def test_a_wrong_type_is_told_with_its_full_key(key: str, value: object) -> None:
    assert refused(EXPORT | {key: value}).got == f"networks.disk.export.{key}"


def test_an_unknown_choice_is_answered_with_the_choices() -> None:
    assert "expected one of [torchscript, dynamo]" in refused(EXPORT | {"exporter": "jit"}).what


def test_a_range_is_checked_too() -> None:
    assert refused(EXPORT | {"opset": 99}).expected == "16 to 23"


@pytest.mark.parametrize("values", [None, 3, "opset: 18", ["opset"]])
def test_a_section_that_is_no_mapping(values: object) -> None:
    assert refused(values).what == "networks.disk.export is no mapping"


def test_a_value_that_must_be_given_and_is_not() -> None:
    assert "sha256" in str(refused({"source": "file", "path": "x"}, CheckpointConfig))


def test_an_interpolation_is_not_followed_out_of_the_section() -> None:
    assert "opset" in str(refused(EXPORT | {"opset": "${oc.env:HOME}"}))


def test_nested_values_keep_their_types() -> None:
    compare = typed(CompareConfig, {"outputs": {"scores": 1}}, "k")
    assert compare.outputs == {"scores": 1.0}
    assert isinstance(compare.outputs["scores"], float)
    assert "outputs" in str(refused({"outputs": {"scores": "x"}}, CompareConfig).got)


def test_the_result_holds_plain_containers() -> None:
    """Stages hand them to json and to other libraries."""
    model = typed(ModelConfig, {"adapter": "a", "ranges": {"batch": [1, 4]}, "options": {"depth": [1, {"x": 2}]}}, "k")
    assert type(model.ranges) is dict
    assert type(model.ranges["batch"]) is list
    assert type(model.options["depth"]) is list
    assert type(model.options["depth"][1]) is dict


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_params_yaml_loads(section: str, networks: dict[str, Any]) -> None:
    for name, network in networks.items():
        assert isinstance(typed_section(network, name, section), SECTIONS[section])


def test_the_model_is_of_its_adapters_class(networks: dict[str, Any]) -> None:
    assert type(typed_section(networks["disk"], "disk", "model")) is ExtractorModel
    matcher = typed_section(networks["disk_lightglue"], "disk_lightglue", "model")
    assert type(matcher) is MatcherModel
    assert matcher.output is MatcherOutput.matches
    assert type(typed_section({"model": {"adapter": "mine"}}, "mine", "model")) is NetworkModel


def test_a_missing_section_is_told_with_those_that_are_there(networks: dict[str, Any]) -> None:
    network = {key: value for key, value in networks["disk"].items() if key != "cast"}
    with pytest.raises(ConfigError, match=r"networks\.disk\.cast is missing") as caught:
        typed_section(network, "disk", "cast")
    assert "export" in str(caught.value.expected)


def test_a_whole_network(networks: dict[str, Any]) -> None:
    network = typed_network(networks["disk_lightglue"], "disk_lightglue")
    assert (network.extractor, network.extractor_adapter) == ("disk", "disk")
    assert network.export.exporter is Exporter.dynamo


def test_unknown_keys_of_a_network(networks: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="unknown keys") as caught:
        typed_network(networks["disk"] | {"opset": 18}, "disk")
    assert caught.value.got == ["opset"]
    assert "export" in str(caught.value.expected)


def test_a_network_that_is_no_mapping() -> None:
    with pytest.raises(ConfigError, match=r"networks\.disk is no mapping"):
        typed_network(3, "disk")  # type: ignore[arg-type]
