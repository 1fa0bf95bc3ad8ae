"""Fitting a state dict to a module."""

import math

import pytest
import torch
from torch import Tensor, nn

from enginewright.errors import CheckpointError
from enginewright.weights.state import adapt, fit, load_strictly


class Tiny(nn.Module):
    """Two layers and an integer buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 2)
        self.register_buffer("count", torch.tensor(0))


class Tied(nn.Module):
    """Two names for one parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(2, 2, bias=False)
        self.two = nn.Linear(2, 2, bias=False)
        self.two.weight = self.one.weight


def weights() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {name: value.clone() for name, value in Tiny().state_dict().items()}


def keep(key: str) -> str:
    return key


def refused(tensors: dict[str, Tensor]) -> str:
    """Return the error's text, having checked that the module was not touched."""
    module = Tiny()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        adapt(tensors, keep, module)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    return str(caught.value)


def test_the_module_holds_what_comes_back() -> None:
    module, published = Tiny(), weights()
    fitted = adapt(published, keep, module)
    assert list(fitted) == sorted(published)
    for name, value in module.state_dict().items():
        assert torch.equal(value, published[name])
        assert torch.equal(value, fitted[name])


def test_tensors_come_back_contiguous_and_with_memory_of_their_own() -> None:
    published = weights()
    published["first.weight"] = torch.ones(3, 4).t()
    published["second.weight"] = torch.ones(()).expand(2, 4)
    fitted = adapt(published, keep, Tiny())
    assert all(value.is_contiguous() for value in fitted.values())
    places = {value.untyped_storage().data_ptr() for value in (*fitted.values(), *published.values())}
    assert len(places) == 2 * len(fitted)


def test_keys_are_renamed_and_dropped() -> None:
    published = {f"net.{name}": value for name, value in weights().items()} | {"optimizer.step": torch.ones(9)}
    fitted = adapt(published, lambda key: key.removeprefix("net.") if key.startswith("net.") else None, Tiny())
    assert set(fitted) == set(weights())


def test_two_keys_for_one_name_are_refused() -> None:
    published = weights() | {"module.count": torch.tensor(1)}
    with pytest.raises(CheckpointError) as caught:
        adapt(published, lambda key: key.removeprefix("module."), Tiny())
    assert "renamed to count" in str(caught.value)
    assert "count and module.count" in str(caught.value)


def test_a_missing_key_is_named() -> None:
    published = weights()
    del published["first.bias"]
    text = refused(published)
    assert "does not fit the network" in text
    assert "missing first.bias" in text
    assert "the 5 tensors of Tiny" in text
    assert "4 tensors with 1 faults" in text


def test_a_missing_key_points_to_the_nearest_left_over_one() -> None:
    published = weights()
    published["frist.bias"] = published.pop("first.bias")
    text = refused(published)
    assert "missing first.bias (is it frist.bias?)" in text
    assert "unexpected frist.bias" in text


def test_a_reshaped_tensor_shows_both_shapes() -> None:
    published = weights()
    published["first.weight"] = published["first.weight"].reshape(3, 4)
    assert "misshapen first.weight: expected (4, 3), got (3, 4)" in refused(published)


def test_a_shape_that_would_broadcast_is_refused() -> None:
    published = weights()
    published["first.bias"] = torch.ones(1)
    assert "misshapen first.bias: expected (4,), got (1,)" in refused(published)


def test_all_faults_come_in_one_message() -> None:
    published = weights()
    del published["second.bias"]
    published["extra"] = torch.ones(1)
    published["first.weight"] = published["first.weight"].t()
    published["count"] = torch.tensor(0.5)
    text = refused(published)
    for part in ("missing second.bias", "unexpected extra", "misshapen first.weight", "mistyped count"):
        assert part in text
    assert "4 faults" in text


def test_a_long_list_is_cut_for_each_kind() -> None:
    published = {f"extra{number:02}": torch.ones(1) for number in range(20)}
    text = refused(published)
    assert "and 12 more" in text
    assert "missing second.weight" in text, "the unexpected names do not hide the missing ones"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_weights_that_are_not_finite_are_counted(bad: float) -> None:
    published = weights()
    published["first.weight"][1, 2] = bad
    published["second.bias"][:] = bad
    text = refused(published)
    assert "not finite" in text
    nans, infs = (1, 0) if math.isnan(bad) else (0, 1)
    assert f"first.weight: {nans} NaN, {infs} Inf of 12" in text
    assert f"second.bias: {2 * nans} NaN, {2 * infs} Inf of 2" in text


def test_a_dropped_tensor_may_be_anything() -> None:
    published = weights() | {"unused": torch.tensor(math.nan)}
    adapt(published, lambda key: None if key == "unused" else key, Tiny())


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_reals_are_converted_where_no_value_changes(kind: torch.dtype) -> None:
    published = weights()
    published["first.weight"] = torch.arange(12.0).reshape(4, 3).to(kind)
    fitted = adapt(published, keep, Tiny())
    assert fitted["first.weight"].dtype == torch.float32
    assert torch.equal(fitted["first.weight"], torch.arange(12.0).reshape(4, 3))


def test_a_conversion_that_would_round_is_refused() -> None:
    published = weights()
    published["first.weight"] = torch.full((4, 3), 1.0, dtype=torch.float64)
    published["first.weight"][0, :2] = 0.1
    text = refused(published)
    assert "first.weight cannot be converted without loss" in text
    assert "2 of 12 values would change" in text


def test_a_conversion_that_would_overflow_is_refused() -> None:
    published = weights()
    published["first.bias"] = torch.full((4,), 1e300, dtype=torch.float64)
    assert "4 of 4 values would change" in refused(published)


def test_integers_are_converted_where_no_value_changes() -> None:
    published = weights()
    published["count"] = torch.tensor(200, dtype=torch.uint8)
    assert adapt(published, keep, Tiny())["count"].dtype == torch.int64


def test_an_integer_that_would_wrap_is_refused() -> None:
    module = nn.Module()
    module.register_buffer("count", torch.tensor(0, dtype=torch.int8))
    with pytest.raises(CheckpointError, match="1 of 1 values would change"):
        fit({"count": torch.tensor(200, dtype=torch.uint8)}, module)


@pytest.mark.parametrize("value", [torch.tensor(0.0), torch.tensor(True), torch.tensor(0j)])
def test_other_kinds_of_numbers_are_refused(value: Tensor) -> None:
    assert f"mistyped count: expected torch.int64, got {value.dtype}" in refused(weights() | {"count": value})


def test_a_module_that_keeps_other_weights_is_refused() -> None:
    published = {"one.weight": torch.ones(2, 2), "two.weight": torch.zeros(2, 2)}
    with pytest.raises(CheckpointError) as caught:
        adapt(published, keep, Tied())
    assert "does not keep the weights" in str(caught.value)
    assert "one.weight" in str(caught.value)


def test_tied_weights_that_agree_pass() -> None:
    adapt({"one.weight": torch.ones(2, 2), "two.weight": torch.ones(2, 2)}, keep, Tied())


def test_loading_is_strict_by_itself() -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        load_strictly({}, Tiny())
