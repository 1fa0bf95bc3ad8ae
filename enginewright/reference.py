"""The reference: a network's original inputs and outputs on real data, stored once, compared often. No torch here."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from enginewright.artifacts import write_bytes
from enginewright.contract import Contract
from enginewright.errors import EnginewrightError

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Reference:
    """Samples of one network.

    inputs, outputs: by tensor name, arrays of shape (S, *shape in the graph): S samples, each a whole graph input.
    names: S names, for example "motorcycle/0". contract: the graph contract they were made under.
    """

    inputs: Arrays
    outputs: Arrays
    names: tuple[str, ...]
    contract: Contract

    def __len__(self) -> int:
        return len(self.names)

    def samples(self) -> Iterator[tuple[str, Arrays, Arrays]]:
        """Yield (name, inputs, outputs) of each sample."""
        for index, name in enumerate(self.names):
            yield name, _row(self.inputs, index), _row(self.outputs, index)


def _row(arrays: Mapping[str, NDArray[Any]], index: int) -> Arrays:
    return {name: array[index] for name, array in arrays.items()}


def save_reference(path: Path, reference: Reference) -> None:
    """Write the reference as an .npz without pickles; the same reference gives the same bytes."""
    arrays: Arrays = {f"in/{name}": array for name, array in reference.inputs.items()}
    arrays |= {f"out/{name}": array for name, array in reference.outputs.items()}
    arrays["names"] = np.array(reference.names, dtype=np.str_)
    arrays["contract"] = np.array(reference.contract.to_json(), dtype=np.str_)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    write_bytes(path, buffer.getvalue())


def load_reference(path: Path) -> Reference:
    """Return the reference that `save_reference` wrote.

    Raises:
        EnginewrightError: if the file is no reference, is cut short or holds pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return _reference_of(arrays)
    except (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile) as error:
        raise EnginewrightError(
            f"{path.name} is no reference: {error}", expected="an .npz that the swap stage wrote", cure="dvc repro"
        ) from error


def _reference_of(arrays: Arrays) -> Reference:
    """Return the reference of a file's arrays, which must hold all of its contract's: damage can make one vanish."""
    reference = Reference(
        inputs=_side(arrays, "in/"),
        outputs=_side(arrays, "out/"),
        names=tuple(str(name) for name in arrays["names"]),
        contract=Contract.from_json(str(arrays["contract"])),
    )
    missing = {f"in/{port.name}" for port in reference.contract.inputs} - set(arrays)
    missing |= {f"out/{port.name}" for port in reference.contract.outputs} - set(arrays)
    if missing:
        raise ValueError(f"it lacks {sorted(missing)}")
    return reference


def _side(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
