"""From bytes to tensors, without ever running what a checkpoint may carry."""

from __future__ import annotations

import io
import pickle
import re
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

from enginewright.errors import CheckpointError
from enginewright.memory_limit import at_most_more

if TYPE_CHECKING:
    from torch import Tensor

_SAFE = "ask for a safetensors file, or save `module.state_dict()` anew where you trust the checkpoint"


def read_tensors(data: bytes, state_dict: str | None = None) -> dict[str, Tensor]:
    """Return the named tensors of a checkpoint: safetensors, or torch's zip or older format.

    What kind of file it is shows in its bytes, not in its name. Pickles are read with `weights_only=True` and with
    nothing after that: one that asks for anything but tensors and plain containers is refused. `state_dict` is the
    key of the part that holds the tensors, where the file holds more.

    Raises:
        CheckpointError: if the file cannot be read so, or the part holds anything but dense tensors in memory.
    """
    loaded = read_safetensors(data) if _is_safetensors(data) else _from_pickle(data)
    part = loaded if state_dict is None else _part(loaded, state_dict)
    return _only_tensors(part)


def _is_safetensors(data: bytes) -> bool:
    """Tell by the start: the length of a JSON header (8 bytes, little end first), then the header."""
    return data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= len(data) - 8


def read_safetensors(data: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file.

    Raises:
        CheckpointError: if it is none, or not whole.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(data)
    except (SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(
            "the checkpoint is no sound safetensors file", got=str(error), cure="check where it comes from"
        ) from error


def _from_pickle(data: bytes) -> Any:
    """Unpickle tensors and plain containers. Said outright, `weights_only` is stronger than torch's variables."""
    import torch

    _refuse_swelling(data)
    try:
        with warnings.catch_warnings(), at_most_more(2 * len(data)):
            warnings.simplefilter("ignore")  # they advise ways that would run the file's code
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True, mmap=False)
    except Exception as error:  # whatever a broken pickle makes of the reader
        raise _refusal(error) from error


def _refuse_swelling(data: bytes) -> None:
    """Refuse a zip that unpacks to more than it is: torch stores tensors as they are, and would unpack them all."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except Exception:  # no zip, or a broken one, which torch refuses in its own words
        return
    if size > len(data):
        raise CheckpointError(
            "the checkpoint is packed, and unpacks to more than it is",
            expected="a zip whose members are stored, as torch.save writes it",
            got=f"{size} bytes out of {len(data)}",
            cure=_SAFE,
        )


def _refusal(error: Exception) -> CheckpointError:
    """Return the error for a pickle that cannot be read safely, without torch's advice to read it unsafely."""
    text = str(error)
    code = re.search(r"GLOBAL (\S+)", text)
    if isinstance(error, pickle.UnpicklingError):
        text = text.rpartition("\n\nCheck the documentation")[0].rpartition("\n")[2]
    return CheckpointError(
        "the checkpoint asks for more than tensors, so reading it could run code"
        if code
        else "the checkpoint could not be read",
        expected="safetensors, or what torch.save writes of a state dict",
        got=code[1] if code else f"{type(error).__name__}: {text.split('. ')[0]}",
        cure=_SAFE,
    )


def _part(loaded: Any, key: str) -> Any:
    """Return the part of the file under `key`."""
    if not isinstance(loaded, dict) or key not in loaded:
        raise CheckpointError(
            f"the checkpoint has no part {key}",
            expected=f"one of: {_listed(loaded)}" if isinstance(loaded, dict) else "a dict at the top",
            got=key if isinstance(loaded, dict) else type(loaded).__name__,
            cure="correct checkpoint.state_dict",
        )
    return loaded[key]


def _only_tensors(part: Any) -> dict[str, Tensor]:
    """Return `part` if all of it is dense tensors with names."""
    if not isinstance(part, dict):
        raise CheckpointError("the checkpoint holds no names", expected="a dict of tensors", got=type(part).__name__)
    wrong = {key: _kind(value) for key, value in part.items() if not (isinstance(key, str) and _is_dense(value))}
    if wrong:
        raise CheckpointError(
            "the checkpoint holds more than tensors",
            expected="a dict of names and dense tensors",
            got=", ".join(f"{key!r}: {kind}" for key, kind in list(wrong.items())[:8]),
            cure="set checkpoint.state_dict to the key of the part that holds the tensors",
        )
    return {key: value.detach() for key, value in part.items()}


def _is_dense(value: object) -> bool:
    import torch

    return (
        isinstance(value, torch.Tensor)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def _kind(value: object) -> str:
    """Return what a value is, for a tensor with what may be why it was refused."""
    import torch

    detail = f" of {value.dtype}, {value.layout} on {value.device}" if isinstance(value, torch.Tensor) else ""
    return type(value).__name__ + detail


def _listed(names: Any) -> str:
    return ", ".join(str(name) for name in list(names)[:8])
