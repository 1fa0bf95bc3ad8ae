"""Which nodes see values, on real samples, that leave the range set for a reduced type.

The rule is AutoCast's own: a node stays fp32 if the magnitude of any of its inputs or outputs exceeds the limit. But
AutoCast holds every tensor of every sample to find that out; here they pass by, a few at a time.

LayerNorms are left out, whatever they see: their form is an axis of its own. If a cast widened a decomposed one where
the calibration overflows, then no graph would be of the form and the precision that were asked for, and on other images
the next LayerNorm would overflow. The form `island` is the one that stays fp32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from numpy.typing import NDArray

from enginewright.graphs.layernorm_forms.count import layernorm_nodes
from enginewright.reference import Arrays
from enginewright.rehearsing.streaming import Streamed


def nodes_out_of_range(model: onnx.ModelProto, samples: Sequence[Arrays], data_max: float) -> list[str]:
    """Return the names of the nodes that take or give a magnitude above `data_max` on any of the samples.

    Raises:
        GraphError: if ONNX Runtime does not run the graph.
    """
    above: set[str] = set()

    def observe(name: str, values: NDArray[Any]) -> None:
        if values.size and values.dtype.kind in "iuf" and max(values.max(), -float(values.min())) > data_max:
            above.add(name)

    streamed = Streamed(onnx.shape_inference.infer_shapes(model))
    for inputs in samples:
        for name, values in inputs.items():
            observe(name, values)
        streamed.run(inputs, observe)
    formed = {node.name for node in layernorm_nodes(model)}
    nodes = (node for node in model.graph.node if node.op_type != "Constant" and node.name not in formed)
    return [node.name for node in nodes if not above.isdisjoint((*node.input, *node.output))]
