"""fp16 and bf16 by ModelOpt's AutoCast: fp32 stays where values seen on real images leave the type's range."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx

from enginewright.casting.calibration import calibration_samples
from enginewright.casting.islands import exactly
from enginewright.casting.lookups import looked_up
from enginewright.casting.order import settle
from enginewright.casting.ranges import nodes_out_of_range
from enginewright.config.choices import Precision, Rest
from enginewright.config.sections import CastConfig
from enginewright.errors import EnginewrightError, GraphError
from enginewright.graphs.clean import name_nodes
from enginewright.graphs.files import graph_bytes
from enginewright.reference import Reference

Low = Precision | Rest


def cast_mixed(
    model: onnx.ModelProto, config: CastConfig, reference: Reference, islands: Sequence[str]
) -> onnx.ModelProto:
    """Return the graph in `config.precision` where AutoCast allows it; inputs and outputs keep their types.

    bf16 raises the opset to 22, the first at which ONNX's operators take it.

    Args:
        reference: its first `config.samples` samples tell which values leave the range.
        islands: regular expressions of node names that stay fp32.

    Raises:
        GraphError: with ModelOpt's words, if it cannot convert the graph.
        DataError: if the samples cannot calibrate anything.
    """
    name_nodes(model)
    wide = nodes_out_of_range(model, calibration_samples(reference, config.samples), config.data_max)
    return cast_all_but([*islands, *map(exactly, wide)], model, config.precision, config.init_max)


def cast_all_but(islands: Sequence[str], model: onnx.ModelProto, low: Low, init_max: float) -> onnx.ModelProto:
    """Return the graph in `low`, but for the islands and for nodes with an initializer of a magnitude above `init_max`.

    Raises:
        GraphError: with ModelOpt's words, if it cannot convert the graph.
    """
    from modelopt.onnx.autocast import convert_to_mixed_precision

    expected = f"a graph of {low.name}"
    with (
        tempfile.TemporaryDirectory(prefix="autocast-") as folder,
        quiet(),
        explained("AutoCast", expected),
        looked_up(),
    ):
        source = Path(folder) / "graph.onnx"
        source.write_bytes(graph_bytes(model))
        cast: onnx.ModelProto = convert_to_mixed_precision(
            onnx_path=str(source),
            low_precision_type=low.name,
            nodes_to_exclude=list(islands),
            data_max=math.inf,
            init_max=init_max,
            keep_io_types=True,
            providers=["cpu"],
            opset=None,
        )
    settle(cast)
    return cast


@contextmanager
def explained(tool: str, expected: str) -> Iterator[None]:
    """Turn whatever a tool of ModelOpt raises into the error of a graph that it could not convert."""
    try:
        yield
    except EnginewrightError:
        raise
    except Exception as error:  # it raises many kinds, some only as Exception
        raise GraphError(
            f"ModelOpt {tool} could not convert the graph: {error}", expected=expected, cure="precision=fp32"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back ModelOpt's log, a line or two for every node; what it did is counted on the typed graph instead.

    Its errors too: it logs one where there is no GPU, and raises those that matter.
    """
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
