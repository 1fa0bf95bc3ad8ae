"""The tiny module's graph in a LayerNorm form, as the cast's tests take it."""

from __future__ import annotations

from pathlib import Path

from enginewright.config.choices import Exporter, Form
from enginewright.config.sections import ExportConfig
from stages import export
from tests.graphs.small import write
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import checkpoint_of


def exported(folder: Path, form: Form) -> Path:
    """Return the file of the graph, written into `folder`."""
    checkpoint = checkpoint_of(TinyModel(), folder / "checkpoint.safetensors")
    graph = export.run(TinyModel(), form, ExportConfig(Exporter.dynamo, 20), checkpoint)
    return write(folder / f"{form.name}.onnx", graph)
