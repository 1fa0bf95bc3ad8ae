"""A case reads what the last run left where it fits, and makes the rest where DVC does not look."""

from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.bisecting import case as module
from enginewright.bisecting.case import SCRATCH, case_of
from enginewright.graphs.types import reduced_precision
from enginewright.reference import save_reference
from tests.bisecting.cases import case, shifted, shifted_reference
from tests.graphs.small import write

FILES = ("exported.onnx", "simplified.onnx", "typed.onnx")


@pytest.mark.parametrize("fits", [0, 1, 2, 3])
def test_graphs_of_the_last_run_are_read_and_others_made_in_scratch(
    fits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = case(tmp_path / "known", shifted(), shifted_reference())
    last = {file: write(tmp_path / "weights/net" / file, shifted()) for file in FILES[:fits]}
    save_reference(tmp_path / "weights/net/reference.npz", shifted_reference())
    monkeypatch.setattr(module, "configured", lambda network, overrides: known.config)
    monkeypatch.setattr(module, "fitting", lambda network, config: last)
    monkeypatch.setattr(module, "write_exported", lambda path, network, config: write(path, shifted()))
    monkeypatch.setattr(module, "write_simplified", lambda path, exported, config: write(path, shifted()))
    found = case_of("net", ["precision=fp16"])
    paths = dict(zip(FILES, (found.exported, found.simplified, found.typed), strict=True))
    assert paths == last | {file: SCRATCH / "net" / file for file in FILES[fits:]}
    if fits < 3:
        assert reduced_precision(found.typed) == "float16"
    assert found.modules()["back"] == "sum"


def test_nodes_of_the_source_are_named_as_the_cast_names_them(tmp_path: Path) -> None:
    model = shifted()
    model.graph.node[1].ClearField("name")
    found = case(tmp_path, model, shifted_reference())
    assert [node.name for node in found.source().graph.node] == ["scale", "Add/far", "back", "last"]
