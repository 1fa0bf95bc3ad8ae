"""The proof of a bisection: the graph is cast once more with the nodes found, and everything is read again on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from enginewright.bisecting.case import Case, write_typed
from enginewright.bisecting.judge import rehearsed
from enginewright.errors import GraphError
from enginewright.graphs.files import load_graph
from enginewright.progress import progress
from enginewright.rehearsing.gate import tensors_in, verdict_of
from enginewright.verdicts import Verdict, failed


def proven(case: Case, patterns: Sequence[str]) -> dict[str, Verdict]:
    """Return the verdicts on the graph that the cast stage makes with these `fp32_nodes`, on the whole reference.

    `cast` is there only where it failed: the cast stage refused to keep the nodes.
    """
    path = case.folder / "proven.onnx"
    config = replace(case.config.cast, fp32_nodes=list(patterns))
    try:
        with progress(f"cast {case.network} with these nodes in fp32"):
            write_typed(path, case.simplified, case.reference, case.config, config)
    except GraphError as refusal:
        return {"cast": failed(f"the cast stage refuses: {refusal.what}")}
    tensors = tensors_in(load_graph(path), case.modules(), case.reference, case.config.compare)
    with progress(f"rehearse it on all {len(case.reference)} samples"):
        judged = rehearsed(path, case.reference, case.config)
    return {"ranges": verdict_of(tensors), "rehearsed": judged.verdict(case.config)}
