"""fp16 by ModelOpt's AutoCast: fp32 stays where values seen on real images leave fp16's range."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx

from enginewright.config.sections import CastConfig
from enginewright.errors import GraphError
from enginewright.reference import Reference


def cast_fp16(simplified: Path, config: CastConfig, reference: Reference) -> onnx.ModelProto:
    """Return the graph in `simplified` with fp16 where AutoCast allows it; inputs and outputs keep their types.

    The first `config.samples` samples of the reference calibrate it.

    Raises:
        GraphError: with ModelOpt's words, if it cannot convert the graph.
    """
    from modelopt.onnx.autocast import convert_to_mixed_precision

    with tempfile.TemporaryDirectory(prefix="autocast-") as folder, _quiet():
        calibration = _calibration(Path(folder), config, reference)
        try:
            model: onnx.ModelProto = convert_to_mixed_precision(
                onnx_path=str(simplified),
                low_precision_type="fp16",
                nodes_to_exclude=[*reference.contract.fp32_nodes, *config.fp32_nodes],
                data_max=config.data_max,
                init_max=config.init_max,
                keep_io_types=True,
                calibration_data=str(calibration),
                providers=["cpu"],
                opset=None,
            )
        except Exception as error:  # AutoCast raises many kinds, some only as Exception
            raise GraphError(
                f"ModelOpt AutoCast could not convert the graph: {error}",
                expected="an fp16 graph",
                cure="precision=fp32",
            ) from error
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back AutoCast's log, a line or two for every node; what it did is counted on the typed graph instead."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _calibration(folder: Path, config: CastConfig, reference: Reference) -> Path:
    """Write the calibration samples as AutoCast reads them: a folder of .npz files, one a sample."""
    for index, (_, inputs, _) in enumerate(reference.samples()):
        if index < config.samples:
            np.savez(folder / f"{index:04d}.npz", allow_pickle=False, **inputs)
    return folder
