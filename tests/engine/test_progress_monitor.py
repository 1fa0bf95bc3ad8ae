from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tensorrt_rtx as trt

from enginewright.engine.progress_monitor import STEP, step_monitor
from tests.engine.graphs import ROOT, normalised_top

ORPHAN = """
import os, sys, time
import tensorrt_rtx as trt
from enginewright.engine.progress_monitor import step_monitor

parent = os.getpid()
if os.fork() == 0:
    monitor = step_monitor(trt, os.open(os.devnull, os.O_WRONLY))
    before = monitor.step_complete("phase", 0)
    while os.getppid() == parent:
        time.sleep(0.01)
    open(sys.argv[1] + ".part", "w").write(f"{before} {monitor.step_complete('phase', 1)}")
    os.rename(sys.argv[1] + ".part", sys.argv[1])
    os._exit(0)
time.sleep(0.2)
os._exit(0)
"""


def test_each_step_of_a_build_is_one_byte_in_the_pipe(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    assert parser.parse(normalised_top(tmp_path / "graph.onnx").read_bytes())
    config = builder.create_builder_config()
    config.progress_monitor = monitor = step_monitor(trt, writer)
    assert builder.build_serialized_network(network, config) is not None
    os.close(writer)
    steps = os.read(reader, 1 << 16)
    assert set(steps) == set(STEP)
    assert len(steps) > 50
    assert isinstance(monitor, trt.IProgressMonitor)
    os.close(reader)


def test_a_build_goes_on_while_its_parent_lives() -> None:
    reader, writer = os.pipe()
    assert step_monitor(trt, writer).step_complete("phase", 0) is True
    assert os.read(reader, 10) == STEP
    os.close(reader)
    os.close(writer)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_build_is_cancelled_when_its_parent_is_gone(tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    subprocess.run([sys.executable, "-c", ORPHAN, str(answer)], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    end = time.monotonic() + 90
    while not answer.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert answer.read_text() == "True False"
