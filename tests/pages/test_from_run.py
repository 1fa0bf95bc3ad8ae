from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from enginewright.pages.axes import axes_of
from enginewright.pages.evidence import Evidence
from enginewright.pages.from_run import kept_of, variants_of_sweep
from enginewright.pages.gates import unproven_in, verdict_of
from enginewright.pages.sweep import Swept, read_sweep
from enginewright.pages.variant import Proof, Variant
from enginewright.verdicts import State
from tests.pages.sample import HOSTILE, Repository, entry, params, run_files, swept_repository


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Variant]:
    repository = swept_repository(tmp_path_factory.mktemp("swept") / "repository")
    return {one.name: one for one in variants_of_sweep(read_sweep(repository.path, "example", repository.cache))}


def test_a_variant_is_a_matcher_with_its_extractor(variants: dict[str, Variant]) -> None:
    one = variants["native-fp32"]
    assert (one.network, one.opset, one.precision, one.form) == ("disk_lightglue", "20", "fp32", "native")
    assert one.engine_mb == pytest.approx(2 * 48.25)
    assert one.graph_mb == pytest.approx(23.4)
    assert one.build_s == pytest.approx(9.2)
    assert (one.layers, one.seconds) == (2 * 1835, 12.5)
    assert one.error == 4e-05
    assert one.kept is not None
    assert (one.kept.original, one.kept.lost) == (1351, 0)


def test_what_was_not_run_is_not_passed_and_keeps_its_reason(variants: dict[str, Variant]) -> None:
    one = variants["native-fp32"]
    assert one.gates.state is State.not_run
    assert ("disk: a run of the built engine", "no NVIDIA GPU with a driver") in one.unproven
    assert one.proof is Proof.graph
    assert one.sound


def test_reduced_precision_on_a_cpu_is_rehearsed_and_never_proven(variants: dict[str, Variant]) -> None:
    one = variants["native-fp16"]
    assert one.proof is Proof.rehearsed
    assert one.kept is not None
    assert "rehearsed" in one.kept.how
    assert one.gates.state is State.not_run


def test_a_failed_variant_has_failed_whatever_its_metrics_say(variants: dict[str, Variant]) -> None:
    one = variants["decomposed-fp16"]
    assert one.gates.state is State.failed
    assert HOSTILE in one.reason
    assert not one.sound
    assert one.kept is not None, "what it left is worth showing"


def test_a_variant_says_what_its_matches_rest_on_and_what_its_gate_asks(variants: dict[str, Variant]) -> None:
    one = variants["native-fp16"]
    assert one.evidence == Evidence(pairs=2, height=512, width=640, keypoints=1024)
    assert one.asked == 0.9
    assert one.parts == ("disk", "disk_lightglue")
    assert one.experiment == "native-fp16"
    assert [str(targets) for targets in one.targets] == ["8.0, 8.9 and later"]
    assert (one.missing, one.checks) == (4, 5), "disk's graph alone was compared with the original"
    assert variants["decomposed-fp16"].experiment == "", "it left none"


def test_graph_and_engines_are_told_apart_where_neither_gave_matches() -> None:
    missing = {"verdict": "not_run", "reason": "no GPU"}
    match = {
        "verdict": "not_run",
        "reason": "typed: it needs a GPU; engine: no GPU",
        "typed": missing,
        "engine": missing,
    }
    assert list(unproven_in({"m": {"match": match}})) == [
        ("matches of the typed graph", "no GPU"),
        ("matches of the engines", "no GPU"),
    ]


@pytest.mark.parametrize("name", ["native-fp8", "native-bf16"])
def test_refused_and_not_started_are_neither_passed_nor_failed(variants: dict[str, Variant], name: str) -> None:
    one = variants[name]
    assert one.gates.state is State.not_run
    assert one.reason
    assert one.network == "disk_lightglue"
    assert not one.sound
    assert one.precision == name.rpartition("-")[2], "from its overrides"


def test_a_sweep_that_left_nothing_has_its_rows_all_the_same(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.sweep("x", entry("one", "failed", reason="it burnt"), entry("two", "pending"))
    one, two = variants_of_sweep(read_sweep(tmp_path, "x", repository.cache))
    assert (one.network, one.gates.state, one.reason) == ("", State.failed, "it burnt")
    assert (two.gates.state, two.gates.reason) == (State.not_run, "it is pending")


def test_a_variant_without_its_extractors_figures_has_no_total(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    files = run_files()
    del files["metrics/disk/build.json"]
    commit = repository.commit(params(), files, "one")
    repository.sweep("x", entry("one", experiment=commit))
    (one,) = variants_of_sweep(read_sweep(tmp_path, "x", repository.cache))
    assert one.engine_mb is None
    assert one.build_s is None
    assert one.gates.state is State.not_run
    assert "disk: a run of the built engine: it wrote no metrics" in one.gates.reason


def test_a_matcher_whose_matches_were_never_counted_is_not_proven(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    files = run_files()
    del files["metrics/disk_lightglue/match.json"]
    repository.sweep("x", entry("one", experiment=repository.commit(params(), files, "one")))
    (one,) = variants_of_sweep(read_sweep(tmp_path, "x", repository.cache))
    assert one.proof is Proof.nothing
    assert "disk_lightglue: matches of real pairs: it wrote no metrics" in one.gates.reason


@pytest.mark.parametrize(
    ("metrics", "state"),
    [
        ({"verdict": "passed"}, State.passed),
        ({"verdict": "failed", "reason": "x"}, State.failed),
        ({"verdict": "not_run"}, State.not_run),
        ({"verdict": "splendid"}, State.not_run),
        ({}, State.not_run),
        (None, State.not_run),
    ],
)
def test_only_passed_is_passed(metrics: Any, state: State) -> None:
    assert verdict_of(metrics, "x").state is state


def test_kept_matches_are_of_the_engine_then_of_what_failed_then_of_the_typed_graph() -> None:
    entries: dict[str, Any] = {"original": {"matches": 10}, "exported": {"common": 9, "verdict": "passed"}}
    assert kept_of(entries) is None, "an exported graph is no engine"
    entries["rehearsed"] = {"common": 7, "verdict": "passed"}
    assert (kept := kept_of(entries)) is not None
    assert kept.common == 7
    entries["exported"]["verdict"] = "failed"
    assert (kept := kept_of(entries)) is not None
    assert (kept.common, kept.how) == (9, "the exported graph")
    entries["engine"] = {"common": 10, "verdict": "passed"}
    assert (kept := kept_of(entries)) is not None
    assert (kept.common, kept.how) == (10, "the engine on a GPU")


@pytest.mark.parametrize(
    ("overrides", "axes"),
    [
        (("precision=fp16", "export.opset=18", "layernorm=scaled"), ("18", "fp16", "scaled")),
        (("networks.disk_lightglue.export.opset=18", "networks.disk.export.opset=17"), ("18", "", "")),
        (("+networks.disk_lightglue.cast.precision=int8", "layernorm.form=island"), ("", "int8", "island")),
        ((), ("", "", "")),
    ],
)
def test_axes_of_what_left_nothing_are_those_of_its_overrides(
    overrides: tuple[str, ...], axes: tuple[str, str, str]
) -> None:
    swept = Swept("x", "x", overrides, "refused", "", None, (), None, "")
    assert axes_of(swept, "disk_lightglue") == axes
