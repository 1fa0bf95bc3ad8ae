"""The last line of a rebuild."""

from __future__ import annotations

from enginewright.reproducing.outputs import Output, State
from enginewright.reproducing.told import verdict

SAME = Output("export@disk", "weights/disk/exported.onnx", "1", "1", State.same)
NEARLY = Output("attest@disk", "weights/disk/engine.intoto.json", "1", "2", State.measured)
PAGE = Output("report", "report/index.html", "1", "2", State.measured)
OTHER = Output("build@disk", "weights/disk/engine.plan", "1", "2", State.different)


def test_artifacts_alone_are_counted() -> None:
    assert verdict([SAME, PAGE]) == "passed: 1 of 1 artifacts have the same digest"


def test_what_differs_in_what_a_run_says_of_itself_is_told() -> None:
    wanted = "passed: 1 of 2 artifacts have the same digest, 1 are the same but for what a run says of itself"
    assert verdict([SAME, NEARLY, PAGE]) == wanted


def test_what_differs_is_named() -> None:
    share, first = "1 of 2 artifacts have the same digest", "weights/disk/engine.plan of build@disk the first"
    assert verdict([SAME, OTHER]) == f"failed: {share}; 1 outputs differ, {first}"
