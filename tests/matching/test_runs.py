from __future__ import annotations

import shutil
from pathlib import Path

import onnxruntime
import pytest

from enginewright.config.sections import DataConfig, MatchConfig
from enginewright.engine.gpu import find_gpu
from enginewright.errors import GraphError, RequirementError
from enginewright.graphs.provider import CUDA
from enginewright.images import load_pairs
from enginewright.matching.original import original_matches
from enginewright.matching.proof import Task
from enginewright.matching.runs import OnnxChains, engine_chain
from tests.matching.tiny_chain import (
    HEIGHT,
    SHAPE,
    THRESHOLD,
    WIDTH,
    Flaw,
    engine_of,
    extractor_graph,
    matcher_graph,
    references,
)

ON_CPU = CUDA not in onnxruntime.get_available_providers()


@pytest.fixture(scope="module")
def task() -> Task:
    pairs = load_pairs(DataConfig(photographs=["coffee"]), HEIGHT, WIDTH)
    original = original_matches(*references(pairs), pairs, THRESHOLD)
    return Task(pairs, original, SHAPE, THRESHOLD, MatchConfig())


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("graphs")
    return extractor_graph(folder / "e.onnx"), matcher_graph(folder / "m.onnx")


def test_chain_gives_the_originals_matches(task: Task, graphs: tuple[Path, Path]) -> None:
    found = OnnxChains(task).run("exported", *graphs)
    assert [one.indices.tolist() for one in found] == [one.indices.tolist() for one in task.original]


def test_same_bytes_are_not_computed_again(task: Task, graphs: tuple[Path, Path], tmp_path: Path) -> None:
    chains = OnnxChains(task)
    first = chains.run("exported", *graphs)
    copies = [Path(shutil.copy(path, tmp_path / path.name)) for path in graphs]
    assert chains.run("simplified", copies[0], copies[1]) is first


def test_other_bytes_are(task: Task, graphs: tuple[Path, Path], tmp_path: Path) -> None:
    chains = OnnxChains(task)
    first = chains.run("exported", *graphs)
    moved = extractor_graph(tmp_path / "e.onnx", flaw=Flaw(shift=0.25))
    found = chains.run("simplified", moved, graphs[1])
    assert (found[0].features0.keypoints == first[0].features0.keypoints + 0.25).all()


def test_same_extractor_with_another_matcher_is_extracted_once(
    task: Task, graphs: tuple[Path, Path], tmp_path: Path
) -> None:
    chains = OnnxChains(task)
    first = chains.run("exported", *graphs)
    other = chains.run("simplified", graphs[0], matcher_graph(tmp_path / "m.onnx", output="scores"))
    assert other is not first
    assert other[0].features0 is first[0].features0


@pytest.mark.skipif(not ON_CPU, reason="this onnxruntime offers CUDA, which proves reduced precision")
def test_reduced_precision_is_not_run_on_a_cpu(task: Task, graphs: tuple[Path, Path], tmp_path: Path) -> None:
    half = extractor_graph(tmp_path / "e.onnx", flaw=Flaw(reduced=True))
    with pytest.raises(RequirementError, match="float16 on a CPU proves nothing"):
        OnnxChains(task).run("typed", half, graphs[1])


def test_broken_graph_is_a_graph_error(task: Task, graphs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(graphs[1].read_bytes()[:-100])
    with pytest.raises(GraphError, match=r"m\.onnx"):
        OnnxChains(task).run("typed", graphs[0], tmp_path / "m.onnx")


def test_engines_run_where_a_gpu_can_and_say_so_elsewhere(task: Task, graphs: tuple[Path, Path]) -> None:
    extractor, matcher = (engine_of(path) for path in graphs)
    if find_gpu() is None:
        with pytest.raises(RequirementError, match="cannot run on this machine"):
            engine_chain(task, extractor, matcher)
    else:
        try:
            found = engine_chain(task, extractor, matcher)
        except RequirementError as missing:
            pytest.skip(str(missing.got))
        assert [len(one) for one in found] == [len(one) for one in task.original]
