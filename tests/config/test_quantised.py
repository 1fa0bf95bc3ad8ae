"""Which keys each precision has a use for, and which types its graph will have."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from enginewright.config.choices import Calibration, Precision, Rest
from enginewright.config.quantised import OP_TYPES, PRODUCTS, reduced_types_of
from enginewright.config.sections import CastConfig
from enginewright.config.typed import typed
from enginewright.errors import ConfigError
from tests.config.routes import CONF

QUANTISED: dict[str, Any] = {"op_types": list(PRODUCTS), "calibration": Calibration.max, "rest": Rest.fp16}
FLOATING = [precision for precision in Precision if precision not in OP_TYPES]


def refused(precision: Precision, **keys: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        CastConfig(precision, **keys)
    return caught.value


@pytest.mark.parametrize("precision", Precision)
def test_what_conf_sets_for_a_precision_passes(precision: Precision) -> None:
    values = yaml.safe_load((CONF / "precision" / f"{precision.name}.yaml").read_text(encoding="utf-8"))
    found = typed(CastConfig, {key: value for key, value in values.items() if key != "defaults"}, "cast")
    assert found.precision is precision
    assert (found.rest is None) is (precision in FLOATING)


@pytest.mark.parametrize("precision", FLOATING)
@pytest.mark.parametrize("key", [*QUANTISED, "float_nodes"])
def test_a_key_of_quantisation_is_refused_where_nothing_is_quantised(precision: Precision, key: str) -> None:
    error = refused(precision, **{key: QUANTISED.get(key, [".*"])})
    assert error.what == f"cast.{key} has no use at precision={precision.name}, which quantises nothing"
    assert "int8, fp8" in str(error.expected)
    assert error.cure == f"leave cast.{key} out, or precision=int8"


@pytest.mark.parametrize("precision", OP_TYPES)
@pytest.mark.parametrize("key", ["calibration", "rest"])
def test_a_precision_that_quantises_needs_them(precision: Precision, key: str) -> None:
    error = refused(precision, **{name: value for name, value in QUANTISED.items() if name != key})
    assert error.what == f"cast.{key} is missing"
    assert f"precision={precision.name}" in str(error.cure)


@pytest.mark.parametrize("precision", OP_TYPES)
@pytest.mark.parametrize("op_types", [[], ["Add"], ["MatMul", "Softmax"], ["matmul"]])
def test_operators_are_those_that_modelopt_can_and_a_product_among_them(
    precision: Precision, op_types: list[str]
) -> None:
    error = refused(precision, **(QUANTISED | {"op_types": op_types}))
    assert ", ".join(OP_TYPES[precision]) in str(error.expected)
    assert error.got == op_types
    assert CastConfig(precision, **(QUANTISED | {"op_types": ["MatMul", "Add"]})).op_types == ["MatMul", "Add"]


def test_more_operators_can_be_int8_than_fp8() -> None:
    assert CastConfig(Precision.int8, **(QUANTISED | {"op_types": ["Conv", "MaxPool"]}))
    assert "MaxPool" in str(refused(Precision.fp8, **(QUANTISED | {"op_types": ["Conv", "MaxPool"]})).got)


def test_entropy_is_for_int8_only() -> None:
    assert CastConfig(Precision.int8, **(QUANTISED | {"calibration": Calibration.entropy}))
    error = refused(Precision.fp8, **(QUANTISED | {"calibration": Calibration.entropy}))
    assert (error.expected, error.got) == ("max", "entropy")


def test_patterns_of_nodes_must_compile() -> None:
    assert "cast.float_nodes" in refused(Precision.int8, **(QUANTISED | {"float_nodes": ["*"]})).what


@pytest.mark.parametrize(
    ("precision", "rest", "types"),
    [
        (Precision.fp32, None, set()),
        (Precision.tf32, None, set()),
        (Precision.fp16, None, {"float16"}),
        (Precision.bf16, None, {"bfloat16"}),
        (Precision.int8, Rest.fp32, {"int8"}),
        (Precision.int8, Rest.fp16, {"int8", "float16"}),
        (Precision.fp8, Rest.bf16, {"float8", "bfloat16"}),
    ],
)
def test_the_types_of_a_graph_follow_from_precision_and_rest(
    precision: Precision, rest: Rest | None, types: set[str]
) -> None:
    assert reduced_types_of(precision, rest) == types
