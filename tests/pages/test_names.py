from __future__ import annotations

import pytest

from enginewright.pages.names import joined


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["opset_18-precision_fp32", "opset_20-precision_fp32"], "opset_{18,20}-precision_fp32"),
        (["native-fp16", "native-fp32"], "native-{fp16,fp32}"),
        (["native-fp32", "scaled-fp32"], "{native,scaled}-fp32"),
        (["a", "b"], "a, b"),
        (["one", "one"], "one"),
        (["alone"], "alone"),
        ([], ""),
        (["a-b", "a-b-c"], "a-{b,b-c}"),
        (["a", "a-b"], "a, a-b"),
    ],
)
def test_names_that_differ_in_one_place_are_one_name(names: list[str], text: str) -> None:
    assert joined(names) == text
