"""A merged network: its parts are there, fit each other, and are named where they do not."""

from __future__ import annotations

import pytest

from enginewright.config.composed import composed
from enginewright.errors import ConfigError

BOTH = ["network=[disk,disk_lightglue,disk_merged]", "networks.disk.model.batch=2"]


def refused(*overrides: str) -> str:
    """Return what is told of a merged configuration with these overrides."""
    with pytest.raises(ConfigError) as caught:
        composed([*BOTH, *overrides])
    return str(caught.value)


def test_a_merged_network_is_wired_to_its_parts() -> None:
    config = composed(BOTH)
    assert config.merged_networks == {"disk_merged": {"extractor": "disk", "matcher": "disk_lightglue"}}
    assert list(config.torch_networks) == ["disk", "disk_lightglue"]
    assert config.matchers.disk_merged.features == "disk_merged"
    assert config.matchers.disk_merged.matcher == "disk_lightglue"
    assert config.matchers.disk_lightglue.features == "disk"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["networks.disk.model.batch=1"], ["twice the pairs", "set networks.disk.model.batch=2"]),
        (["networks.disk_lightglue.model.output=scores"], ["ends in matches", "model.output=matches"]),
        (["networks.disk_merged.model.matcher=disk"], ["merges other kinds", "disk: extractor, disk: extractor"]),
        (["networks.disk_merged.model.matcher=nobody"], ["names a network that this run does not build", "nobody"]),
        (["networks.disk_merged.model.batch=3"], ["disagree on the pairs of a call", "model.batch=1"]),
        (
            ["networks.disk_merged.swap.form=island"],
            ["disagree on the LayerNorm form", "networks.disk_merged.swap.form=native"],
        ),
        (
            ["networks.disk_lightglue.swap.form=scaled"],
            ["its part disk_lightglue", "networks.disk_merged.swap.form=scaled"],
        ),
        (["networks.disk_lightglue.export.opset=19"], ["two opsets", "networks.disk_lightglue.export.opset=20"]),
    ],
)
def test_parts_that_do_not_fit_are_refused_while_composing(overrides: list[str], words: list[str]) -> None:
    told = refused(*overrides)
    for word in words:
        assert word in told


def test_a_part_without_layernorms_may_have_any_form() -> None:
    assert composed([*BOTH, "networks.disk.swap.form=scaled"]).networks.disk_merged.swap.form.name == "native"


@pytest.mark.parametrize("form", ["decomposed", "island", "scaled"])
def test_one_override_gives_every_network_the_form(form: str) -> None:
    assert {network.swap.form.name for network in composed([*BOTH, f"layernorm={form}"]).networks.values()} == {form}


def test_a_matcher_of_another_extractor_is_refused() -> None:
    networks = "network=[disk,disk_lightglue,aliked_n16,aliked_n16_lightglue,disk_merged]"
    told = refused(networks, "networks.disk_merged.model.matcher=aliked_n16_lightglue")
    assert "does not feed it" in told
    assert "extractor: aliked_n16" in told
