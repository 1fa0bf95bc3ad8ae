"""The schemas that Hydra composes against: typed, without a value of their own, every section following its axis."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf
from omegaconf.errors import ConfigAttributeError

from enginewright.config.models import MODELS, ModelConfig
from enginewright.config.network import AXES, SECTIONS
from enginewright.config.store import register


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """Return what `register` stored below `schema`."""
    register()
    found: dict[str, Any] = ConfigStore.instance().repo["schema"]
    return found


def type_of(node: Any) -> type:
    """Return the dataclass that a node is typed by."""
    found = OmegaConf.get_type(node)
    assert found is not None
    return found


@pytest.mark.parametrize("axis", AXES)
def test_every_key_of_an_axis_must_be_set_in_conf(axis: str, schemas: dict[str, Any]) -> None:
    node = schemas[axis]["schema.yaml"].node
    _, cls = AXES[axis]
    assert issubclass(type_of(node), cls)
    assert all(key in type_of(node).__name__ for key in node), "an error must name the keys"
    assert [item.name for item in fields(cls)] == list(node)
    assert all(OmegaConf.is_missing(node, key) for key in node)
    assert schemas[axis]["schema.yaml"].package == axis


@pytest.mark.parametrize("kind", MODELS)
def test_every_key_of_a_model_must_be_set_in_conf(kind: str, schemas: dict[str, Any]) -> None:
    node = schemas["model"][f"{kind}.yaml"].node
    assert issubclass(type_of(node), MODELS[kind])
    assert [key for key in node if not OmegaConf.is_missing(node, key)] == ["ranges"]


@pytest.mark.parametrize("kind", MODELS)
def test_a_range_can_be_given_for_an_axis_that_conf_does_not_list(kind: str, schemas: dict[str, Any]) -> None:
    config = OmegaConf.create({"model": schemas["model"][f"{kind}.yaml"].node})
    OmegaConf.set_struct(config, True)
    OmegaConf.update(config, "model.ranges.batch", [1, 4])
    assert config.model.ranges == {"batch": [1, 4]}
    with pytest.raises(ConfigAttributeError):
        OmegaConf.update(config, "model.rangs", {})


def test_each_key_of_a_networks_section_follows_its_axis(schemas: dict[str, Any]) -> None:
    node = schemas["network.yaml"].node
    plain: Any = OmegaConf.to_container(node, resolve=False)
    for axis, (section, cls) in AXES.items():
        wanted = {item.name: f"${{{axis}.{item.name}}}" for item in fields(cls)}
        if section == "build":
            wanted["tf32"] = "${tf32:${builder.tf32},${..cast.precision}}"  # where the builder's file leaves it open
        assert plain[section] == wanted


def test_a_networks_sections_are_typed(schemas: dict[str, Any]) -> None:
    node = schemas["network.yaml"].node
    for section, cls in SECTIONS.items():
        assert issubclass(type_of(node[section]), cls)
    assert issubclass(ModelConfig, OmegaConf.get_type(node, "model") or object)


def test_facts_without_an_axis_must_be_given(schemas: dict[str, Any]) -> None:
    node = schemas["network.yaml"].node
    assert all(OmegaConf.is_missing(node, key) for key in ("extractor", "extractor_adapter"))
    assert all(OmegaConf.is_missing(node.checkpoint, key) for key in ("source",))


def test_registering_again_changes_nothing() -> None:
    register()
    before = str(ConfigStore.instance().repo["schema"])
    register()
    assert str(ConfigStore.instance().repo["schema"]) == before
