"""What a cast is calibrated on: whole samples of the reference, and the proof that they, and the ranges, say something.

A calibration that sees nothing makes a graph that is valid, small and useless, and no CPU would show it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.contract import Contract, Kind
from enginewright.errors import DataError
from enginewright.reference import Arrays, Reference

_STEPS = 127
"""Steps of int8 from zero to its largest value: what varies by less than one of them is a constant to it."""


def calibration_samples(reference: Reference, most: int) -> list[Arrays]:
    """Return the inputs of the first `most` samples, each of the contract's full shape and with values that vary.

    Raises:
        DataError: naming the first sample that can calibrate nothing.
    """
    samples = [(name, inputs) for name, inputs, _ in reference.samples()][:most]
    for name, inputs in samples:
        _check_shapes(reference.contract, name, inputs)
        _check_spread(reference.contract, name, inputs)
    return [inputs for _, inputs in samples]


def _check_shapes(contract: Contract, name: str, inputs: Arrays) -> None:
    for port in contract.inputs:
        if inputs[port.name].shape != contract.shape(port):
            raise DataError(
                f"the sample {name} cannot calibrate the cast: its input {port.name} has another size than the network",
                expected=contract.shape(port),
                got=inputs[port.name].shape,
                cure="dvc repro, which makes the reference from the images again",
            )


def _check_spread(contract: Contract, name: str, inputs: Arrays) -> None:
    """Refuse a sample of a constant image or descriptor; a network of any other kind may have constant inputs."""
    still = [port.name for port in contract.inputs if not _varies(inputs[port.name])]
    if len(still) == len(contract.inputs) or (still and contract.kind is not Kind.network):
        raise DataError(
            f"the sample {name} cannot calibrate the cast: its values do not vary",
            expected=f"a spread of at least 1/{_STEPS} of the largest magnitude",
            got=", ".join(f"{port}: {_spread(inputs[port])}" for port in still),
            cure="real images: see data.source and data.photographs",
        )


def _varies(array: NDArray[Any]) -> bool:
    values = array.astype(np.float64)
    spread = float(np.ptp(values))
    return bool(spread > 0 and spread * _STEPS >= np.abs(values).max())


def _spread(array: NDArray[Any]) -> str:
    return f"{array.min()} to {array.max()}"
