"""Among others: what support.py says of tensorrt_rtx, measured again with the installed one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine.gpu import Gpu
from enginewright.engine.support import (
    LACKS,
    RTX_CAPABILITIES,
    RTX_DEFAULT,
    Targets,
    refuse_capabilities,
    refuse_lacking,
    targets,
    version_key,
)
from enginewright.errors import ConfigError
from tests.engine.graphs import normalised_top

HOPPER = Gpu("NVIDIA H200", "9.0", "580.1")

LACKING = {
    "optimization_level": 0,
    "version_compatible": True,
    "hardware_compatible": True,
    "timing_cache": "caches",
    "timing_cache_sha256": "0" * 64,
}


@pytest.mark.parametrize(("name", "value"), LACKING.items())
def test_options_that_rtx_lacks_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_lacking(Builder.tensorrt_rtx, {name: value})
    assert f"build.{name} is an option that the builder tensorrt_rtx lacks" in str(caught.value)
    assert "builder=tensorrt" in str(caught.value)
    refuse_lacking(Builder.tensorrt, {name: value})


def test_the_table_lists_just_those() -> None:
    assert set(LACKS[Builder.tensorrt_rtx]) == set(LACKING)
    assert set(LACKS[Builder.tensorrt]) == {"compute_capabilities"}
    assert set().union(*LACKS.values()) <= set(vars(BuildConfig()))


def test_capabilities_are_refused_on_the_full_tensorrt() -> None:
    with pytest.raises(ConfigError, match=r"build\.compute_capabilities is an option that the builder tensorrt lacks"):
        BuildConfig(builder=Builder.tensorrt, compute_capabilities=["8.9"])


@pytest.mark.parametrize("value", [0, 3, 5])
def test_the_section_itself_refuses(value: int) -> None:
    with pytest.raises(ConfigError, match="optimization_level"):
        BuildConfig(optimization_level=value)
    assert BuildConfig(builder=Builder.tensorrt, optimization_level=value).optimization_level == value


def test_unset_options_pass() -> None:
    for builder in Builder:
        refuse_lacking(builder, vars(BuildConfig(builder=builder)))


def test_a_pin_without_a_cache_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"build\.timing_cache is missing"):
        BuildConfig(builder=Builder.tensorrt, timing_cache_sha256="0" * 64)


@pytest.mark.parametrize("values", [["9.0"], ["8.9", "89"], ["8.9", "8.9"], [""]])
def test_wrong_capabilities_are_refused_with_the_allowed_ones(values: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_capabilities(Builder.tensorrt_rtx, values)
    assert "7.5, 8.0, 8.6, 8.9, 12.0, 12.1" in str(caught.value)
    with pytest.raises(ConfigError):
        BuildConfig(compute_capabilities=values)


def test_targets_of_rtx_are_the_default_or_those_asked_for_in_order() -> None:
    assert targets(Builder.tensorrt_rtx, [], False, None) == Targets(RTX_DEFAULT, True)
    assert targets(Builder.tensorrt_rtx, ["12.0", "8.9"], False, None) == Targets(("8.9", "12.0"), False)


def test_targets_of_the_full_tensorrt_are_this_machines_gpu() -> None:
    assert targets(Builder.tensorrt, [], False, HOPPER) == Targets(("9.0",), False)
    assert targets(Builder.tensorrt, [], True, HOPPER) == Targets(("8.0",), True)
    assert targets(Builder.tensorrt, [], False, None) == Targets((), False)


@pytest.mark.parametrize(
    ("capability", "default", "ada", "portable"),
    [
        ("7.5", False, False, False),
        ("8.0", True, False, True),
        ("8.9", True, True, True),
        ("9.0", False, False, True),
        ("10.0", False, False, True),
        ("12.0", True, False, True),
        ("12.3", True, False, True),
        ("13.0", True, False, True),
    ],
)
def test_which_gpus_are_included(capability: str, default: bool, ada: bool, portable: bool) -> None:
    assert Targets(RTX_DEFAULT, True).include(capability) is default
    assert Targets(("8.9",), False).include(capability) is ada
    assert Targets(("8.0",), True).include(capability) is portable
    assert not Targets((), False).include(capability)


def test_targets_read_well() -> None:
    assert str(Targets(RTX_DEFAULT, True)) == "8.0, 8.6, 8.9, 12.0, 12.1 and later"
    assert str(Targets(("8.9",), False)) == "8.9"


def test_versions_compare_by_number() -> None:
    assert version_key("1.10.0") > version_key("1.9.9.116")
    assert version_key("12.0") > version_key("8.9")


MEASURE = """
import hashlib, json, sys, warnings
import tensorrt_rtx as trt

warnings.simplefilter("ignore")
messages = []


class Log(trt.ILogger):
    def __init__(self):
        trt.ILogger.__init__(self)

    def log(self, severity, message):
        messages.append(message)


def build(change, look=lambda config: None):
    builder = trt.Builder(log := Log())
    network = builder.create_network(0)
    assert trt.OnnxParser(network, log).parse_from_file(sys.argv[1])
    config = builder.create_builder_config()
    change(config)
    plan = builder.build_serialized_network(network, config)
    look(config)
    return plan and bytes(plan)


C = trt.ComputeCapability
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return normalised_top(tmp_path_factory.mktemp("support") / "graph.onnx")


def measured(graph: Path, code: str) -> Any:
    """Return what `code`, which may call build(change), prints as JSON in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE + code, str(graph)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_capabilities_are_those_of_the_installed_rtx(graph: Path) -> None:
    names = measured(graph, "print(json.dumps([n for n in C.__members__ if n.startswith('SM')]))")
    assert names == [f"SM{capability.replace('.', '')}" for capability in RTX_CAPABILITIES]


def test_the_default_is_built_for_the_capabilities_that_the_header_lists(graph: Path) -> None:
    """The plan's header has a bit for each capability; one more stands for every later GPU."""
    code = """
def mask(*capabilities):
    def change(config):
        config.num_compute_capabilities = len(capabilities)
        for index, name in enumerate(capabilities):
            assert config.set_compute_capability(getattr(C, name), index)
    return build(change if capabilities else lambda config: None)[32]
print(json.dumps([mask(), mask("SM80", "SM86", "SM89", "SM120", "SM121"), mask("SM89")]))
"""
    default, explicit, ada = measured(graph, code)
    assert explicit.bit_count() == len(RTX_DEFAULT)
    assert ada.bit_count() == 1
    assert default & explicit == explicit
    assert (default & ~explicit).bit_count() == 1


def test_optimisation_levels_change_nothing(graph: Path) -> None:
    digests = [
        measured(
            graph,
            f"def change(config): config.builder_optimization_level = {level}\n"
            "print(json.dumps(hashlib.sha256(build(change)).hexdigest()))",
        )
        for level in (0, 5)
    ]
    assert digests[0] == digests[1]


def test_version_compatibility_wants_a_runtime_that_is_not_there(graph: Path) -> None:
    code = """
engine = build(lambda config: config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE))
print(json.dumps([engine is None, [m for m in messages if "lean" in m]]))
"""
    failed, messages = measured(graph, code)
    assert failed
    assert "libnvinfer_lean" in messages[0]


def test_hardware_compatibility_is_ignored_by_rtx(graph: Path) -> None:
    code = """
seen = []
def change(config):
    config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.AMPERE_PLUS
    seen.append(config.hardware_compatibility_level.name)
build(change)
print(json.dumps([seen, [m for m in messages if "unsupported" in m]]))
"""
    seen, messages = measured(graph, code)
    assert seen == ["NONE"]
    assert "setHardwareCompatibilityLevel() is unsupported in TensorRT-RTX." in messages


def test_a_timing_cache_holds_nothing_after_a_build(graph: Path) -> None:
    code = """
sizes = []
look = lambda config: sizes.append(len(bytes(config.get_timing_cache().serialize())))
def change(config):
    config.set_timing_cache(config.create_timing_cache(b""), False)
    look(config)
build(change, look)
print(json.dumps(sizes))
"""
    before, after = measured(graph, code)
    assert before == after
