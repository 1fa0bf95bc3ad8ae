"""The reference: the same bytes for the same arrays, and nothing but arrays in them; a broken file is told as one."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from enginewright.contract import Contract, Kind, Port, Rule
from enginewright.errors import EnginewrightError
from enginewright.reference import Arrays, Reference, load_reference, save_reference
from tests.dag import ROOT

CONTRACT = Contract(
    Kind.network,
    inputs=(Port("image", ("batch", "side"), dynamic=("batch",)),),
    outputs=(Port("scores", ("batch",)), Port("index", ("batch",), dtype="int32", rule=Rule.equal)),
    sizes={"batch": 2, "side": 3},
    layernorms=1,
    fp32_nodes=("/norm/.*",),
)
ONE_EACH = Contract(Kind.network, (Port("image", ("batch",)),), (Port("scores", ("batch",)),), {"batch": 1})


def reference(samples: int = 2) -> Reference:
    """Return a reference of `samples` samples."""
    rng = np.random.default_rng(7)
    outputs: Arrays = {
        "scores": rng.random((samples, 2), np.float32),
        "index": np.arange(2 * samples, dtype=np.int32).reshape(samples, 2),
    }
    names = tuple(f"pair/{number}" for number in range(samples))
    return Reference({"image": rng.random((samples, 2, 3), np.float32)}, outputs, names, CONTRACT)


def same(left: Reference, right: Reference) -> bool:
    """Return whether two references are equal, types and bits of their arrays included."""

    def bits(arrays: Arrays) -> dict[str, Any]:
        return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}

    return (bits(left.inputs), bits(left.outputs), left.names, left.contract) == (
        bits(right.inputs),
        bits(right.outputs),
        right.names,
        right.contract,
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the file of a small reference."""
    save_reference(tmp_path / "reference.npz", reference())
    return tmp_path / "reference.npz"


def refused(path: Path) -> EnginewrightError:
    """Return the refusal of a file."""
    with pytest.raises(EnginewrightError) as caught:
        load_reference(path)
    assert f"{path.name} is no reference" in caught.value.what
    assert caught.value.cure == "dvc repro"
    return caught.value


def test_a_reference_comes_back_as_it_was(saved: Path) -> None:
    assert same(load_reference(saved), reference())


@given(
    array=npst.arrays(
        dtype=st.sampled_from([np.float32, np.float16, np.float64, np.int32, np.int64, np.bool_, np.uint8]),
        shape=npst.array_shapes(min_dims=1, max_dims=4, max_side=3),
    ),
    names=st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9), min_size=3, max_size=3
    ),
)
@settings(deadline=None)
def test_any_array_and_any_name_come_back(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[Any], names: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "reference.npz"
    given_ = Reference({"image": array}, {"scores": array}, tuple(names[: len(array)]), ONE_EACH)
    save_reference(path, given_)
    assert same(load_reference(path), given_)


def test_special_numbers_keep_their_bits(tmp_path: Path) -> None:
    array = np.array([[np.nan, np.inf, -np.inf, -0.0, 1e-45]], np.float32)
    save_reference(tmp_path / "r.npz", Reference({"image": array}, {"scores": array}, ("a",), ONE_EACH))
    assert load_reference(tmp_path / "r.npz").inputs["image"].tobytes() == array.tobytes()


def test_samples_go_together(saved: Path) -> None:
    loaded = load_reference(saved)
    assert len(loaded) == 2
    for number, (name, inputs, outputs) in enumerate(loaded.samples()):
        assert name == f"pair/{number}"
        assert np.array_equal(inputs["image"], loaded.inputs["image"][number])
        assert list(outputs) == ["index", "scores"]
        assert np.array_equal(outputs["scores"], loaded.outputs["scores"][number])


def test_the_same_reference_gives_the_same_bytes_whatever_the_order_or_the_time(tmp_path: Path) -> None:
    given_ = reference()
    other = Reference(dict(given_.inputs), dict(reversed(given_.outputs.items())), given_.names, given_.contract)
    save_reference(tmp_path / "a.npz", given_)
    save_reference(tmp_path / "b.npz", other)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_another_process_writes_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.test_reference import reference, save_reference;"
        "save_reference(Path(sys.argv[1]), reference())"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "other.npz")], cwd=ROOT, check=True)
    assert (tmp_path / "other.npz").read_bytes() == saved.read_bytes()


def test_a_changed_value_changes_the_bytes(saved: Path, tmp_path: Path) -> None:
    changed = reference()
    changed.outputs["scores"][0, 0] += 1e-6
    save_reference(tmp_path / "changed.npz", changed)
    assert (tmp_path / "changed.npz").read_bytes() != saved.read_bytes()


def test_an_array_of_objects_is_not_written(saved: Path) -> None:
    before = saved.read_bytes()
    objects = Reference({"image": np.array([object()])}, {}, ("a",), CONTRACT)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        save_reference(saved, objects)
    assert saved.read_bytes() == before


class Runs:
    """Pickles into a call that creates the file `ran`."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


def test_pickled_arrays_are_refused_before_they_run(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(saved.parent)
    with np.load(saved) as archive:
        arrays = {name: archive[name] for name in archive.files}
    bomb = np.empty(1, dtype=object)
    bomb[0] = Runs()
    np.savez(saved, allow_pickle=True, **(arrays | {"in/image": bomb}))
    assert "allow_pickle=False" in refused(saved).what
    assert not (saved.parent / "ran").exists()
    with np.load(saved, allow_pickle=True) as archive:
        assert archive["in/image"].shape == (1,)
    assert (saved.parent / "ran").exists(), "the same file does run code where it is let"


def test_a_pickle_under_the_name_of_a_reference(saved: Path) -> None:
    saved.write_bytes(pickle.dumps({"in/image": [1]}))
    refused(saved)


def test_a_single_array_under_the_name_of_a_reference(saved: Path) -> None:
    with saved.open("wb") as file:
        np.save(file, np.zeros(3))
    refused(saved)


@pytest.mark.parametrize("missing", ["names", "contract"])
def test_an_archive_of_something_else(saved: Path, missing: str) -> None:
    with np.load(saved) as archive:
        arrays = {name: archive[name] for name in archive.files if name != missing}
    np.savez(saved, allow_pickle=False, **arrays)
    assert missing in refused(saved).what


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"kind": "nosuch"}'])
def test_a_contract_that_is_none(saved: Path, text: str) -> None:
    with np.load(saved) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(saved, allow_pickle=False, **(arrays | {"contract": np.array(text)}))
    refused(saved)


def test_an_output_that_vanished_is_missed(saved: Path) -> None:
    """A flipped bit in a zip's directory can hide an entry; without it a comparison would have less to fail on."""
    with np.load(saved) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "out/index"}
    np.savez(saved, allow_pickle=False, **arrays)
    assert "out/index" in refused(saved).what


def test_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "reference.npz")


def test_an_empty_file(saved: Path) -> None:
    saved.write_bytes(b"")
    refused(saved)


@given(data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_cut_short_anywhere_is_refused(saved: Path, data: st.DataObject) -> None:
    save_reference(saved, reference())
    whole = saved.read_bytes()
    saved.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    refused(saved)


@given(data=st.data())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_is_refused_or_changes_nothing(saved: Path, data: st.DataObject) -> None:
    """Some bits of a zip file mean nothing; no bit may change an array unseen, or end in another error."""
    save_reference(saved, reference())
    whole = bytearray(saved.read_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    saved.write_bytes(whole)
    try:
        loaded = load_reference(saved)
    except EnginewrightError:
        return
    assert same(loaded, reference())


def test_loading_needs_no_torch() -> None:
    code = "import sys, enginewright.reference; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"torch", "onnx", "onnxruntime", "omegaconf"} & set(done.stdout.split())


def _changed(path: Path, **arrays: NDArray[Any]) -> None:
    with np.load(path) as archive:
        found = {name: archive[name] for name in archive.files}
    np.savez(path, allow_pickle=False, **(found | arrays))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sizes", {"batch": "2", "side": 3}),
        ("sizes", {"batch": -2, "side": 3}),
        ("sizes", [2, 3]),
        ("layernorms", "1"),
        ("fp32_nodes", [1]),
        ("outputs", 7),
        ("kind", ["network"]),
    ],
)
def test_a_contract_with_values_that_cannot_be_is_refused(saved: Path, key: str, value: object) -> None:
    text = json.dumps(json.loads(CONTRACT.to_json()) | {key: value})
    _changed(saved, contract=np.array(text))
    with pytest.raises(EnginewrightError, match="is no reference"):
        load_reference(saved)


@pytest.mark.parametrize("samples", [0, 1, 3])
def test_as_many_samples_as_names_and_never_none(saved: Path, samples: int) -> None:
    _changed(saved, names=np.array([str(number) for number in range(samples)], dtype=np.str_))
    with pytest.raises(EnginewrightError, match="is no reference"):
        load_reference(saved)


def test_outputs_of_no_sample_are_no_reference(saved: Path) -> None:
    empty = np.zeros((0, 2), np.float32)
    _changed(saved, names=np.array([], dtype=np.str_), **{"in/image": empty, "out/scores": empty, "out/index": empty})
    with pytest.raises(EnginewrightError, match="has no sample"):
        load_reference(saved)


def test_text_in_the_place_of_numbers_is_refused(saved: Path) -> None:
    _changed(saved, **{"out/scores": np.array(["a", "b"])})
    with pytest.raises(EnginewrightError, match="not 2 samples of numbers"):
        load_reference(saved)


def test_a_header_that_asks_for_all_memory_is_refused(saved: Path) -> None:
    with zipfile.ZipFile(saved, "a") as archive:
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,), }"
        data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        archive.writestr("in/more.npy", data)
    with pytest.raises(EnginewrightError, match="is no reference"):
        load_reference(saved)


def test_a_pipe_or_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "folder.npz").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(EnginewrightError, match="is no reference"):
            load_reference(tmp_path / f"{name}.npz")
