"""What int8 and fp8 need to be told beside the other precisions, which have no use for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from enginewright.config.choices import Calibration, Precision, Rest
from enginewright.errors import ConfigError

OP_TYPES: Mapping[Precision, tuple[str, ...]] = {
    Precision.int8: (
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Clip",
        "Conv",
        "ConvTranspose",
        "Gemm",
        "GlobalAveragePool",
        "MatMul",
        "MaxPool",
        "Mul",
    ),
    Precision.fp8: ("Add", "Conv", "Gemm", "MatMul"),
}
"""For each precision that quantises: the operators that ModelOpt can quantise to it."""

PRODUCTS = ("Conv", "Gemm", "MatMul")
"""Operators that int8 and fp8 are for: a graph none of whose products is quantised is neither."""


_NAMES = {"fp16": "float16", "bf16": "bfloat16", "int8": "int8", "fp8": "float8"}


def reduced_types_of(precision: Precision, rest: Rest | None) -> frozenset[str]:
    """Return the reduced types that a typed graph of that precision has: none for fp32 and tf32, whose graph is one."""
    names = {precision.name} | ({rest.name} if rest else set())
    return frozenset(_NAMES[name] for name in names if name in _NAMES)


def check_quantised(precision: Precision, cast: Mapping[str, Any]) -> None:
    """Refuse quantisation's keys at a precision that quantises nothing, and what does not fit at one that does.

    cast: the keys of the `cast` section.

    Raises:
        ConfigError: naming the first such key and the reason.
    """
    if precision not in OP_TYPES:
        _refuse_useless(precision, cast)
        return
    for name in ("calibration", "rest"):
        if cast[name] is None:
            raise ConfigError(
                f"cast.{name} is missing",
                expected=f"a value, because precision={precision.name} quantises",
                cure=f"precision={precision.name}, whose file sets it",
            )
    _check_op_types(OP_TYPES[precision], cast["op_types"], precision)
    if precision is Precision.fp8 and cast["calibration"] is Calibration.entropy:
        raise ConfigError(
            "cast.calibration does not suit fp8: entropy seeks the best cut for steps of equal size, which fp8 lacks",
            expected="max",
            got="entropy",
            cure="precision.calibration=max, or precision=int8",
        )


def _refuse_useless(precision: Precision, cast: Mapping[str, Any]) -> None:
    for name in ("float_nodes", "op_types", "calibration", "rest"):
        if cast[name]:
            raise ConfigError(
                f"cast.{name} has no use at precision={precision.name}, which quantises nothing",
                expected=f"cast.{name} not set, or a precision of {', '.join(found.name for found in OP_TYPES)}",
                got=cast[name],
                cure=f"leave cast.{name} out, or precision=int8",
            )


def _check_op_types(known: Sequence[str], given: Sequence[str], precision: Precision) -> None:
    if not set(given) & set(PRODUCTS) or not set(given) <= set(known):
        raise ConfigError(
            f"cast.op_types does not suit precision={precision.name}",
            expected=f"of {', '.join(known)}; at least one of {', '.join(PRODUCTS)}",
            got=list(given),
            cure=f"precision.op_types=[{','.join(PRODUCTS)}]",
        )
