"""Open axes are refused while composing where they have no effect, or where a network cannot take a corner."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from omegaconf import OmegaConf

from enginewright.config.composed import composed
from enginewright.config.models import ModelConfig
from enginewright.config.network import NetworkConfig
from enginewright.config.rules import check_networks
from enginewright.config.shapes import check_shapes
from enginewright.errors import ConfigError
from tests.config.routes import ROOT, by_us
from tests.models import disk_model


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    """Return the networks of the shipped example of open axes."""
    plain: Any = OmegaConf.to_container(composed(["experiment=dynamic"]).networks, enum_to_str=True)
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


def with_ranges(networks: dict[str, Any], name: str, **ranges: list[int]) -> dict[str, Any]:
    """Return the networks with other ranges of some axes of one."""
    networks[name]["model"]["ranges"] |= ranges
    return networks


def test_the_shipped_example_passes(networks: dict[str, Any]) -> None:
    typed = check_networks(networks)
    assert set(typed["disk"].model.ranges) == {"batch", "height", "width"}
    assert set(typed["disk_lightglue"].model.ranges) == {"batch", "keypoints"}


@pytest.mark.parametrize("name", ["disk", "disk_lightglue"])
def test_ranges_of_a_static_graph_have_no_effect(networks: dict[str, Any], name: str) -> None:
    networks[name]["export"]["dynamic"] = False
    error = refused(networks)
    assert error.what == f"networks.{name}.model.ranges has no effect: its graph is static"
    assert "export.dynamic=true" in str(error.cure)


@pytest.mark.parametrize(("name", "axes"), [("disk", "batch, height, width"), ("disk_lightglue", "batch, keypoints")])
def test_an_open_graph_without_ranges_opens_nothing(networks: dict[str, Any], name: str, axes: str) -> None:
    networks[name]["model"]["ranges"] = {}
    error = refused(networks)
    assert f"networks.{name}.export.dynamic has no effect" in error.what
    assert error.expected == f"a range for one or more of {axes}"


def test_the_cure_of_that_composes() -> None:
    error = by_us(["export.dynamic=true"])
    assert error.text is None
    assert "networks.disk.model.ranges.batch=[1,4], or networks.disk.export.dynamic=false" in error.told
    cured = ["networks.disk.model.ranges.batch=[1,4]", "networks.disk_lightglue.export.dynamic=false"]
    assert by_us(["export.dynamic=true", *cured]).text is not None


def test_one_axis_may_be_open_and_the_others_fixed(networks: dict[str, Any]) -> None:
    for network in networks.values():
        network["model"]["ranges"] = {"batch": [1, 2]}
    assert check_networks(networks)["disk"].model.ranges == {"batch": [1, 2]}


@pytest.mark.parametrize(
    ("name", "axis", "cure"),
    [
        ("disk", "channels", "leave it out"),
        ("disk", "keypoints", "set networks.disk.model.keypoints"),
        ("disk", "hight", "leave it out"),
        ("disk_lightglue", "height", "leave it out"),
        ("disk_lightglue", "images", "give networks.disk_lightglue.model.ranges.batch: images follow it"),
    ],
)
def test_an_axis_that_the_kind_cannot_open(networks: dict[str, Any], name: str, axis: str, cure: str) -> None:
    error = refused(with_ranges(networks, name, **{axis: [1, 2000]}))
    assert "names an axis that this network cannot leave open" in error.what
    assert error.got == axis
    assert cure in str(error.cure)


@pytest.mark.parametrize(("pair", "cure"), [([400, 640], "height=[384,640], or"), ([256, 368], "height=[256,384], or")])
def test_a_range_that_leaves_out_the_static_size(networks: dict[str, Any], pair: list[int], cure: str) -> None:
    error = refused(with_ranges(networks, "disk", height=pair))
    assert "networks.disk.model.ranges.height leaves out the static size" in error.what
    assert (error.expected, error.got) == ("min <= 384 <= max", pair)
    assert cure in str(error.cure)


@pytest.mark.parametrize(
    ("axis", "pair", "nearest"),
    [
        ("height", [250, 640], "[256,640]"),
        ("height", [256, 650], "[256,656]"),
        ("width", [3, 639], "[16,640]"),
        ("width", [265, 1023], "[272,1024]"),
    ],
)
def test_an_end_that_is_no_multiple_is_refused_with_the_nearest(
    networks: dict[str, Any], axis: str, pair: list[int], nearest: str
) -> None:
    error = refused(with_ranges(networks, "disk", **{axis: pair}))
    assert (error.expected, error.got) == ("multiples of 16", pair)
    assert error.cure == f"set networks.disk.model.ranges.{axis}={nearest}"


def test_k_above_the_pixels_of_the_smallest_image_is_refused_with_the_largest_that_fits(
    networks: dict[str, Any],
) -> None:
    error = refused(with_ranges(networks, "disk", height=[16, 640], width=[16, 640]))
    assert error.expected == "1 to 144 at height=16, width=16"
    assert error.got == 512
    assert "set networks.disk.model.keypoints=144" in str(error.cure)
    networks["disk"]["model"]["keypoints"] = networks["disk_lightglue"]["model"]["keypoints"] = 144
    assert check_networks(networks)["disk"].model.ranges["height"] == [16, 640]


def test_a_window_that_leaves_the_smallest_image(networks: dict[str, Any]) -> None:
    networks["disk"]["model"]["window"] = 33
    error = refused(with_ranges(networks, "disk", height=[16, 640]))
    assert "networks.disk cannot take the smallest image of its ranges, height=16, width=256" in error.what
    assert "model.window" in error.what


@pytest.mark.parametrize(("size", "most"), [((512, 512), 3840), ((16, 16), 144), ((4, 64), 0), ((4, 4), 0)])
def test_the_largest_k_is_the_pixels_inside_or_the_limit_of_tensorrt(size: tuple[int, int], most: int) -> None:
    assert disk_model().most_keypoints(*size) == most


@pytest.mark.parametrize(
    ("height", "width", "high", "most"), [(384, 512, 4000, 3840), (64, 64, 3841, 3600), (64, 64, 3601, 3600)]
)
def test_a_matcher_cannot_have_more_than_its_extractor_finds(
    networks: dict[str, Any], height: int, width: int, high: int, most: int
) -> None:
    networks["disk"]["model"] |= {"height": height, "width": width, "ranges": {"batch": [1, 4]}}
    error = refused(with_ranges(networks, "disk_lightglue", keypoints=[128, high]))
    assert "networks.disk_lightglue.model.ranges.keypoints is more than disk can find" in error.what
    assert error.cure == f"set networks.disk_lightglue.model.ranges.keypoints=[128,{most}]"
    check_networks(with_ranges(networks, "disk_lightglue", keypoints=[128, most]))


def test_a_batch_above_the_limit(networks: dict[str, Any]) -> None:
    error = refused(with_ranges(networks, "disk", batch=[1, 300]))
    assert (error.expected, error.cure) == ("1 to 256", "set networks.disk.model.ranges.batch=[1,256]")


@pytest.mark.parametrize("pair", [[4, 1], [0, 4], [1], [1, 2, 3]])
def test_what_is_no_range(networks: dict[str, Any], pair: list[int]) -> None:
    assert "model.ranges.batch is no range" in refused(with_ranges(networks, "disk", batch=pair)).what


def test_what_the_corners_keep_in_memory_is_bounded(networks: dict[str, Any]) -> None:
    error = refused(with_ranges(networks, "disk", batch=[1, 249], height=[256, 512], width=[256, 512]))
    assert error.expected == "at most 1024 MiB in all"
    assert error.got == f"{250 * 12 * (256 + 512) ** 2 >> 20} MiB"
    check_networks(with_ranges(networks, "disk", batch=[1, 100]))


def test_score_matrices_count_too(networks: dict[str, Any]) -> None:
    with_ranges(networks, "disk_lightglue", batch=[1, 32], keypoints=[128, 2048])
    check_networks(networks)
    networks["disk_lightglue"]["model"]["output"] = "scores"
    assert "disk_lightglue" in refused(with_ranges(networks, "disk_lightglue", batch=[1, 80])).what


def test_axes_of_another_kind_of_network_are_for_its_adapter_to_know(networks: dict[str, Any]) -> None:
    plain = check_networks(networks)["disk"]
    model = ModelConfig("tiny", batch=2, ranges={"rows": [1, 64], "batch": [1, 4]})
    check_shapes("tiny", of_kind(plain, model), {})
    with pytest.raises(ConfigError, match="leaves out the static size"):
        check_shapes("tiny", of_kind(plain, ModelConfig("tiny", ranges={"batch": [2, 4]})), {})


def of_kind(network: NetworkConfig, model: ModelConfig) -> NetworkConfig:
    return replace(network, model=model)


def test_a_refusal_needs_no_torch() -> None:
    code = (
        "import sys\nfrom enginewright.config.composed import composed\n"
        "from enginewright.errors import ConfigError\n"
        "try:\n    composed(['experiment=dynamic', 'networks.disk.model.ranges.width=[100,640]'])\n"
        "except ConfigError as error:\n    print(error.cure, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set networks.disk.model.ranges.width=[96,640] False"
