from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from enginewright.errors import DataError
from enginewright.pages.files import revision_files
from enginewright.pages.from_run import variants_of_run
from enginewright.pages.gpu_table import read_tables, variants_of_table, with_latency
from enginewright.pages.run import run_of
from enginewright.pages.variant import Proof, Variant
from enginewright.verdicts import State
from tests.dag import ROOT
from tests.pages.sample import DEVICE, Repository, gpu_row, params, run_files, write_table
from tests.report.sample import metrics


def one_variant(tmp_path: Path, row: dict[str, Any]) -> Variant:
    write_table(tmp_path, row)
    (table,) = read_tables(tmp_path)
    (one,) = variants_of_table(table)
    return one


def test_a_graph_that_passed_on_a_gpu_is_proven_and_its_engine_is_not(tmp_path: Path) -> None:
    one = one_variant(tmp_path, gpu_row("native", "fp16"))
    assert (one.name, one.source, one.state) == ("native-fp16", DEVICE, "done")
    assert (one.gates.state, one.proof) == (State.passed, Proof.graph)
    assert (one.latency_ms, one.graph_mb, one.engine_mb) == (3.5, 23.4, None)
    assert one.kept is not None
    assert one.kept.lost == 55
    assert one.unproven[0][0] == "an engine"


def test_operators_that_another_type_stood_in_for_are_told(tmp_path: Path) -> None:
    one = one_variant(tmp_path, gpu_row("native", "bf16", in_float32=["Greater"]))
    assert ("its types", "computed in float32 on the GPU, for want of a kernel: Greater") in one.unproven


def test_a_row_says_what_its_matches_rest_on(tmp_path: Path) -> None:
    sizes = {"pairs": 4, "height": 512, "width": 512, "keypoints": 1024}
    one = one_variant(tmp_path, {**gpu_row("native", "fp16"), "evidence": sizes, "matcher_ratio": 0.996})
    assert (str(one.evidence), one.asked) == ("4 pairs, 512 x 512 px, 1,024 keypoints per image", 0.996)
    older = one_variant(tmp_path, gpu_row("native", "fp16"))
    assert str(older.evidence) == "pairs and image size not recorded"


def test_what_failed_there_keeps_its_figures(tmp_path: Path) -> None:
    one = one_variant(tmp_path, gpu_row("decomposed", "fp16", verdict="failed", reason="887 of 2755", common=887))
    assert (one.gates.state, one.proof, one.reason) == (State.failed, Proof.nothing, "887 of 2755")
    assert one.kept is not None
    assert not one.sound


def test_a_breach_of_the_range_gate_is_one_though_the_matches_passed(tmp_path: Path) -> None:
    row = {**gpu_row("decomposed", "int8"), "ranges": {"verdict": "failed", "reason": "4 of 925 tensors"}}
    one = one_variant(tmp_path, row)
    assert (one.gates.state, one.reason) == (State.failed, "ranges: 4 of 925 tensors")


def test_what_was_not_run_there_is_rehearsed_at_most(tmp_path: Path) -> None:
    row = gpu_row("native", "bf16")
    row["gpu"] = {"verdict": "not_run", "reason": "no kernel"}
    one = one_variant(tmp_path, row)
    assert (one.state, one.gates.state, one.proof) == ("not_run", State.not_run, Proof.nothing)
    rehearsed = one_variant(tmp_path, {**row, "rehearsed": {"original": 2755, "common": 2740}})
    assert rehearsed.proof is Proof.rehearsed
    assert rehearsed.kept is not None
    assert "rehearsed on a CPU" in rehearsed.kept.how


def test_what_was_refused_there_is_refused(tmp_path: Path) -> None:
    row = {"network": "a", "form": "native", "precision": "fp8", "status": "refused", "reason": "no such type"}
    one = one_variant(tmp_path, row)
    assert (one.state, one.gates.state, one.reason) == ("refused", State.not_run, "no such type")


def test_only_the_networks_that_are_asked_for(tmp_path: Path) -> None:
    write_table(tmp_path, gpu_row("native", "fp16"), {**gpu_row("native", "fp16"), "network": "other"})
    (table,) = read_tables(tmp_path)
    assert [one.network for one in variants_of_table(table, ["other"])] == ["other"]
    assert len(variants_of_table(table)) == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"rows": []}', '{"rows": [], "where": {}}'])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(DataError, match=r"odd\.json is no table"):
        read_tables(tmp_path)


def test_the_committed_tables_are_read_whole() -> None:
    for table in read_tables(ROOT / "benchmarks" / "gpu"):
        variants = variants_of_table(table)
        assert len(variants) == len(table.rows)
        assert all(one.reason or one.gates.state is State.passed for one in variants)
        assert all(one.evidence and one.evidence.pairs and one.evidence.height for one in variants)
        assert all((one.latency_ms is not None) == (one.state == "done") for one in variants)


def run_variant(tmp_path: Path, row: dict[str, Any]) -> Variant:
    repository = Repository(tmp_path)
    run = run_of("x", revision_files(tmp_path, repository.commit(params(), run_files()), repository.cache))
    write_table(tmp_path / "gpu", row)
    (one,) = variants_of_run(run, "this checkout")
    return with_latency(one, run, read_tables(tmp_path / "gpu"))


def test_a_variant_has_the_latency_of_the_same_graph(tmp_path: Path) -> None:
    cast = metrics()["disk_lightglue"]["cast"] | {"precision": "fp32"}
    one = run_variant(tmp_path, {**gpu_row("native", "fp32", common=2755), "cast": cast})
    assert (one.latency_ms, one.device) == (3.5, DEVICE)
    assert one.kept is not None
    assert one.kept.original == 2755
    assert one.gates.state is State.not_run, "its engine was still not run"


@pytest.mark.parametrize("changed", [{"bytes": 23_400_001}, {"cast": {"casts": 1}}, {"network": "other"}])
def test_a_variant_has_no_latency_of_another_graph(tmp_path: Path, changed: dict[str, Any]) -> None:
    cast = metrics()["disk_lightglue"]["cast"] | {"precision": "fp32"}
    one = run_variant(tmp_path, {**gpu_row("native", "fp32"), "cast": cast, **changed})
    assert one.latency_ms is None


def test_a_graph_that_failed_on_a_gpu_breaches_a_gate_here_too(tmp_path: Path) -> None:
    cast = metrics()["disk_lightglue"]["cast"] | {"precision": "fp32"}
    one = run_variant(tmp_path, {**gpu_row("native", "fp32", verdict="failed", reason="lost"), "cast": cast})
    assert one.gates.state is State.failed
