"""Running a module on samples, and holding it to its contract."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from enginewright.contract import Contract, Kind, Port
from enginewright.errors import NetworkError
from enginewright.swapping.run_module import run_module


class Sums(nn.Module):
    """x (2, 3) and y (3) to their sum (2, 3), and the sum of that over rows as int32 (3)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.gradients: list[bool] = []

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        self.gradients.append(torch.is_grad_enabled())
        both = x + self.weight * y
        return both, both.sum(0).to(torch.int32)


class Alone(nn.Module):
    """One output, and no tuple around it."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


SIZES = {"rows": 2, "width": 3}
X, Y = Port("x", ("rows", "width")), Port("y", ("width",))
BOTH, TOTAL = Port("both", ("rows", "width")), Port("total", ("width",), dtype="int32")
CONTRACT = Contract(Kind.network, (X, Y), (BOTH, TOTAL), SIZES)
INPUTS = {
    "y": np.arange(12, dtype=np.float32).reshape(4, 3),
    "x": np.random.default_rng(0).random((4, 2, 3), dtype=np.float32),
}


def test_outputs_are_stacked_over_samples_under_the_names_of_the_contract() -> None:
    module = Sums()
    outputs = run_module(module, INPUTS, CONTRACT)
    assert list(outputs) == ["both", "total"]
    expected = INPUTS["x"] + INPUTS["y"][:, None]
    np.testing.assert_allclose(outputs["both"], expected, rtol=1e-6)
    assert outputs["total"].shape == (4, 3)
    assert outputs["total"].dtype == np.int32
    assert module.gradients == [False] * 4
    assert torch.is_grad_enabled()


def test_a_single_output_needs_no_tuple() -> None:
    contract = Contract(Kind.network, (X,), (Port("z", ("rows", "width")),), SIZES)
    outputs = run_module(Alone(), {"x": INPUTS["x"]}, contract)
    np.testing.assert_array_equal(outputs["z"], 2 * INPUTS["x"])


def test_results_do_not_share_memory_with_their_inputs() -> None:
    class Same(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor]:
            return (x,)

    inputs = {"x": INPUTS["x"].copy()}
    outputs = run_module(Same(), inputs, Contract(Kind.network, (X,), (X,), SIZES))
    inputs["x"][:] = -1
    np.testing.assert_array_equal(outputs["x"], INPUTS["x"])


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ((BOTH,), ["float32 (2, 3)"]),
        ((BOTH, TOTAL, TOTAL), ["float32 (2, 3)", "int32 (3,)", "int32 (3,)"]),
        ((TOTAL, BOTH), ["int32 (3,)", "float32 (2, 3)"]),
        ((BOTH, Port("total", ("width",), dtype="int64")), ["float32 (2, 3)", "int64 (3,)"]),
        ((Port("both", ("width", "rows")), TOTAL), ["float32 (3, 2)", "int32 (3,)"]),
    ],
    ids=["one less", "one more", "order", "type", "shape"],
)
def test_a_module_that_breaks_its_contract_is_refused(outputs: tuple[Port, ...], expected: list[str]) -> None:
    with pytest.raises(NetworkError, match="the module breaks its contract's outputs") as caught:
        run_module(Sums(), INPUTS, Contract(Kind.network, (X, Y), outputs, SIZES))
    assert caught.value.expected == expected
    assert caught.value.got == ["float32 (2, 3)", "int32 (3,)"]
    assert "the contract's outputs" in str(caught.value.cure)


class Output(dict[str, Tensor]):
    """What libraries of models return."""


@pytest.mark.parametrize("wrap", [lambda y: [y], lambda y: {"y": y}, lambda y: Output(y=y), lambda y: None])
def test_what_is_no_tuple_of_tensors_is_refused_with_what_to_return(wrap: Callable[[Tensor], object]) -> None:
    class Wrapping(nn.Module):
        def forward(self, x: Tensor) -> object:
            return wrap(x)

    with pytest.raises(NetworkError, match="breaks its contract's outputs") as caught:
        run_module(Wrapping(), {"x": INPUTS["x"]}, Contract(Kind.network, (X,), (X,), SIZES))
    assert caught.value.expected == ["float32 (2, 3)"]
    assert caught.value.got == [type(wrap(torch.ones(1))).__name__]
    assert "return a tuple of tensors in the contract's order" in str(caught.value.cure)


def test_an_output_that_is_a_weight_is_taken() -> None:
    class Weight(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2, 3))

        def forward(self, x: Tensor) -> Tensor:
            return self.weight

    outputs = run_module(Weight(), {"x": INPUTS["x"]}, Contract(Kind.network, (X,), (X,), SIZES))
    assert outputs["x"].shape == (4, 2, 3)


def test_a_forward_that_fails_is_told_with_its_line() -> None:
    class Failing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise KeyError("gone")

    with pytest.raises(NetworkError, match=r"test_run_module\.py, line \d+: forward fails") as caught:
        run_module(Failing(), {"x": INPUTS["x"]}, Contract(Kind.network, (X,), (X,), SIZES))
    assert caught.value.got == "KeyError: 'gone'"


def test_inputs_of_different_numbers_of_samples_are_not_cut_short() -> None:
    with pytest.raises(ValueError, match="argument 2 is"):
        run_module(Sums(), INPUTS | {"y": INPUTS["y"][:3]}, CONTRACT)
