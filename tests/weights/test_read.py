"""Reading checkpoints, the hostile ones with real pickles that would run code."""

import builtins
import io
import pickle
import sys
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.utils.serialization import config as torch_settings

from enginewright.errors import CheckpointError
from enginewright.weights.read import read_tensors

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(3)}


class Writes:
    """Pickles into a call that creates a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (builtins.open, (str(self.path), "w"))


def zipped(value: object) -> bytes:
    """Return what torch.save writes today."""
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def legacy(value: object) -> bytes:
    """Return what torch.save wrote before version 1.6."""
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def scripted(_: object) -> bytes:
    """Return a TorchScript archive, which holds code."""
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), stream)
    return stream.getvalue()


def tarred(value: object) -> bytes:
    """Return something like the oldest format, a tar archive of pickles."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            data = pickle.dumps(value, protocol=2)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def same(got: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return got.keys() == wanted.keys() and all(torch.equal(got[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("write", [zipped, legacy, safetensors.torch.save])
def test_each_format_is_known_by_its_bytes(write: Callable[[Any], bytes]) -> None:
    assert same(read_tensors(write(STATE)), STATE)


@pytest.mark.parametrize("write", [zipped, legacy])
def test_a_part_is_selected_by_its_key(write: Callable[[Any], bytes]) -> None:
    data = write({"extractor": OrderedDict(STATE), "epoch": 7, "optimizer": {"lr": 0.1}})
    assert same(read_tensors(data, "extractor"), STATE)


def test_a_setting_of_the_process_to_map_files_changes_nothing() -> None:
    with torch_settings.patch("load.mmap", True):  # type: ignore[attr-defined]
        assert same(read_tensors(zipped(STATE)), STATE)


def test_parameters_come_back_as_plain_tensors() -> None:
    got = read_tensors(zipped({"weight": nn.Parameter(torch.ones(2))}))
    assert not got["weight"].requires_grad


@pytest.mark.parametrize("write", [zipped, legacy, tarred, lambda value: pickle.dumps(value, protocol=2)])
@pytest.mark.parametrize("variables", [{}, {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}, {"BOTH": "1"}])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(
    write: Callable[[Any], bytes], variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "BOTH" in variables:
        variables = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    data = write({**STATE, "bomb": Writes(tmp_path / "ran")})
    with pytest.raises(CheckpointError) as caught:
        read_tensors(data)
    assert not (tmp_path / "ran").exists()
    assert "safetensors" in str(caught.value)
    assert "weights_only" not in str(caught.value), "torch's advice to load it unsafely is not passed on"


@pytest.mark.parametrize("write", [zipped, legacy])
def test_the_hostile_pickles_are_real(write: Callable[[Any], bytes], tmp_path: Path) -> None:
    torch.load(io.BytesIO(write({"bomb": Writes(tmp_path / "ran")})), weights_only=False)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("write", [zipped, legacy])
def test_the_error_names_what_the_pickle_wanted(write: Callable[[Any], bytes], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_tensors(write({"bomb": Writes(tmp_path / "ran")}))
    assert "reading it could run code" in str(caught.value)
    assert "got: io.open" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_whole_module_is_refused_by_its_class() -> None:
    with pytest.raises(CheckpointError, match=r"got: torch\.nn\.modules\.linear\.Linear"):
        read_tensors(zipped(nn.Linear(2, 2)))


def test_an_unknown_pickle_protocol_is_refused_in_torchs_words() -> None:
    with pytest.raises(CheckpointError, match="got: UnpicklingError: Unsupported operand 149"):
        read_tensors(pickle.dumps(STATE, protocol=4))


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
def test_torchscript_is_refused() -> None:
    with pytest.raises(CheckpointError, match="TorchScript"):
        read_tensors(scripted(None))


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"<!DOCTYPE html>", zipped(STATE)[:400], legacy(STATE)[:-20], safetensors.torch.save(STATE)[:-4]],
    ids=["empty", "text", "html", "cut zip", "cut legacy", "cut safetensors"],
)
def test_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"could not be read|no sound safetensors"):
        read_tensors(data)


def test_a_damaged_safetensors_header_is_refused() -> None:
    data = safetensors.torch.save(STATE)
    with pytest.raises(CheckpointError, match="no sound safetensors"):
        read_tensors(data.replace(b'"F32"', b'"F99"'))


def test_a_missing_part_is_answered_with_the_parts_there_are() -> None:
    with pytest.raises(CheckpointError) as caught:
        read_tensors(zipped({"extractor": STATE, "epoch": 7}), "model")
    assert "no part model" in str(caught.value)
    assert "one of: extractor, epoch" in str(caught.value)
    assert "checkpoint.state_dict" in str(caught.value)


def test_a_part_of_what_is_no_dict_is_refused() -> None:
    with pytest.raises(CheckpointError, match="got: list"):
        read_tensors(zipped([1, 2]), "model")


def test_values_that_are_no_tensors_are_named_with_the_cure() -> None:
    with pytest.raises(CheckpointError) as caught:
        read_tensors(zipped({"extractor": STATE, "epoch": 7}))
    assert "'extractor': dict" in str(caught.value)
    assert "'epoch': int" in str(caught.value)
    assert "set checkpoint.state_dict" in str(caught.value)


def test_names_must_be_strings() -> None:
    with pytest.raises(CheckpointError, match="1: Tensor"):
        read_tensors(zipped({1: torch.ones(2)}))


def test_a_list_has_no_names() -> None:
    with pytest.raises(CheckpointError, match="got: list"):
        read_tensors(zipped([torch.ones(2)]))


@pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning")
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: torch.eye(3).to_sparse(), "torch.sparse_coo"),
        (lambda: torch.ones(2, device="meta"), "meta"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "torch.qint8"),
    ],
    ids=["sparse", "meta", "quantised"],
)
def test_only_dense_tensors_in_memory_count(make: Callable[[], Tensor], told: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_tensors(zipped({"weight": make()}))
    assert "holds more than tensors" in str(caught.value)
    assert told in str(caught.value.got)


def _compressed(data: bytes) -> bytes:
    """Return a zip of the same members, packed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as plain, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    return stream.getvalue()


def test_a_zip_that_unpacks_to_more_than_it_is_is_refused() -> None:
    bomb = _compressed(zipped({"weight": torch.zeros(1 << 20)}))
    assert len(bomb) < 1 << 16
    with pytest.raises(CheckpointError, match="unpacks to more than it is"):
        read_tensors(bomb)


def _bytes_of(size: int) -> bytes:
    """Return a pickle of a call that makes so many bytes, which torch allows."""
    call = b"cbuiltins\nbytearray\n(I" + str(size).encode() + b"\ntR."
    return b"\x80\x02" + call


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, which counts a process's data")
def test_a_pickle_that_asks_for_all_memory_is_refused() -> None:
    data = zipped(STATE)
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as plain, zipfile.ZipFile(stream, "w") as changed:
        for name in plain.namelist():
            changed.writestr(name, _bytes_of(12 << 30) if name.endswith("data.pkl") else plain.read(name))
    with pytest.raises(CheckpointError):
        read_tensors(stream.getvalue())


OPCODES = {
    "REDUCE": b"\x80\x02cos\nsystem\n(S'touch made'\ntR.",
    "INST": b"(S'touch made'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'touch made'\no.",
    "NEWOBJ": b"\x80\x02cos\nsystem\n(S'touch made'\nt\x81.",
    "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\ntouch made\x85R.",
    "BUILD": b"\x80\x02ccollections\nOrderedDict\n)R}(S'__class__'\ncos\nsystem\nub.",
    "EXT1": b"\x80\x02\x82\x01.",
    "PERSID": b"Pevil\n.",
    "BINPERSID": b"\x80\x02S'evil'\nQ.",
    "getattr": b"cbuiltins\ngetattr\n(cos\nenviron\nS'copy'\ntR.",
    "eval": b"cbuiltins\neval\n(S'1'\ntR.",
    "rebuild": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x00K\x00))\x89ccollections\nOrderedDict\n)RtR.",
}


@pytest.mark.parametrize("opcode", OPCODES)
@pytest.mark.parametrize("packed", [True, False])
def test_no_opcode_of_any_protocol_runs_code(
    opcode: str, packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    data = OPCODES[opcode]
    if packed:
        stream = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(zipped(STATE))) as plain, zipfile.ZipFile(stream, "w") as changed:
            for name in plain.namelist():
                changed.writestr(name, data if name.endswith("data.pkl") else plain.read(name))
        data = stream.getvalue()
    with pytest.raises(CheckpointError):
        read_tensors(data)
    assert not list(tmp_path.iterdir())


def _header(text: str, data: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text.encode() + data


@pytest.mark.parametrize(
    "data",
    [
        (1 << 62).to_bytes(8, "little") + b"{}",
        (1 << 31).to_bytes(8, "little") + b"{" + b" " * 100,
        _header('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
        _header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}', b"\0" * 8),
        _header('{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}', b"\0" * 8),
        _header('{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', b"\0" * 8),
        _header(
            '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
            b"\0" * 12,
        ),
        _header('{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', b"\0" * 8),
        _header('{"a":{"dtype":"X99","shape":[2],"data_offsets":[0,8]}}', b"\0" * 8),
        _header('{"a":1}'),
        _header("[" * 10_000),
        _header('{"a":' * 10_000),
    ],
    ids=[
        "length",
        "2 GiB",
        "no data",
        "too much",
        "overflow",
        "negative",
        "overlap",
        "backward",
        "type",
        "1",
        "[",
        "{",
    ],
)
def test_hostile_safetensors_headers_are_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        read_tensors(data)
