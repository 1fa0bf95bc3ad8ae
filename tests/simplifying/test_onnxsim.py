"""Whatever the child process does, the parent lives and says what happened and what to do."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from enginewright.errors import GraphError
from enginewright.graphs.files import graph_bytes, load_graph
from enginewright.graphs.walk import count_ops
from enginewright.simplifying.child import REFUSED
from enginewright.simplifying.onnxsim import simplified
from tests.graphs.small import nested, scaled, write

CURE = "simplify=none passes the exported graph on as it is"
BEHAVIOURS = {
    "crash": ("os.kill(os.getpid(), 11)", r"onnxsim crashed \(SIGSEGV\)"),
    "abort": ("os.kill(os.getpid(), 6)", r"onnxsim crashed \(SIGABRT\)"),
    "out of memory": ("os.kill(os.getpid(), 9)", r"onnxsim was killed \(SIGKILL\), mostly for a lack of memory"),
    "exception": ("raise RuntimeError('no kernel for it')", r"onnxsim failed with exit status 1"),
    "other status": ("sys.exit(77)", r"onnxsim failed with exit status 77"),
    "refused": (f"sys.exit({REFUSED})", r"onnxsim says that its own result computes something else"),
    "garbage": ("open(sys.argv[2], 'wb').write(b'garbage')", r"onnxsim ended well but wrote no graph"),
    "empty": ("open(sys.argv[2], 'wb')", r"onnxsim ended well but wrote no graph"),
    "half": ("shutil.copy(*sys.argv[1:]); os.truncate(sys.argv[2], 60)", r"onnxsim ended well but wrote no graph"),
    "nothing": ("pass", r"onnxsim ended well but wrote no graph"),
}


def child(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import os, shutil, sys, time; {code}")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a graph's path; temporary folders go beside it, so that a test sees what is left of them."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return write(tmp_path / "exported.onnx", scaled())


def left_over(source: Path) -> list[Path]:
    return list((source.parent / "temporary").iterdir())


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_each_failure_has_its_own_error_and_the_cure(source: Path, behaviour: str) -> None:
    code, message = BEHAVIOURS[behaviour]
    before = source.read_bytes()
    with pytest.raises(GraphError, match=message) as caught:
        simplified(source, 60, child(code))
    assert caught.value.cure == CURE
    assert source.read_bytes() == before
    assert not left_over(source)


def test_the_last_words_of_the_child_are_passed_on(source: Path) -> None:
    with pytest.raises(GraphError) as caught:
        simplified(source, 60, child("raise RuntimeError('no kernel for it')"))
    assert caught.value.got == "RuntimeError: no kernel for it"
    with pytest.raises(GraphError) as caught:
        simplified(source, 60, child("print('  ', file=sys.stderr); sys.exit(2)"))
    assert caught.value.got == "no message"


def test_a_child_that_hangs_is_stopped(source: Path) -> None:
    pid = source.parent / "pid"
    code = f"open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    with pytest.raises(GraphError, match="onnxsim did not finish") as caught:
        simplified(source, 2.5, child(code))
    assert caught.value.expected == "at most 2.5 s (simplify.timeout_s)"
    assert caught.value.cure == CURE
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    assert not left_over(source)


def test_the_graph_that_the_child_writes_is_returned(source: Path) -> None:
    graph = simplified(source, 60, child("shutil.copy(*sys.argv[1:])"))
    assert graph_bytes(graph) == source.read_bytes()
    assert not left_over(source)


def test_onnxsim_itself_runs(source: Path) -> None:
    graph = simplified(write(source, nested()), 120)
    assert count_ops(graph)["If"] < count_ops(load_graph(source))["If"]
    assert not left_over(source)
