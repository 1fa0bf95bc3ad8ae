"""Sessions whose threads sleep, and that all are of that kind."""

from __future__ import annotations

import re

import pytest

from enginewright.graphs.session_options import session_options
from enginewright.waiting import POLICY
from tests.dag import ROOT

ELSEWHERE = {"enginewright/gpu/session.py"}
"""A measurement on a GPU, where nothing runs beside."""

MAKERS = re.compile(r"SessionOptions\(\)|SessionFromOnnx\(|InferenceSession\([^,()]*(\([^()]*\))?[^,()]*, *providers")


@pytest.mark.parametrize(("policy", "spinning"), [("", "0"), ("PASSIVE", "0"), ("ACTIVE", "1"), ("active", "1")])
def test_threads_of_a_session_sleep_as_those_of_torch_do(
    policy: str, spinning: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(POLICY, policy)
    assert session_options().get_session_config_entry("session.intra_op.allow_spinning") == spinning


def test_all_sessions_of_stages_have_these_options() -> None:
    sources = (path for folder in ("enginewright", "stages") for path in (ROOT / folder).rglob("*.py"))
    found = {str(path.relative_to(ROOT)) for path in sources if MAKERS.search(path.read_text(encoding="utf-8"))}
    assert found == {"enginewright/graphs/session_options.py"} | ELSEWHERE
