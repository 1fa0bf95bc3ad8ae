"""A graph in ONNX Runtime on a CPU, each node computed as it is written: nothing fused, nothing folded.

Nodes run in the order of the file. By default ONNX Runtime orders them backwards from the outputs, and what looks at
every tensor on the way comes last, when all of them are there still: 3.0 GB for LightGlue at 1,024 keypoints, not 0.4.
"""

from __future__ import annotations

import onnx
import onnxruntime

from enginewright.errors import GraphError
from enginewright.graphs.provider import CPU
from enginewright.graphs.session_options import session_options


def exact_session(model: onnx.ModelProto, what: str, arena: bool = True) -> onnxruntime.InferenceSession:
    """Return the graph, loaded.

    what: the graph in words, for the error. arena: keep memory that was once taken for the next run; for a graph whose
    tensors come to gigabytes that is twice the memory.

    Raises:
        GraphError: if ONNX Runtime does not take it.
    """
    options = session_options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    options.enable_cpu_mem_arena = options.enable_mem_pattern = arena
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=[CPU])
    except Exception as error:  # ONNX Runtime's errors have no common class of their own
        raise not_run_by(what, error) from error


def not_run_by(what: str, error: Exception) -> GraphError:
    """Return the error of a graph that ONNX Runtime refuses, on loading or on a call."""
    return GraphError(f"{what} does not run in ONNX Runtime: {error}", expected="a graph that ONNX Runtime runs")
