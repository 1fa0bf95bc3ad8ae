"""The bad inputs of docs/trust.md, each by the test that its row names: `python -m tests.torture.bad_inputs`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "trust.md"
EXAMPLES = "100"
"""Files for each fuzzed reader: more than in the ordinary tests."""

_ROW = re.compile(r"^\| (?P<what>.+?) \| (?P<promise>.+?) \| (?P<file>tests/\S+\.py)::(?P<test>\w+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One row of the table: a bad input, what is promised, and the test, FILE::NAME."""

    what: str
    promise: str
    test: str


@dataclass(frozen=True)
class Result:
    """A row that was tried. state: passed, failed or not_run; detail: why, unless it passed. cases: of its test."""

    row: Row
    state: str
    detail: str
    cases: int


def rows() -> list[Row]:
    """Return the rows of the table."""
    found = _ROW.finditer(TABLE.read_text(encoding="utf-8"))
    return [Row(row["what"], row["promise"], f"{row['file']}::{row['test']}") for row in found]


def results() -> list[Result]:
    """Run every row's test, in one run of pytest, and return what came of each."""
    wanted = rows()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", f"--junitxml={report}"]
        done = subprocess.run(
            [*command, *dict.fromkeys(row.test for row in wanted)],
            cwd=ROOT,
            env=os.environ | {"ENGINEWRIGHT_FUZZ_EXAMPLES": EXAMPLES},
            capture_output=True,
            text=True,
            check=False,
        )
        outcomes = _outcomes(report) if report.is_file() else {}
    return [_result(row, outcomes.get(row.test, []), done.stdout[-500:]) for row in wanted]


def _outcomes(report: Path) -> dict[str, list[tuple[str, str]]]:
    """Return (state, detail) of each case of each test, by FILE::NAME."""
    found: dict[str, list[tuple[str, str]]] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        file = case.get("classname", "").replace(".", "/") + ".py"
        name = case.get("name", "").partition("[")[0]
        found.setdefault(f"{file}::{name}", []).append(_outcome(case))
    return found


def _outcome(case: ElementTree.Element) -> tuple[str, str]:
    for tag, state in (("failure", "failed"), ("error", "failed"), ("skipped", "not_run")):
        if (found := case.find(tag)) is not None:
            return state, f"{case.get('name')}: {found.get('message', '')}"[:300]
    return "passed", ""


def _result(row: Row, outcomes: list[tuple[str, str]], said: str) -> Result:
    if not outcomes:
        return Result(row, "failed", f"the test did not run: {said}", 0)
    for state in ("failed", "not_run"):
        if details := [detail for found, detail in outcomes if found == state]:
            return Result(row, state, details[0], len(outcomes))
    return Result(row, "passed", "", len(outcomes))


def run() -> Iterator[tuple[str, bool, str]]:
    """Yield name, whether the promise was kept, and the detail, of every row; what was not run was not kept."""
    for result in results():
        detail = f"not run: {result.detail}" if result.state == "not_run" else result.detail
        yield f"{result.row.what} ({result.row.test})", result.state == "passed", detail


def main() -> int:
    """Print a line for each row that was not kept, and how many were."""
    found = results()
    for result in found:
        if result.state != "passed":
            print(f"{result.state}: {result.row.what}: {result.detail}")
    counts = {state: sum(result.state == state for result in found) for state in ("passed", "failed", "not_run")}
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    print(f"{len(found)} bad inputs, {sum(result.cases for result in found)} cases: {told}")
    return int(counts["passed"] < len(found))


if __name__ == "__main__":
    sys.exit(main())
