"""The reference of a graph with open axes: the samples of every corner, in one file with those of the static shape."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from enginewright.contract import Contract, Port
from enginewright.contract.kinds import matcher_contract
from enginewright.contract.shapes import corners, label, opened
from enginewright.errors import EnginewrightError
from enginewright.reference import Arrays, Reference, load_reference, save_reference

RANGES = {"batch": [1, 2], "keypoints": [3, 5]}
CONTRACT = opened(matcher_contract(keypoints=4, dimension=2), RANGES)


def made(contract: Contract = CONTRACT, samples: int = 1, seed: int = 0) -> Reference:
    """Return a reference at the shapes of a contract."""
    random = np.random.default_rng(seed)

    def arrays(ports: tuple[Port, ...]) -> Arrays:
        return {
            port.name: random.integers(0, 99, (samples, *contract.shape(port))).astype(port.dtype) for port in ports
        }

    inputs, outputs = arrays(contract.inputs), arrays(contract.outputs)
    return Reference(inputs, outputs, tuple(f"pair{index}" for index in range(samples)), contract)


def whole() -> Reference:
    """Return a reference of two samples at the static shape and one at each corner."""
    at_corners = tuple(made(corner, seed=number) for number, corner in enumerate(corners(CONTRACT, RANGES), start=1))
    return replace(made(samples=2), corners=at_corners)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the file of a reference with corners."""
    save_reference(tmp_path / "reference.npz", whole())
    return tmp_path / "reference.npz"


def same(left: Reference, right: Reference) -> bool:
    """Return whether two references are equal at every shape."""
    if len(left.shapes) != len(right.shapes):
        return False
    return all(
        (first.names, first.contract) == (second.names, second.contract)
        and all(
            a.keys() == b.keys() and all(a[n].dtype == b[n].dtype and np.array_equal(a[n], b[n]) for n in a)
            for a, b in ((first.inputs, second.inputs), (first.outputs, second.outputs))
        )
        for first, second in zip(left.shapes, right.shapes, strict=True)
    )


def changed(path: Path, **arrays: NDArray[Any] | None) -> Path:
    """Rewrite the file with other arrays; None takes one out."""
    with np.load(path) as archive:
        kept: dict[str, NDArray[Any] | None] = {name: archive[name] for name in archive.files} | arrays
    np.savez(path, allow_pickle=False, **{name: array for name, array in kept.items() if array is not None})
    return path


def refused(path: Path) -> str:
    """Return what is said of a file that is refused."""
    with pytest.raises(EnginewrightError, match="is no reference") as caught:
        load_reference(path)
    return caught.value.what


def test_every_corner_comes_back_under_the_contract_of_its_shape(saved: Path) -> None:
    loaded = load_reference(saved)
    assert same(loaded, whole())
    assert [label(shape.contract) for shape in loaded.shapes] == [
        "batch=1, keypoints=4",
        "batch=1, keypoints=3",
        "batch=1, keypoints=5",
        "batch=2, keypoints=3",
        "batch=2, keypoints=5",
    ]
    for shape in loaded.shapes:
        for port in shape.contract.outputs:
            assert shape.outputs[port.name].shape[1:] == shape.contract.shape(port)
    assert loaded.shapes[-1].inputs["descriptors"].shape == (1, 4, 5, 2)


def test_the_samples_are_those_of_the_static_shape_alone(saved: Path) -> None:
    """What calibrates a cast, and what matching is compared with."""
    loaded = load_reference(saved)
    assert len(loaded) == 2
    assert [inputs["keypoints"].shape for _, inputs, _ in loaded.samples()] == [(2, 4, 2)] * 2
    assert loaded.shapes[0] is loaded


def test_a_static_reference_says_nothing_of_corners(tmp_path: Path) -> None:
    static = replace(made(), contract=opened(CONTRACT, {}))
    save_reference(tmp_path / "static.npz", static)
    with np.load(tmp_path / "static.npz") as archive:
        assert sorted(archive.files) == sorted(
            ["contract", "names", "in/keypoints", "in/descriptors", "out/matches", "out/mscores"]
        )
    assert load_reference(tmp_path / "static.npz").corners == ()


def test_the_same_corners_give_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    save_reference(tmp_path / "again.npz", load_reference(saved))
    assert (tmp_path / "again.npz").read_bytes() == saved.read_bytes()


def test_a_corner_costs_one_sample(saved: Path, tmp_path: Path) -> None:
    save_reference(tmp_path / "static.npz", replace(whole(), corners=()))
    arrays = [
        array for corner in whole().corners for side in (corner.inputs, corner.outputs) for array in side.values()
    ]
    added = saved.stat().st_size - (tmp_path / "static.npz").stat().st_size
    assert added < sum(array.nbytes for array in arrays) + 600 * (len(arrays) + len(whole().corners))


@pytest.mark.parametrize("name", ["in/keypoints", "in/descriptors", "out/matches", "out/mscores", "names"])
def test_an_array_of_a_corner_that_vanished_is_missed(saved: Path, name: str) -> None:
    assert f"corner2/{name}" in refused(changed(saved, **{f"corner2/{name}": None}))


def test_corners_that_are_no_longer_listed_are_missed(saved: Path) -> None:
    """Else a damaged file would be compared at the static shape only, and pass."""
    assert "does not say at which shape" in refused(changed(saved, corners=None))
    sizes = json.dumps([{"batch": 1, "keypoints": 3}])
    assert "corner1/" in refused(changed(saved, corners=np.array(sizes)))


@pytest.mark.parametrize("text", ["", "{", "3", '["batch"]', "[[1]]", '{"batch": 1}', "null"])
def test_a_list_of_corners_that_is_none(saved: Path, text: str) -> None:
    refused(changed(saved, corners=np.array(text)))


@given(data=st.data())
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_is_refused_or_changes_nothing(saved: Path, data: st.DataObject) -> None:
    save_reference(saved, whole())
    raw = bytearray(saved.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    saved.write_bytes(raw)
    try:
        loaded = load_reference(saved)
    except EnginewrightError:
        return
    assert same(loaded, whole())
