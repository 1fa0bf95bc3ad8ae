"""A rehearsal refutes a graph by its ranges and by its outputs, and says both with numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from enginewright.config.sections import CompareConfig
from enginewright.rehearsing.rehearsal import rehearse
from tests.graphs.small import write
from tests.rehearsing.graphs import mean_square, reference

WIDE = CompareConfig(max_abs=0.1, mean_abs=0.01, p99_abs=0.1, cosine=0.999)


@pytest.mark.parametrize(("largest", "state"), [(100.0, "passed"), (1450.0, "failed")])
def test_ranges_and_outputs_agree(tmp_path: Path, largest: float, state: str) -> None:
    found = rehearse(write(tmp_path / "typed.onnx", mean_square()), {}, reference(largest), WIDE)
    verdicts = found.verdicts(WIDE)
    assert {name: verdict.state.value for name, verdict in verdicts.items()} == {"ranges": state, "rehearsed": state}
    metrics = found.metrics()
    json.dumps(metrics, allow_nan=False)
    assert metrics["ranges"]["tensors"] == 6
    assert (metrics["rehearsed"]["y"]["max_abs"] > 1) == (state == "failed")
    assert len(found.rows()) == 6
