"""The reference: a network's original inputs and outputs on real data, stored once, compared often. No torch here."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from enginewright.artifacts import write_bytes
from enginewright.contract import Contract
from enginewright.contract.shapes import at, open_axes
from enginewright.errors import EnginewrightError
from enginewright.input_file import open_input
from enginewright.memory_limit import at_most_more

Arrays = dict[str, NDArray[Any]]

_MOST_UNPACKED = 16 << 30
"""Bytes that the arrays of a file may come to."""

_CORNERS = "corners"
"""The entry of the file that lists the sizes of each corner's open axes."""


@dataclass(frozen=True)
class Reference:
    """Samples of one network.

    inputs, outputs: by tensor name, arrays of shape (S, *shape in the graph): S samples, each a whole graph input.
    names: S names, for example "motorcycle/0". contract: the graph contract they were made under.
    corners: where axes are open, the same network at each corner of their ranges, with the sizes in its contract.
    """

    inputs: Arrays
    outputs: Arrays
    names: tuple[str, ...]
    contract: Contract
    corners: tuple[Reference, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def shapes(self) -> tuple[Reference, ...]:
        """Return the reference at every shape that it has samples of: the static one, which is the optimum, first."""
        return (self, *self.corners)

    def samples(self) -> Iterator[tuple[str, Arrays, Arrays]]:
        """Yield (name, inputs, outputs) of each sample of this shape."""
        for index, name in enumerate(self.names):
            yield name, _row(self.inputs, index), _row(self.outputs, index)

    def everywhere(self) -> Iterator[tuple[Contract, Arrays, Arrays]]:
        """Yield (contract of its shape, inputs, outputs) of each sample of every shape."""
        for shape in self.shapes:
            for _, inputs, outputs in shape.samples():
                yield shape.contract, inputs, outputs


def _row(arrays: Mapping[str, NDArray[Any]], index: int) -> Arrays:
    return {name: array[index] for name, array in arrays.items()}


def save_reference(path: Path, reference: Reference) -> None:
    """Write the reference as an .npz without pickles; the same reference gives the same bytes."""
    arrays = _arrays(reference, "") | {"contract": np.array(reference.contract.to_json(), dtype=np.str_)}
    for number, corner in enumerate(reference.corners):
        arrays |= _arrays(corner, _prefix(number))
    if reference.corners:
        axes = open_axes(reference.contract)
        sizes = [{axis: corner.contract.sizes[axis] for axis in axes} for corner in reference.corners]
        arrays[_CORNERS] = np.array(json.dumps(sizes, sort_keys=True), dtype=np.str_)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    write_bytes(path, buffer.getvalue())


def _arrays(reference: Reference, prefix: str) -> Arrays:
    """Return the arrays of one shape under the names that they have in the file."""
    found: Arrays = {f"{prefix}in/{name}": array for name, array in reference.inputs.items()}
    found |= {f"{prefix}out/{name}": array for name, array in reference.outputs.items()}
    return found | {f"{prefix}names": np.array(reference.names, dtype=np.str_)}


def load_reference(path: Path) -> Reference:
    """Return the reference that `save_reference` wrote.

    Raises:
        EnginewrightError: if the file is no reference, is cut short or holds pickled objects.
    """
    try:
        with open_input(path, _MOST_UNPACKED) as file:
            return _reference_of(read_arrays(file))
    except Exception as error:  # zip, its codecs and numpy raise of many kinds, and so does a contract of anything
        raise EnginewrightError(
            f"{path.name} is no reference: {error}", expected="an .npz that the swap stage wrote", cure="dvc repro"
        ) from error


def read_arrays(file: IO[bytes]) -> Arrays:
    """Return the arrays of an .npz by name; whatever is wrong with it raises, of many kinds.

    Members may be packed, but unpack to no more than `_MOST_UNPACKED` bytes together.
    """
    with zipfile.ZipFile(file) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > _MOST_UNPACKED:
        raise ValueError(f"it unpacks to {size} bytes, more than {_MOST_UNPACKED}")
    file.seek(0)
    with at_most_more(2 * size), np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _reference_of(arrays: Arrays) -> Reference:
    """Return the reference of a file's arrays, which must hold all of its contract's: damage can make one vanish."""
    contract = Contract.from_json(str(arrays["contract"]))
    sizes = json.loads(str(arrays[_CORNERS])) if _CORNERS in arrays else []
    corners = tuple(_at_shape(arrays, _prefix(number), at(contract, found)) for number, found in enumerate(sizes))
    if unlisted := sorted(name for name in arrays if name.startswith(_prefix(len(corners)))):
        raise ValueError(f"it holds {unlisted} and does not say at which shape")
    return replace(_at_shape(arrays, "", contract), corners=corners)


def _at_shape(arrays: Arrays, prefix: str, contract: Contract) -> Reference:
    wanted = {f"{prefix}in/{port.name}" for port in contract.inputs}
    wanted |= {f"{prefix}out/{port.name}" for port in contract.outputs}
    if missing := sorted(wanted - set(arrays)):
        raise ValueError(f"it lacks {missing}")
    names = tuple(str(name) for name in arrays[f"{prefix}names"])
    _refuse_uneven(arrays, sorted(wanted), len(names))
    return Reference(_side(arrays, f"{prefix}in/"), _side(arrays, f"{prefix}out/"), names, contract)


def _refuse_uneven(arrays: Arrays, wanted: Sequence[str], samples: int) -> None:
    """Refuse arrays of another number of samples than there are names, and none at all: nothing would be compared."""
    if not samples:
        raise ValueError("it has no sample")
    for name in wanted:
        if arrays[name].dtype.kind not in "fiub" or arrays[name].shape[:1] != (samples,):
            raise ValueError(f"{name} is {arrays[name].dtype} {arrays[name].shape}, not {samples} samples of numbers")


def _side(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _prefix(number: int) -> str:
    return f"corner{number}/"
