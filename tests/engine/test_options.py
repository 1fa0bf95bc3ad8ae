"""Options against the real builder: what is set is set, what is not is the builder's own."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorrt_rtx as trt

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine.options import arguments
from enginewright.errors import ConfigError
from tests.engine.graphs import ROOT, normalised_top

CREATE = """
import json, sys
from enginewright.config.sections import BuildConfig
from enginewright.config.choices import Builder
from enginewright.engine import api, options
from enginewright.engine.profile import Range
trt = api.use(Builder.tensorrt_rtx)
from polygraphy.backend.trt import NetworkFromOnnxPath
from polygraphy.logger import G_LOGGER
G_LOGGER.module_severity = G_LOGGER.ERROR
build, ranges = (json.loads(text) for text in sys.argv[2:4])
builder, network, parser = NetworkFromOnnxPath(sys.argv[1], strongly_typed=True)()
profiles = options.profiles_of({name: Range(*shapes) for name, shapes in ranges.items()})
seen = {}
config = options.create_config(BuildConfig(**build), trt, {"profiles": profiles}, seen)(builder, network)
targets = [config.get_compute_capability(index).name for index in range(config.num_compute_capabilities)]
workspace = config.get_memory_pool_limit(trt.MemoryPoolType.WORKSPACE)
print(json.dumps([seen, targets, workspace, config.get_flag(trt.BuilderFlag.TF32), config.num_optimization_profiles]))
"""


def created(graph: Path, build: dict[str, Any], ranges: dict[str, Any] | None = None) -> list[Any]:
    """Return what the builder's configuration holds: resolved options, targets, workspace, TF32, profiles."""
    command = [sys.executable, "-c", CREATE, str(graph), json.dumps(build), json.dumps(ranges or {})]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return normalised_top(tmp_path_factory.mktemp("options") / "graph.onnx")


def test_unset_options_are_left_to_the_builder_but_tf32_which_is_off(graph: Path) -> None:
    seen, targets, workspace, tf32, profiles = created(graph, {})
    assert seen == {
        "hardware_compatible": False,
        "optimization_level": None,
        "strongly_typed": True,
        "tf32": False,
        "version_compatible": False,
        "workspace_mib": 65536,
    }
    assert (targets, workspace, tf32, profiles) == ([], 65536 << 20, False, 1)


def test_set_options_reach_the_builder(graph: Path) -> None:
    build = {"workspace_mib": 512, "tf32": True, "compute_capabilities": ["12.0", "8.9"]}
    seen, targets, workspace, tf32, _ = created(graph, build)
    assert targets == ["SM89", "SM120"]
    assert workspace == 512 << 20
    assert tf32 is True
    assert seen["workspace_mib"] == 512
    assert seen["tf32"] is True


def test_a_profile_reaches_the_builder(tmp_path: Path) -> None:
    graph = normalised_top(tmp_path / "graph.onnx", dynamic=True)
    assert created(graph, {}, {"x": [[1, 16, 32], [2, 64, 32], [4, 128, 32]]})[4] == 1


def test_nothing_set_is_no_argument() -> None:
    assert arguments(BuildConfig(), trt) == {}


def test_arguments_of_the_full_tensorrt() -> None:
    build = BuildConfig(
        builder=Builder.tensorrt,
        workspace_mib=1,
        optimization_level=0,
        version_compatible=True,
        hardware_compatible=True,
    )
    assert arguments(build, trt) == {
        "memory_pool_limits": {trt.MemoryPoolType.WORKSPACE: 1 << 20},
        "builder_optimization_level": 0,
        "version_compatible": True,
        "hardware_compatibility_level": trt.HardwareCompatibilityLevel.AMPERE_PLUS,
    }


def test_capabilities_are_pairs_of_numbers_in_order() -> None:
    build = BuildConfig(compute_capabilities=["12.1", "7.5"])
    assert arguments(build, trt) == {"compute_capabilities": [(7, 5), (12, 1)]}


def test_a_lacking_option_is_refused_even_past_the_section() -> None:
    build = BuildConfig()
    for field in dataclasses.fields(build):
        assert getattr(build, field.name) in (Builder.tensorrt_rtx, None, False, [])
    object.__setattr__(build, "hardware_compatible", True)
    with pytest.raises(
        ConfigError, match=r"build\.hardware_compatible is an option that the builder tensorrt_rtx lacks"
    ):
        arguments(build, trt)
