"""What the child is told and what it answers, through its files; and the sizes of dynamic axes."""

from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.artifacts import read_json
from enginewright.config.choices import Builder, Precision, Simplifier
from enginewright.config.models import ExtractorModel, MatcherModel, ModelConfig, OnnxModel
from enginewright.config.sections import BuildConfig, CastConfig, SimplifyConfig
from enginewright.preflight.report import IN_FP32, Blocker, Counts
from enginewright.preflight.task import (
    ANSWER,
    Answer,
    Options,
    Task,
    read_answer,
    read_task,
    write_answer,
    write_missing,
    write_task,
)


def test_a_task_is_read_as_it_was_written(tmp_path: Path) -> None:
    build = BuildConfig(builder=Builder.tensorrt, workspace_mib=64, tf32=True)
    options = Options(build, {"height": [16, 64]}, {"height": 32}, simplified=True, half=True, file=True)
    task = Task(options, {-2: "SIGFPE", 4: "SIGSEGV"})
    write_task(tmp_path, task)
    assert read_task(tmp_path) == task


def test_a_task_of_defaults_too(tmp_path: Path) -> None:
    write_task(tmp_path, Task(Options()))
    assert read_task(tmp_path) == Task(Options())


def test_an_answer_is_read_as_it_was_written(tmp_path: Path) -> None:
    blockers = (Blocker(("a", "b"), "NonZero", "refused", "mask", "parser"),)
    answer = Answer(blockers, ("a note",), Counts(5, 3, 1), {IN_FP32: blockers})
    write_answer(tmp_path, answer)
    assert read_answer(tmp_path) == answer


def test_what_is_missing_takes_the_place_of_an_answer(tmp_path: Path) -> None:
    write_missing(tmp_path, "no GPU")
    assert read_answer(tmp_path) == "no GPU"
    assert read_json(tmp_path / ANSWER) == {"missing": "no GPU"}


@pytest.mark.parametrize(
    ("sizes", "best"), [({"n": 32}, 32), ({"n": 16}, 16), ({}, 64), ({"n": 8}, 64), ({"n": 65}, 64), ({"m": 32}, 64)]
)
def test_an_axis_is_looked_at_with_its_own_size_or_the_end_of_its_range(sizes: dict[str, int], best: int) -> None:
    assert Options(ranges={"n": [16, 64]}, sizes=sizes).best == {"n": best}


def test_axes_that_follow_another_one_follow_it_here_too() -> None:
    options = Options(ranges={"batch": [1, 4]}, sizes={"batch": 2})
    assert options.best == {"batch": 2, "images": 4}
    assert options.corners == [{"batch": 1, "images": 2}, {"batch": 4, "images": 8}]


def test_the_corners_are_all_combinations_of_the_ends() -> None:
    found = Options(ranges={"a": [1, 2], "b": [3, 4]}).corners
    assert found == [{"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4}]
    assert Options(ranges={"a": [2, 2]}).corners == [{"a": 2}]
    assert Options().corners == []


def test_options_come_from_the_sections_of_a_network() -> None:
    model = ExtractorModel(adapter="disk", height=128, ranges={"batch": [1, 2], "height": [64, 256]})
    options = Options.of(model, SimplifyConfig(), CastConfig(precision=Precision.fp16), BuildConfig())
    assert options == Options(
        ranges={"batch": [1, 2], "height": [64, 256]}, sizes={"batch": 1, "height": 128}, simplified=True, half=True
    )


def test_an_axis_that_only_the_adapter_knows_has_no_size_of_its_own() -> None:
    model = ModelConfig(adapter="tiny", ranges={"tokens": [1, 77]})
    options = Options.of(model, SimplifyConfig(tool=Simplifier.none), CastConfig(), BuildConfig())
    assert (options.sizes, options.simplified, options.half) == ({}, False, False)
    assert options.best == {"tokens": 77}


def test_an_onnx_file_is_known_for_one() -> None:
    for model, file in ((OnnxModel(), True), (ModelConfig(adapter="tiny"), False)):
        assert Options.of(model, SimplifyConfig(), CastConfig(), BuildConfig()).file == file


def test_a_matcher_brings_its_keypoints() -> None:
    model = MatcherModel(adapter="lightglue", keypoints=256, ranges={"keypoints": [128, 512]})
    assert Options.of(model, SimplifyConfig(), CastConfig(), BuildConfig()).best == {"keypoints": 256}
