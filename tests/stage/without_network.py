"""Stages of two small networks, run where there is no network: `unshare -rn python -m tests.stage.without_network`."""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path

from enginewright.config.choices import Form
from enginewright.config.sections import (
    BuildConfig,
    CastConfig,
    CompareConfig,
    ExportConfig,
    SimplifyConfig,
    SwapConfig,
)
from enginewright.graphs.files import save_graph
from enginewright.reference import Reference
from enginewright.stage.offline import no_network
from stages import build, cast, compare, export, simplify, swap
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import checkpoint_of, contract_of, inputs_of, registered


def reachable() -> bool:
    """Return whether any address answers, or could."""
    try:
        with socket.socket() as outside:
            outside.settimeout(2)
            outside.connect(("192.0.2.1", 80))
    except TimeoutError:
        return True
    except OSError:
        return False
    return True


def graphs_of(folder: Path, model: TinyModel) -> tuple[dict[str, Path], Reference]:
    """Run swap, export, simplify and cast; return the graphs by artifact, and the reference."""
    checkpoint = checkpoint_of(model, folder / "checkpoint.safetensors")
    inputs = inputs_of(contract_of(model))
    reference, _ = swap.run(model, SwapConfig(), checkpoint, inputs, ("a", "b", "c"))
    graphs = {name: folder / f"{name}.onnx" for name in ("exported", "simplified", "typed")}
    save_graph(graphs["exported"], export.run(model, Form.native, ExportConfig(), checkpoint))
    save_graph(graphs["simplified"], simplify.run(SimplifyConfig(), graphs["exported"])[0])
    save_graph(graphs["typed"], cast.run(CastConfig(), graphs["simplified"], reference)[0])
    return graphs, reference


def main(folder: Path) -> None:
    """Run the stages, and print how large the engine is."""
    with registered(), no_network():
        graphs, reference = graphs_of(folder, TinyModel())
        metrics, _, _ = compare.run(CompareConfig(), reference, graphs)
        options = build.Options({}, CompareConfig(), BuildConfig())
        result = build.run(options, graphs["typed"], metrics, reference)
    print(metrics["verdict"], len(result.engine))


if __name__ == "__main__":
    if reachable():
        sys.exit("there is a network here")
    with tempfile.TemporaryDirectory() as name:
        main(Path(name))
