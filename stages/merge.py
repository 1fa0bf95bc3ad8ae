"""merge: an extractor and its matcher as one graph, images in and matches out.

It stands where swap and export stand for a torch network: what it writes goes on to simplify. Weights, LayerNorm form
and reference are those of the two networks, so nothing of torch runs.
"""

from __future__ import annotations

import time

import onnx

from enginewright.artifacts import write_json
from enginewright.graphs.files import load_graph, save_graph
from enginewright.graphs.io import check_io
from enginewright.graphs.layernorm import check_kept, forms_of
from enginewright.graphs.metrics import export_metrics
from enginewright.merging.contract import merged_contract
from enginewright.merging.graph import merged_graph
from enginewright.merging.reference import merged_reference
from enginewright.reference import Reference, load_reference, save_reference
from enginewright.stage import Stage, enter

SECTIONS = ()


def run(
    extractor: onnx.ModelProto, matcher: onnx.ModelProto, references: tuple[Reference, Reference]
) -> tuple[onnx.ModelProto, Reference]:
    """Return the merged graph and its reference, from both graphs and the references of extractor and matcher.

    Raises:
        NetworkError: if the two networks do not fit together, or their references are of other images.
        GraphError: if the graphs cannot be joined, or a LayerNorm changed its form on the way.
    """
    contract = merged_contract(references[0].contract, references[1].contract)
    merged = merged_graph(extractor, matcher, contract)
    check_io(merged, contract, dynamic=False)
    check_kept(forms_of(extractor) + forms_of(matcher), merged, "the merge stage", "leave the merged network out")
    return merged, merged_reference(*references, contract)


def main(stage: Stage) -> None:
    """Merge, then write the graph, its reference and the metrics."""
    start = time.monotonic()
    extractor, matcher = (load_graph(stage.inputs[f"{part}_exported"]) for part in ("extractor", "matcher"))
    first, second = (load_reference(stage.inputs[f"{part}_reference"]) for part in ("extractor", "matcher"))
    merged, reference = run(extractor, matcher, (first, second))
    save_reference(stage.outputs["reference"], reference)
    save_graph(stage.outputs["exported"], merged)
    write_json(stage.outputs["metrics"], export_metrics(merged, time.monotonic() - start))


if __name__ == "__main__":
    enter(main, SECTIONS)
