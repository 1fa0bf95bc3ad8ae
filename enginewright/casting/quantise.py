"""int8 and fp8 by ModelOpt: products between QuantizeLinear and DequantizeLinear, and the rest in another type.

ModelOpt's own cast of the rest knows no fp32 islands and no ranges. So it quantises only, all but the nodes that stay
fp32, and AutoCast casts the rest, told those nodes.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import onnx

from enginewright.casting.autocast import cast_all_but, explained, quiet
from enginewright.casting.calibration import calibration_samples
from enginewright.casting.islands import exactly
from enginewright.casting.products import check_ranges
from enginewright.casting.ranges import nodes_out_of_range
from enginewright.casting.strays import spare_others
from enginewright.config.choices import Calibration, Rest
from enginewright.config.sections import CastConfig
from enginewright.graphs.clean import name_nodes
from enginewright.graphs.files import graph_bytes, load_graph
from enginewright.reference import Arrays, Reference
from enginewright.temporaries import temporaries_in


def cast_quantised(
    model: onnx.ModelProto, config: CastConfig, reference: Reference, islands: Sequence[str]
) -> onnx.ModelProto:
    """Return the graph with quantised products, and `config.rest` elsewhere; inputs and outputs keep their types.

    The opset becomes 19 at least, the first with fp8 and with scales of fp16.

    Args:
        reference: its first `config.samples` samples calibrate it.
        islands: regular expressions of node names that stay fp32.

    Raises:
        GraphError: with ModelOpt's words, if it cannot convert the graph.
        DataError: if the samples cannot calibrate anything.
    """
    samples = calibration_samples(reference, config.samples)
    name_nodes(model)
    if config.rest in (None, Rest.fp32):
        return _quantised(model, config, samples, islands)
    full = [*islands, *map(exactly, nodes_out_of_range(model, samples, config.data_max))]
    return cast_all_but(full, _quantised(model, config, samples, full), config.rest, config.init_max)


def _quantised(
    model: onnx.ModelProto, config: CastConfig, samples: list[Arrays], full: Sequence[str]
) -> onnx.ModelProto:
    """Return the fp32 graph with quantised products; full: regular expressions of nodes that are left alone."""
    from modelopt.onnx.quantization import quantize

    told = io.StringIO()
    with _own_folder() as folder, quiet(), redirect_stdout(told), redirect_stderr(told):
        source, target = folder / "graph.onnx", folder / "quantised.onnx"
        source.write_bytes(graph_bytes(model))
        with explained("quantisation", "quantised products"):
            quantize(
                onnx_path=str(source),
                quantize_mode=config.precision.name,
                calibration_data_reader=_reader(samples),
                calibration_method=(config.calibration or Calibration.max).name,
                calibration_eps=["cpu"],
                op_types_to_quantize=list(config.op_types),
                nodes_to_exclude=[*full, *config.float_nodes],
                high_precision_dtype="fp32",
                output_path=str(target),
                log_level="ERROR",
            )
        quantised = load_graph(target)
    check_ranges(quantised)
    spare_others(quantised, config.op_types, [*full, *config.float_nodes])
    return quantised


def _reader(samples: list[Arrays]) -> Any:
    """Return the samples as ONNX Runtime's calibration reads them."""
    from onnxruntime.quantization.calibrate import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.rewind()

        def get_next(self) -> Arrays | None:
            return next(self._left, None)

        def get_first(self) -> Arrays:
            return samples[0]

        def rewind(self) -> None:
            self._left = iter(samples)

    return Reader()


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Give a folder in which every temporary file is made meanwhile: ModelOpt leaves its own behind where it fails."""
    with tempfile.TemporaryDirectory(prefix="quantise-") as folder, temporaries_in(Path(folder)):
        yield Path(folder)
