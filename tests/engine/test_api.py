from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from enginewright.config.choices import Builder
from enginewright.engine import api
from enginewright.errors import RequirementError
from tests.engine.graphs import ROOT


def in_a_new_process(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python code that may import Polygraphy, which settles on a builder once in a process."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


USE = "from enginewright.config.choices import Builder; from enginewright.engine import api; "


def test_using_rtx_returns_its_module_and_tells_polygraphy() -> None:
    code = USE + (
        "module = api.use(Builder.tensorrt_rtx); import polygraphy.config as c; "
        "from polygraphy.backend.trt import loader; print(module.__name__, c.USE_TENSORRT_RTX, loader.trt.__version__)"
    )
    done = in_a_new_process(code, POLYGRAPHY_USE_TENSORRT_RTX="0")
    assert done.stdout.split()[:2] == ["tensorrt_rtx", "True"]
    assert done.stdout.split()[2].startswith("1.")


def test_using_it_twice_is_fine() -> None:
    done = in_a_new_process(
        USE + "a = api.use(Builder.tensorrt_rtx); import polygraphy; print(api.use(a and Builder.tensorrt_rtx) is a)"
    )
    assert done.stdout == "True\n"


def test_polygraphy_imported_before_is_told_as_long_as_it_has_bound_no_builder() -> None:
    code = (
        "from polygraphy.comparator import Comparator; "
        + USE
        + ("api.use(Builder.tensorrt_rtx); from polygraphy.backend.trt import loader; print(loader.trt.__version__)")
    )
    done = in_a_new_process(code, POLYGRAPHY_USE_TENSORRT_RTX="0")
    assert done.stdout.startswith("1."), done.stderr


def test_polygraphys_loaders_imported_for_the_other_builder_are_an_error() -> None:
    code = "import polygraphy.backend.trt; " + USE + "api.use(Builder.tensorrt_rtx)"
    done = in_a_new_process(code, POLYGRAPHY_USE_TENSORRT_RTX="0")
    assert done.returncode == 1
    assert "RequirementError: Polygraphy was imported for another builder than tensorrt_rtx" in done.stderr
    assert "USE_TENSORRT_RTX=False" in done.stderr
    assert "before polygraphy.backend.trt is imported" in done.stderr


@pytest.mark.skipif(importlib.util.find_spec("tensorrt") is not None, reason="the full TensorRT is installed")
def test_a_missing_package_names_the_target_that_installs_it() -> None:
    with pytest.raises(RequirementError, match="the builder tensorrt cannot be imported") as caught:
        api.use(Builder.tensorrt)
    assert "make setup-tensorrt" in str(caught.value)
    assert caught.value.expected == "the Python package tensorrt"


def test_the_environment_of_a_build_holds_nothing_that_changes_engines() -> None:
    inherited = {
        "PATH": "/bin",
        "CUDA_VISIBLE_DEVICES": "1",
        "NVIDIA_TF32_OVERRIDE": "0",
        "TRT_INTERNAL_OPTIONS": "x",
        "POLYGRAPHY_AUTOINSTALL_DEPS": "1",
        "PYTHONHASHSEED": "7",
        "PYTHONMALLOC": "malloc",
        "PYTHONDEVMODE": "1",
        "PYTHONPATH": "lib",
        "MALLOC_ARENA_MAX": "1",
        "GLIBC_TUNABLES": "glibc.malloc.arena_max=1",
    }
    assert api.environment(Builder.tensorrt_rtx, inherited) == {
        "PATH": "/bin",
        "CUDA_VISIBLE_DEVICES": "1",
        "POLYGRAPHY_USE_TENSORRT_RTX": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": "lib",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    }
    assert api.environment(Builder.tensorrt, {})["POLYGRAPHY_USE_TENSORRT_RTX"] == "0"
    assert inherited["NVIDIA_TF32_OVERRIDE"] == "0"
