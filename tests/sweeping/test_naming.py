"""Names of variants."""

from __future__ import annotations

import subprocess

import pytest

from enginewright.sweeping.naming import names_of, sweep_name


def test_a_key_is_as_short_as_tells_it_apart() -> None:
    one = [("networks.a.export.opset=18", "precision=fp16")]
    assert names_of("s", one) == ["s-opset_18-precision_fp16"]
    two = [("networks.a.export.opset=18", "networks.b.export.opset=20")]
    assert names_of("s", two) == ["s-a_export_opset_18-b_export_opset_20"]


@pytest.mark.parametrize("value", ["[a, b]", "a..b", "x.lock", "-1", "~", "a/b", "'q q'", "é", "", "{a:1}"])
def test_git_takes_every_name(value: str) -> None:
    (name,) = names_of("s", [(f"+a.b={value}",)])
    assert subprocess.run(["git", "check-ref-format", f"refs/exps/aa/bb/{name}"], check=False).returncode == 0


def test_names_stay_apart_when_their_values_look_alike_or_are_long() -> None:
    found = names_of("s", [("a=[1,2]",), ("a=1_2",), (f"a={'x' * 200}",), (f"a={'x' * 199}y",)])
    assert len(set(found)) == 4
    assert max(map(len, found)) <= 88


def test_a_sweep_without_a_name_is_called_after_its_axes_and_its_words() -> None:
    first = sweep_name(["export.opset", "precision"], ["export.opset=1,2", "precision=a,b"])
    assert first.startswith("opset-precision-")
    assert first != sweep_name(["export.opset", "precision"], ["export.opset=1,3", "precision=a,b"])
