"""A stage that runs an adapter depends on the versions of what the adapter imports."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import networks
from enginewright.adapter_packages import adapter_versions
from enginewright.probing import NETWORKS, probe

ADAPTER = """
from __future__ import annotations
import os.path, safetensors.torch
import torch
from networks.parts import assignment
from enginewright.contract import Contract
from . import sibling

def module():
    import PIL.Image
    from yaml import safe_load
    import no_such_package_anywhere
"""


def test_every_package_beside_torch_is_found_with_its_version(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(ADAPTER)
    found = adapter_versions(tmp_path)["mine"]
    assert found == {
        "PIL": f"pillow {version('pillow')}",
        "no_such_package_anywhere": None,
        "safetensors": version("safetensors"),
        "yaml": f"PyYAML {version('PyYAML')}",
    }


def test_a_file_that_does_not_parse_has_none_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (:")
    (tmp_path / "plain.py").write_text("import torch\n")
    assert adapter_versions(tmp_path) == {"broken": {}, "plain": {}}


def test_each_network_has_a_probe_file() -> None:
    found = {name.removeprefix("adapter_") for name in probe() if name.startswith("adapter_")}
    assert found >= set(networks.names())


def test_our_networks_need_torch_alone() -> None:
    assert not any(adapter_versions(NETWORKS).values())
