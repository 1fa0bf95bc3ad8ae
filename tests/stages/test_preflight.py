"""The preflight stage: it writes what stands against the exported graph, then refuses it."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from enginewright.artifacts import read_json
from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.errors import GraphError
from enginewright.preflight.check import missing
from enginewright.preflight.task import Options
from enginewright.stage import Stage
from enginewright.verdicts import State
from stages.preflight import SECTIONS, main, run
from tests.dag import params
from tests.preflight.graphs import attention, convolution, dynamic, several


def saved(folder: Path, graph: onnx.ModelProto) -> Path:
    (folder / "exported.onnx").write_bytes(graph.SerializeToString())
    return folder / "exported.onnx"


def stage(folder: Path, graph: onnx.ModelProto, **overrides: dict[str, object]) -> Stage:
    """Return the stage for disk, with values of its sections replaced."""
    network = {
        name: dict(values) if isinstance(values, dict) else values
        for name, values in params()["networks"]["disk"].items()
    }
    for section, values in overrides.items():
        network[section] |= values
    return Stage(
        network="disk",
        networks={"disk": network},
        sections=SECTIONS,
        inputs={"exported": saved(folder, graph)},
        outputs={"metrics": folder / "preflight.json"},
    )


def test_a_clean_graph_goes_on(tmp_path: Path) -> None:
    main(stage(tmp_path, convolution()))
    assert read_json(tmp_path / "preflight.json") == {
        "verdict": "passed",
        "reason": "",
        "blockers": [],
        "pending": {},
        "notes": [],
        "nodes": 2,
        "alone": 2,
        "unchecked": 0,
    }


def test_a_blocked_graph_fails_with_all_blockers_and_leaves_them_in_the_metrics(tmp_path: Path) -> None:
    with pytest.raises(GraphError) as caught:
        main(stage(tmp_path, several()))
    text = str(caught.value)
    assert text.startswith("tensorrt_rtx cannot build the exported graph of disk")
    for name in ("Det det", "NonZero find", "DeformConv deform", "Unique unique", "TopK top"):
        assert name in text
    metrics = read_json(tmp_path / "preflight.json")
    assert (metrics["verdict"], len(metrics["blockers"])) == ("failed", 5)


def test_the_ranges_of_the_model_are_the_profile(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="has no range"):
        main(stage(tmp_path, dynamic()))
    main(stage(tmp_path, dynamic(), model={"ranges": {"rows": [1, 8]}}))


def test_what_builds_in_half_precision_alone_is_a_note_whatever_the_precision_will_be(tmp_path: Path) -> None:
    main(stage(tmp_path, attention()))
    metrics = read_json(tmp_path / "preflight.json")
    assert "must become fp16" in metrics["notes"][0]
    assert [item["nodes"] for item in metrics["pending"]["fp32"]] == [["attend"]]


def test_the_metrics_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    main(stage(tmp_path, convolution()))
    first = (tmp_path / "preflight.json").read_bytes()
    main(stage(tmp_path, convolution()))
    assert (tmp_path / "preflight.json").read_bytes() == first


def test_a_builder_that_cannot_be_asked_stops_nothing(tmp_path: Path) -> None:
    if missing(Builder.tensorrt) is None:
        pytest.skip("needs a machine without the full TensorRT or without a GPU")
    report = run(Options(build=BuildConfig(builder=Builder.tensorrt)), saved(tmp_path, several()))
    assert report.verdict.state is State.not_run
    report.refuse_blockers("an unknown graph")


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, convolution())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(GraphError, match="no ONNX model"):
        run(Options(), path)
