"""Hydra's and OmegaConf's exceptions as our errors: what was wrong, what is allowed, without their noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hydra.errors import HydraException
from omegaconf import OmegaConf

from enginewright.config.composed import composed
from enginewright.config.refusals import as_error
from enginewright.errors import ConfigError, EnginewrightError


@dataclass
class Point:
    """A typed node to go wrong with."""

    x: int = 0
    y: int = 0


def caught(act: Callable[[], object]) -> Exception:
    """Return the exception that `act` ends in."""
    with pytest.raises(Exception) as found:  # noqa: PT011 - any of theirs
        act()
    assert isinstance(found.value, Exception)
    return found.value


def told(overrides: list[str]) -> ConfigError:
    """Return what a composition with these overrides tells."""
    with pytest.raises(ConfigError) as found:
        composed(overrides)
    return found.value


def test_an_error_of_ours_comes_out_as_it_was_however_deep() -> None:
    ours = ConfigError("the window has no centre", expected="odd", got=4, cure="set 5")

    def deep() -> None:
        try:
            raise ours
        except ConfigError as error:
            raise HydraException("while composing") from error

    assert as_error(caught(deep), []) is ours


def test_an_error_of_ours_is_found_where_it_was_only_the_context() -> None:
    ours = ConfigError("bad")

    def deep() -> None:
        try:
            raise ours
        except ConfigError:
            raise HydraException("while handling")  # noqa: B904 - the point of the test

    assert as_error(caught(deep), []) is ours


def test_an_unknown_key_is_answered_with_the_known_ones() -> None:
    error = as_error(caught(lambda: OmegaConf.merge(OmegaConf.structured(Point), {"z": 1})), ["p.z=1"])
    assert isinstance(error, ConfigError)
    assert "Key 'z' not in 'Point'" in error.what
    assert error.expected == ["x", "y"]
    assert error.got == "p.z=1"


def test_the_full_key_is_named_once() -> None:
    what = told(["export.opset=abc"]).what
    assert what.count("export.opset") == 1
    what = told(["export.opset=null"]).what
    assert what.count("export.opset") == 1


def test_a_value_that_was_never_given_is_named_by_its_full_key() -> None:
    assert "networks.disk.export.opset: Missing mandatory value" in told(["export.opset=???"]).what


def test_hydras_advice_to_force_a_key_in_is_left_out() -> None:
    text = str(told(["nosuch=1"]))
    assert "+nosuch" not in text
    assert "To append" not in text
    assert "'hydra'" not in text, "its own node is nothing that a user sets"


def test_hydras_search_path_is_left_out() -> None:
    text = str(told(["precision=int4"]))
    assert "search path" not in text
    assert "provider" not in text


def test_internal_notes_and_placeholders_are_left_out() -> None:
    for overrides in (["export.opset=abc"], ["export.opst=1"], ["precision.precision=int4"]):
        text = str(told(overrides))
        for noise in ("full_key", "reference_type", "object_type", "$KEY", "$VALUE"):
            assert noise not in text


def test_the_message_is_one_line_and_each_row_another() -> None:
    rows = str(told(["export.opst=18"])).split("\n")
    assert [row.split(":")[0].strip() for row in rows[1:]] == ["expected", "got", "cure"]


def test_options_of_a_list_group_are_named_and_not_its_shared_base() -> None:
    error = told(["network=[nosuch]"])
    assert isinstance(error.expected, list)
    assert {"disk", "disk_lightglue"} <= set(error.expected)
    assert "_base" not in error.expected


def test_without_overrides_the_files_are_named_as_what_was_got() -> None:
    assert as_error(HydraException("broken"), []).got == "conf/ as it stands"


def test_a_network_that_another_needs_is_named_with_the_cure() -> None:
    error = told(["network=[disk_lightglue]"])
    assert "a network needs disk" in error.what
    assert error.cure == "add it: network=[disk,...]"
    assert error.got == "network=[disk_lightglue]"


def test_an_exception_without_any_of_our_words_still_becomes_our_error() -> None:
    error = as_error(ValueError("Too many components"), [])
    assert isinstance(error, EnginewrightError)
    assert "Too many components" in error.what
    assert error.expected is None
