"""docs/trust.md and its tests are the same list."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.dag import ROOT
from tests.torture import bad_inputs

ROWS = bad_inputs.rows()


def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.test.partition("::")[2])
def test_the_test_of_each_row_exists(row: bad_inputs.Row) -> None:
    file, _, name = row.test.partition("::")
    assert name in names_in(file)


def test_no_row_is_without_a_test_and_none_stands_twice() -> None:
    lines = [line for line in bad_inputs.TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    inputs = [line for line in lines if not line.startswith(("| **", "| bad input", "| ---"))]
    assert len(inputs) == len(ROWS)
    assert len(ROWS) >= 90
    assert len({row.test for row in ROWS}) == len({row.what for row in ROWS}) == len(ROWS)


def test_results_are_read_from_what_pytest_reports(tmp_path: Path) -> None:
    cases = {
        "test_a[1]": "",
        "test_a[2]": "",
        "test_b": '<skipped message="needs x"/>',
        "test_c[1]": "",
        "test_c[2]": '<failure message="no"/>',
        "test_d": '<error message="broken"/>',
    }
    rows = "".join(
        f'<testcase classname="tests.x.test_y" name="{name}">{body}</testcase>' for name, body in cases.items()
    )
    (tmp_path / "report.xml").write_text(f"<testsuites><testsuite>{rows}</testsuite></testsuites>")
    outcomes = bad_inputs._outcomes(tmp_path / "report.xml")
    states = {name: bad_inputs._result(ROWS[0], found, "").state for name, found in outcomes.items()}
    file = "tests/x/test_y.py::"
    assert states == {
        f"{file}test_a": "passed",
        f"{file}test_b": "not_run",
        f"{file}test_c": "failed",
        f"{file}test_d": "failed",
    }
    assert bad_inputs._result(ROWS[0], [], "no tests ran").state == "failed"


def test_the_readme_leads_to_it() -> None:
    assert re.search(r"docs/trust\.md", (ROOT / "README.md").read_text(encoding="utf-8"))
