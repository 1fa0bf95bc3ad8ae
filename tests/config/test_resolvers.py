"""What Hydra calls while it composes: the checks that nothing gets around, the matchers, and the digests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from enginewright.config.composed import composed, params_text
from enginewright.config.digests import conf_sha256, values_sha256
from enginewright.config.params import read_networks
from enginewright.config.resolvers import CONF, register_resolvers
from enginewright.errors import ConfigError
from tests.config import routes


@pytest.fixture(scope="module")
def shipped() -> DictConfig:
    """Return conf/ as it composes."""
    return composed([])


def test_conf_is_this_checkouts() -> None:
    assert CONF == routes.CONF
    assert (CONF / "config.yaml").is_file()


def test_the_composition_says_which_conf_it_came_from(shipped: DictConfig) -> None:
    assert shipped.composed.conf_sha256 == conf_sha256(CONF)


def test_the_composition_carries_the_digest_of_all_its_values(shipped: DictConfig) -> None:
    values: Any = yaml.safe_load(params_text(shipped))
    del values["composed"]
    assert shipped.composed.values_sha256 == values_sha256(values)


@pytest.mark.parametrize(
    "overrides",
    [
        ["compare.max_abs=1e-7", "match.keypoint_px=1e-12", "precision.init_max=1e22"],
        ["data.seed=1", "simplify.timeout_s=1", "precision.fp32_nodes=['/norm/.*','a: b # c','yes','1e5','12:30:45']"],
        ["data=folder", "data.folder='my pairs/ä: [x]'"],
        ["builder=tensorrt", "builder.optimization_level=0", "builder.timing_cache=cache"],
        ["+networks.disk.model.options={depth: [1, 2.5, null, true], name: 'no'}"],
    ],
)
def test_stages_read_back_any_composition(overrides: list[str], tmp_path: Path) -> None:
    """Every odd float and word keeps its digest through the file, or the stage would call it edited."""
    params = tmp_path / "params.yaml"
    params.write_text(params_text(composed(overrides)), encoding="utf-8")
    assert list(read_networks(params, CONF)) == ["disk", "disk_lightglue"]


def test_matchers_are_the_networks_that_another_feeds(shipped: DictConfig) -> None:
    assert OmegaConf.to_container(shipped.matchers) == {
        "disk_lightglue": {
            "extractor": "disk",
            "matcher": "disk_lightglue",
            "features": "disk",
            "data": {"watch": "probe/scikit_image.json"},
        }
    }


def test_matchers_follow_the_data(shipped: DictConfig) -> None:
    config = composed(["data=folder", "data.folder=pairs"])
    assert config.matchers.disk_lightglue.data.watch == "pairs"


def test_an_extractor_alone_has_no_matchers() -> None:
    assert composed(["network=[disk]"]).matchers == {}


def test_a_sections_override_reaches_every_network_and_a_networks_own_only_that_one() -> None:
    networks = composed(["export.opset=18", "networks.disk.export.opset=19"]).networks
    assert (networks.disk.export.opset, networks.disk_lightglue.export.opset) == (19, 18)


def test_a_network_keeps_its_own_value_beside_the_axis(shipped: DictConfig) -> None:
    assert shipped.compare.outputs == {}
    assert shipped.networks.disk.compare.outputs == {"scores": 0.01}
    assert shipped.networks.disk_lightglue.compare.outputs == {}


def test_nothing_is_left_to_resolve(shipped: DictConfig) -> None:
    text = params_text(shipped)
    assert "${" not in text
    assert "???" not in text


def test_an_axis_is_checked_even_where_no_network_follows_it() -> None:
    """Each network has its own opset here, so only the check of the axis itself can see the bad one."""
    own = [f"networks.{name}.export.opset=18" for name in ("disk", "disk_lightglue")]
    with pytest.raises(ConfigError, match=r"export\.opset"):
        composed(["export.opset=24", *own])


@pytest.mark.parametrize("override", ["composed=1", "composed.values_sha256=x", "composed.conf_sha256=x", "~composed"])
def test_a_composition_whose_digests_were_forced_is_no_use_to_a_stage(override: str, tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(params_text(composed([override])))
    with pytest.raises(ConfigError, match=r"params\.yaml"):
        read_networks(params, CONF)


@pytest.mark.parametrize("override", ["composed=1", "composed.values_sha256=x", "~composed"])
def test_forced_digests_do_not_get_around_the_checks(override: str) -> None:
    with pytest.raises(ConfigError, match=r"export\.opset"):
        composed([override, "export.opset=24"])


def test_registering_again_changes_nothing(shipped: DictConfig) -> None:
    register_resolvers()
    register_resolvers()
    assert composed([]) == shipped


@pytest.mark.parametrize(
    ("overrides", "disk", "matcher"),
    [
        ([], False, False),
        (["precision=tf32"], True, True),
        (["networks.disk.cast.precision=tf32"], True, False),
        (["precision=fp16", "builder.tf32=true"], True, True),
        (["precision=tf32", "networks.disk.cast.precision=fp16"], False, True),
    ],
)
def test_the_builders_tf32_follows_the_precision_of_each_network(
    overrides: list[str], disk: bool, matcher: bool
) -> None:
    networks = composed(overrides).networks
    assert (networks.disk.build.tf32, networks.disk_lightglue.build.tf32) == (disk, matcher)
