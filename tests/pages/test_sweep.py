from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from enginewright.errors import DataError
from enginewright.pages.sweep import newest_sweep, read_sweep
from tests.pages.sample import Repository, entry, params, run_files, swept_repository


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return swept_repository(tmp_path_factory.mktemp("swept") / "repository")


def test_every_variant_has_its_state_and_those_that_left_something_their_run(repository: Repository) -> None:
    sweep = read_sweep(repository.path, "example", repository.cache)
    assert {one.name: (one.state, one.run is not None) for one in sweep.variants} == {
        "native-fp32": ("done", True),
        "scaled-fp32": ("cached", True),
        "native-fp16": ("done", True),
        "decomposed-fp16": ("failed", True),
        "native-fp8": ("refused", False),
        "native-bf16": ("not_run", False),
    }
    assert dict(sweep.facts) == {"commit": "aaaaaaaaaa", "workers": "2", "took": "1.5 min"}
    assert not any(one.gap for one in sweep.variants)


def test_what_a_variant_took_is_told_with_what_it_shares(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    steps = [{"stage": f"s{at}", "ran": at < 2, "shared_with": at % 2, "seconds": 2.5} for at in range(5)]
    repository.sweep("x", entry("one", steps=steps), entry("two"))
    one, two = read_sweep(tmp_path, "x", repository.cache).variants
    assert one.note == (
        "dvc exp apply one and dvc repro bring it into the checkout, from the cache. "
        "2 of its 5 steps ran for it, in 5.0 s; 3 came from the cache or from another variant; "
        "2 serve other variants too."
    )
    assert "steps" not in two.note


def test_the_name_of_the_sweep_is_not_repeated_in_every_title(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.sweep("x", entry("x-opset_18"), entry("other", "failed"))
    one, two = read_sweep(tmp_path, "x", repository.cache).variants
    assert (one.name, one.title) == ("x-opset_18", "opset_18")
    assert "dvc exp apply x-opset_18" in one.note
    assert (two.title, two.note) == ("other", "")


def test_the_newest_sweep_is_found(tmp_path: Path) -> None:
    assert newest_sweep(tmp_path / "absent") is None
    for number, name in enumerate(("b", "a", "c")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text("{}")
        os.utime(tmp_path / name / "results.json", (number, number))
    assert newest_sweep(tmp_path) == "c"


def test_a_sweep_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing/results\.json does not exist"):
        read_sweep(tmp_path, "nothing", tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2, "variants": []}', '{"format": 1}'])
def test_results_of_another_format_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "sweeps" / "x").mkdir(parents=True)
    (tmp_path / "sweeps" / "x" / "results.json").write_text(text)
    with pytest.raises(DataError, match=r"results\.json is"):
        read_sweep(tmp_path, "x", tmp_path)


@pytest.mark.parametrize("changed", [{"state": "splendid"}, {"state": None}, {"name": ""}])
def test_a_variant_in_no_known_state_is_not_taken_for_a_good_one(tmp_path: Path, changed: dict[str, str]) -> None:
    repository = Repository(tmp_path)
    repository.sweep("x", {**entry("one"), **changed})
    with pytest.raises(DataError, match="in no known state"):
        read_sweep(tmp_path, "x", repository.cache)


def test_an_experiment_that_is_gone_is_a_gap_and_not_the_end(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit(params(), {})
    repository.sweep("x", entry("one", experiment="f" * 40))
    (one,) = read_sweep(tmp_path, "x", repository.cache).variants
    assert one.run is None
    assert "cannot be read here" in one.gap


def test_metrics_that_were_not_pulled_are_a_gap(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    commit = repository.commit(params(), run_files(), "one")
    repository.sweep("x", entry("one", experiment=commit))
    lost = repository.store(run_files()["metrics/disk/swap.json"])  # the same for both networks
    (repository.cache / lost[:2] / lost[2:]).unlink()
    (one,) = read_sweep(tmp_path, "x", repository.cache).variants
    assert one.gap.startswith("2 of its metric files")
    assert "dvc exp pull origin one" in one.gap


def test_what_a_failed_variant_left_half_written_is_a_gap_and_not_the_end(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    left = repository.sweep("x", entry("one", "failed", reason="killed")) / "failed" / "one" / "metrics" / "disk"
    left.mkdir(parents=True)
    (left / "swap.json").write_text('{"layers')
    (one,) = read_sweep(tmp_path, "x", repository.cache).variants
    assert (one.run, one.reason) == (None, "killed")
    assert "swap.json of one is no JSON" in one.gap


@pytest.mark.parametrize("name", ["../../outside", "/etc", "..", "."])
def test_a_name_that_leads_out_of_the_sweep_reads_nothing(tmp_path: Path, name: str) -> None:
    repository = Repository(tmp_path / "repository")
    folder = repository.sweep("x", entry(name, "failed"))
    (folder / "failed").mkdir()
    (tmp_path / "repository" / "sweeps" / "outside" / "metrics" / "disk").mkdir(parents=True)
    outside = tmp_path / "repository" / "sweeps" / "outside" / "metrics" / "disk" / "swap.json"
    outside.write_text(json.dumps({"layers_swapped": 1}))
    (one,) = read_sweep(repository.path, "x", repository.cache).variants
    assert one.run is None or not one.run.metrics


def test_a_sweep_of_less_than_a_minute_is_told_in_seconds(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.sweep("x", entry("one"))
    path = tmp_path / "sweeps" / "x" / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seconds": 4.7}))
    assert dict(read_sweep(tmp_path, "x", repository.cache).facts)["took"] == "5 s"
