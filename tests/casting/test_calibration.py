"""What calibrates a cast must be whole samples with values that vary; the planted faults are those that a CPU hides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from enginewright.casting.calibration import calibration_samples
from enginewright.contract import Contract, Kind, Port
from enginewright.errors import DataError
from enginewright.reference import Arrays, Reference

SIZES = {"batch": 1, "channels": 3, "height": 32, "width": 48, "rows": 16, "two": 2}
IMAGE = Port("image", ("batch", "channels", "height", "width"))
POINTS = Port("points", ("batch", "rows", "two"))


def reference(kind: Kind = Kind.extractor, ports: tuple[Port, ...] = (IMAGE,), samples: int = 3) -> Reference:
    contract = Contract(kind, ports, (), SIZES)
    random = np.random.default_rng(0)
    inputs: Arrays = {
        port.name: random.random((samples, *contract.shape(port))).astype(np.float32) for port in contract.inputs
    }
    return Reference(inputs, {}, tuple(f"pair/{index}" for index in range(samples)), contract)


def changed(original: Reference, **inputs: object) -> Reference:
    return replace(
        original, inputs={name: np.asarray(inputs.get(name, array)) for name, array in original.inputs.items()}
    )


@pytest.mark.parametrize(("most", "taken"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_the_first_samples_are_taken_whole(most: int, taken: int) -> None:
    made = reference()
    found = calibration_samples(made, most)
    assert len(found) == taken
    for index, inputs in enumerate(found):
        np.testing.assert_array_equal(inputs["image"], made.inputs["image"][index])


def test_a_calibration_on_one_tiny_image_is_refused() -> None:
    tiny = changed(reference(samples=1), image=np.random.default_rng(1).random((1, 1, 3, 8, 8), np.float32))
    with pytest.raises(
        DataError, match="the sample pair/0 cannot calibrate the cast: its input image has another"
    ) as e:
        calibration_samples(tiny, 4)
    assert (e.value.expected, e.value.got) == ((1, 3, 32, 48), (1, 3, 8, 8))


@pytest.mark.parametrize("value", [0.0, 0.5, -3.0])
def test_a_constant_image_is_refused_wherever_it_stands(value: float) -> None:
    images = reference().inputs["image"].copy()
    images[2] = value
    assert len(calibration_samples(changed(reference(), image=images), 2)) == 2
    with pytest.raises(DataError, match="the sample pair/2 cannot calibrate the cast: its values do not vary"):
        calibration_samples(changed(reference(), image=images), 3)


def test_what_varies_by_less_than_a_step_of_int8_is_constant() -> None:
    images = reference(samples=1).inputs["image"]
    for spread, varies in ((1 / 120, True), (1 / 135, False)):
        nearly = changed(reference(samples=1), image=1 - spread * images / images.max())
        if varies:
            assert len(calibration_samples(nearly, 1)) == 1
        else:
            with pytest.raises(DataError, match="do not vary"):
                calibration_samples(nearly, 1)


def test_values_that_are_no_numbers_do_not_vary() -> None:
    with pytest.raises(DataError, match="do not vary"):
        calibration_samples(changed(reference(), image=np.full_like(reference().inputs["image"], np.nan)), 1)


def test_one_constant_input_is_refused_of_features_and_allowed_of_other_networks() -> None:
    """A mask of a transformer is constant where nothing is masked; descriptors that are all alike match nothing."""
    for kind in Kind:
        both = changed(reference(kind, (IMAGE, POINTS)), points=np.ones((3, 1, 16, 2), np.float32))
        if kind is Kind.network:
            assert len(calibration_samples(both, 3)) == 3
        else:
            with pytest.raises(DataError, match="do not vary") as caught:
                calibration_samples(both, 3)
            assert caught.value.got == "points: 1.0 to 1.0"


def test_integers_vary_too() -> None:
    ids = np.arange(3 * 16 * 2).reshape(3, 1, 16, 2)
    assert len(calibration_samples(changed(reference(Kind.network, (POINTS,)), points=ids), 3)) == 3
