"""Which nodes see values, on real samples, that leave the range set for a reduced type.

The rule is AutoCast's own: a node stays fp32 if the magnitude of any of its inputs or outputs exceeds the limit. But
AutoCast holds every tensor of every sample to find that out; here no tensor outlives its readers. And it counts whole
numbers, which no cast touches: an extractor's choice of K pixels would stay fp32 for the pixels' indices.

LayerNorms are left out, whatever they see: their form is an axis of its own. If a cast widened a decomposed one where
the calibration overflows, then no graph would be of the form and the precision that were asked for, and on other images
the next LayerNorm would overflow. The form `island` is the one that stays fp32.
"""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from enginewright.casting.magnitudes import Magnitudes
from enginewright.graphs.inference import inferred
from enginewright.graphs.layernorm_forms.count import layernorm_nodes
from enginewright.reference import Arrays


def nodes_out_of_range(model: onnx.ModelProto, samples: Sequence[Arrays], data_max: float) -> list[str]:
    """Return the names of the nodes that take or give a magnitude above `data_max` on any of the samples.

    Raises:
        GraphError: if ONNX Runtime does not run the graph.
    """
    magnitudes = Magnitudes(inferred(model))
    above = {name for inputs in samples for name, size in magnitudes.of(inputs).items() if size > data_max}
    formed = {node.name for node in layernorm_nodes(model)}
    nodes = (node for node in model.graph.node if node.op_type != "Constant" and node.name not in formed)
    return [node.name for node in nodes if not above.isdisjoint((*node.input, *node.output))]
