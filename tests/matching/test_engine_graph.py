from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from enginewright.engine.gpu import find_gpu
from enginewright.engine.loader import gpu_obstacle
from enginewright.engine.record import read_record
from enginewright.errors import BuildError, GraphError, RequirementError
from enginewright.matching.engine_graph import EngineGraph
from enginewright.matching.graph import OnnxGraph
from tests.matching.tiny_chain import HEIGHT, WIDTH, engine_of, extractor_graph


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = extractor_graph(tmp_path_factory.mktemp("engine") / "e.onnx")
    engine_of(path)
    return path


def files(graph: Path) -> tuple[Path, Path]:
    return graph.with_suffix(".plan"), graph.with_suffix(".json")


def obstacle(graph: Path) -> str | None:
    return gpu_obstacle(read_record(graph.with_suffix(".json")), find_gpu())


def test_machine_that_cannot_run_it_says_what_is_missing(graph: Path) -> None:
    if obstacle(graph) is None:
        pytest.skip("this machine's GPU runs the engine; the next test covers it")
    with pytest.raises(RequirementError, match=r"e\.plan cannot run on this machine") as caught:
        EngineGraph(*files(graph))
    assert caught.value.got == obstacle(graph)


def test_engine_computes_what_its_graph_does(graph: Path) -> None:
    if (missing := obstacle(graph)) is not None:
        pytest.skip(f"the engine cannot run here: {missing}")
    image = {"image": np.random.default_rng(0).random((1, 3, HEIGHT, WIDTH), np.float32)}
    with closing(EngineGraph(*files(graph))) as engine:
        assert engine.slots("image") == 1
        first, second = engine(image), engine({"image": image["image"] * 0})
        expected = OnnxGraph(graph)(image)
        assert all(np.allclose(first[name], expected[name], atol=1e-4) for name in expected)
        assert not np.allclose(first["descriptors"], second["descriptors"])
        with pytest.raises(GraphError, match="picture is missing"):
            engine.slots("picture")


def test_flipped_byte_is_found_before_anything_else(graph: Path, tmp_path: Path) -> None:
    engine, record = files(graph)
    data = bytearray(engine.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "e.plan").write_bytes(data)
    with pytest.raises(BuildError, match="not the engine that its record describes"):
        EngineGraph(tmp_path / "e.plan", record)


def test_missing_record_is_named(graph: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"engine\.json is no engine record"):
        EngineGraph(files(graph)[0], tmp_path / "engine.json")
