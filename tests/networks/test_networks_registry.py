from __future__ import annotations

import subprocess
import sys

import pytest
from torch import nn

import networks
from enginewright.config.models import ModelConfig
from enginewright.contract import Contract, Kind
from enginewright.errors import NetworkError
from networks.disk import DiskAdapter
from networks.lightglue import LightGlueAdapter


def test_adapters_are_found_by_the_names_of_their_files() -> None:
    assert isinstance(networks.load("disk"), DiskAdapter)
    assert isinstance(networks.load("lightglue"), LightGlueAdapter)
    assert networks.load("disk") is networks.load("disk")


def test_what_is_no_network_is_not_offered() -> None:
    assert not {"__init__", "assignment", "layernorm"} & set(networks.names())


@pytest.mark.parametrize("name", networks.names())
def test_every_name_that_is_offered_can_be_loaded(name: str) -> None:
    assert networks.load(name)


@pytest.mark.parametrize(
    "name", ["dsik", "layernorm", "assignment", "__init__", "", "os", "../networks/disk", "disk.py"]
)
def test_an_unknown_adapter_is_refused_with_those_that_exist(name: str) -> None:
    with pytest.raises(NetworkError, match="unknown adapter") as caught:
        networks.load(name)
    assert caught.value.expected == networks.names()
    assert caught.value.got == name


def test_asking_for_names_does_not_import_torch() -> None:
    code = "import sys, networks; assert networks.names(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Plain(networks.Adapter[ModelConfig]):
    """An adapter with nothing of its own."""

    def module(self, model: ModelConfig) -> nn.Module:
        """Return a layer."""
        return nn.Linear(model.batch, 1)

    def contract(self, model: ModelConfig) -> Contract:
        """Return an empty contract."""
        return Contract(Kind.network, (), (), {"batch": model.batch})


def test_a_registered_adapter_is_returned_as_one_instance() -> None:
    assert networks.network("plain_for_registry")(Plain) is Plain
    adapter = networks.load("plain_for_registry")
    assert isinstance(adapter, Plain)
    assert adapter.contract(ModelConfig(adapter="plain", batch=3)).sizes == {"batch": 3}


def test_keys_are_kept_unless_an_adapter_says_otherwise() -> None:
    assert Plain().rename("layer.0.weight") == "layer.0.weight"


def test_an_adapter_must_say_module_and_contract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        networks.Adapter()  # type: ignore[abstract]


def test_a_file_that_registers_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(networks._REGISTRY, "disk")
    with pytest.raises(NetworkError, match=r"disk\.py registers no adapter") as caught:
        networks.load("disk")
    assert '@network("disk")' in str(caught.value.cure)
