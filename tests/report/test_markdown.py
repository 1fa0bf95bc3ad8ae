from __future__ import annotations

from enginewright.report.markdown import markdown_table
from enginewright.report.summary import COLUMNS, Result, Summary, summaries
from tests.report.sample import NOT_RUN, metrics


def table() -> list[str]:
    return markdown_table(summaries(metrics()), "abc1234", "2-core CPU, no GPU").splitlines()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_has_commit_and_hardware_columns() -> None:
    head, rule, disk, lightglue, *_ = table()
    assert cells(head) == ["Network", "Precision", *COLUMNS, "Commit", "Hardware"]
    assert set(cells(rule)) == {"---"}
    assert cells(disk)[-2:] == cells(lightglue)[-2:] == ["abc1234", "2-core CPU, no GPU"]
    assert cells(disk)[:3] == ["disk", "fp32", "4e-05"]
    assert len({len(cells(line)) for line in (head, rule, disk, lightglue)}) == 1


def test_not_run_is_spelled_out_with_its_reason() -> None:
    lines = table()
    assert "not_run" not in "\n".join(lines)
    assert lines[4] == ""
    assert f"- disk_lightglue, matches kept: not run, {NOT_RUN}" in lines
    assert any(line.startswith("- disk, engine run on a GPU: not run, the engine was not executed") for line in lines)


def test_nothing_is_below_a_table_in_which_everything_passed() -> None:
    good = Result("passed", "", "1")
    assert markdown_table([Summary("a", "fp32", good, good, good, good)], "c", "h").count("\n") == 3


def test_bars_and_line_breaks_do_not_break_the_table() -> None:
    bad = Result("failed", "first\nsecond | third", "")
    lines = markdown_table([Summary("a|b", "fp32", bad, bad, bad, bad)], "c", "h\nh").splitlines()
    assert lines[2] == r"| a\|b | fp32 | failed | failed | failed | failed | c | h h |"
    assert lines[4] == "- a|b, largest error of the graphs: failed, first second | third"
