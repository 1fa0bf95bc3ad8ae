"""Every known blocker has a cure of its own, and any other one a general one."""

from __future__ import annotations

import re

import pytest

import networks
from enginewright.config.models import MAX_KEYPOINTS
from enginewright.preflight.cures import CURES, cure_for


@pytest.mark.parametrize(
    ("operator", "message", "says"),
    [
        ("NonZero", "anything", "validity mask"),
        ("Compress", "anything", "validity mask"),
        ("TopK", "K exceeds the maximum value allowed (3840)", f"model.keypoints={MAX_KEYPOINTS}"),
        ("TopK", "length of reduction axis (16) is smaller than K (32)", "no larger than the axis"),
        ("DeformConv", "Plugin not found", "grid_sample"),
        ("Attention", "no dedicated kernel", "export.opset=22"),
        ("Resize", "Plugin not found", "the builder has no plugin"),
        ("Gather", "Found unsupported input type of UINT8", "Cast to float32"),
        ("Cast", "Failed to convert ONNX date type: data type", "float32, float16"),
        ("Add", "must have same input types", "one type"),
        ("Cast", "has datatype FP8 but is not produced by IQuantizeLayer", "pairs of QuantizeLinear"),
        ("QuantizeLinear", "Please set kENABLE_UINT8", "zero point 0"),
        ("DequantizeLinear", "Found unsupported input type of UINT8", "zero point 0"),
        ("MatMul", "last dimension of input0 = 8 and second to last of input1 = 7 but must match", "do not fit"),
        ("MatMul", "kMIN values for profile 0 violate", "model.ranges"),
        ("Conv", "its stored tensor w is broken", "export it again"),
        ("graph", "Failed to sort the model topologically.", "onnx.checker"),
        ("NonZero", "the builder's process dies of it: SIGSEGV", "constant zero"),
    ],
)
def test_a_cure(operator: str, message: str, says: str) -> None:
    assert says in cure_for(operator, message)


def test_any_other_operator_gets_a_general_cure_that_names_it() -> None:
    cure = cure_for("StringNormalizer", "the parser has no way to import this operator")
    assert "without this StringNormalizer" in cure
    assert "export.opset" in cure


def test_a_file_has_cures_that_are_true_of_files() -> None:
    cure = cure_for("Attention", "no dedicated kernel", file=True)
    assert "precision=fp16" in cure
    assert "export the file again" in cure
    assert "export.opset" not in cure
    assert cure_for("TopK", "exceeds the maximum", file=True) == cure_for("TopK", "exceeds the maximum")
    assert "export the file again" in cure_for("StringNormalizer", "the parser has no way to import it", file=True)


def test_no_row_hides_behind_an_earlier_one_of_the_same_patterns() -> None:
    assert len({(operator, says) for operator, says, _ in CURES}) == len(CURES)
    assert all(cure == cure.strip() != "" for _, _, cure in CURES)


def test_the_files_that_cures_name_are_there() -> None:
    assert networks.__file__
    folder = networks.__path__[0]
    named = {path for _, _, cure in CURES for path in re.findall(r"networks/[\w/]+\.py", cure)}
    assert named
    for path in named:
        with open(f"{folder}/{path.removeprefix('networks/')}", encoding="utf-8") as file:  # noqa: PTH123
            assert file.read(1)
