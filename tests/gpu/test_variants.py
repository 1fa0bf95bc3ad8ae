"""The points of both axes."""

from __future__ import annotations

import pytest

from enginewright.config.choices import Form, Precision
from enginewright.errors import ConfigError
from enginewright.gpu.variants import Variant, variants_of


def test_an_axis_that_is_not_named_is_whole() -> None:
    found = variants_of(["a", "b"], [], [])
    assert len(found) == len(set(found)) == 2 * len(Form) * len(Precision)
    assert found[0] == Variant("a", "native", "fp32")


def test_chosen_points_keep_their_order() -> None:
    found = variants_of(["a"], ["scaled", "native"], ["fp16"])
    assert [variant.name for variant in found] == ["a-scaled-fp16", "a-native-fp16"]
    assert found[0].overrides == ["layernorm=scaled", "precision=fp16"]


@pytest.mark.parametrize(("forms", "precisions", "bad"), [(["natve"], [], "natve"), ([], ["fp61"], "fp61")])
def test_unknown_values_are_refused_with_what_there_is(forms: list[str], precisions: list[str], bad: str) -> None:
    with pytest.raises(ConfigError, match="unknown") as caught:
        variants_of(["a"], forms, precisions)
    assert caught.value.got == [bad]
    assert "native" in str(caught.value.expected) or "fp16" in str(caught.value.expected)
