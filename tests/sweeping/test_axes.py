"""From words to variants."""

from __future__ import annotations

import pytest

from enginewright.errors import ConfigError, NotAllowedError, SweepError
from enginewright.sweeping.axes import sweep_of


def test_a_named_sweep_has_the_axes_of_its_file() -> None:
    found = sweep_of("opset_precision", [])
    assert found.name == "opset_precision"
    assert len(found.variants) == 12
    assert found.variants[1].swept == ("networks.disk_lightglue.export.opset=18", "precision=fp16")
    assert found.variants[1].overrides[0] == "experiment=opset_precision"


def test_a_word_takes_the_place_of_an_axis() -> None:
    found = sweep_of("opset_precision", ["precision=int8", "data.seed=1"])
    assert len(found.variants) == 4
    assert all({"precision=int8", "data.seed=1"} <= set(variant.overrides) for variant in found.variants)
    assert all(len(variant.swept) == 1 for variant in found.variants)


def test_axes_keep_the_order_of_their_file() -> None:
    found = sweep_of("opset_precision", ["precision=int8,fp8"]).variants[0]
    assert found.swept == ("networks.disk_lightglue.export.opset=18", "precision=int8")


def test_hydras_own_syntax_makes_the_same() -> None:
    found = sweep_of(None, ["experiment=small", "export.opset=range(17,20)", "network=[disk],[disk,disk_lightglue]"])
    assert len(found.variants) == 6
    assert found.variants[0].swept == ("export.opset=17", "network=[disk]")


def test_a_named_sweep_can_be_called_by_its_experiment() -> None:
    assert sweep_of(None, ["experiment=opset_precision"]) == sweep_of("opset_precision", [])


@pytest.mark.parametrize("words", [[], ["precision=fp16"], ["experiment=small"]])
def test_nothing_swept_is_refused_with_an_example(words: list[str]) -> None:
    with pytest.raises(SweepError, match="SWEEP=opset_precision"):
        sweep_of(None, words)


@pytest.mark.parametrize("word", ["precision=glob(*)", "data.max_zoom=interval(1,2)"])
def test_what_is_no_list_is_refused(word: str) -> None:
    with pytest.raises(NotAllowedError, match="lists of values"):
        sweep_of(None, [word])


def test_an_unknown_name_is_refused_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match="opset_precision"):
        sweep_of("opset_precison", [])
