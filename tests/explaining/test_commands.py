"""Commands beside each other."""

from __future__ import annotations

from enginewright.explaining.commands import command_change


def test_the_same_command_is_no_change() -> None:
    assert command_change("cast@disk", "python -m x --out a", "python -m x --out a") == []


def test_only_the_words_that_differ_are_told_and_one_edit_is_one_change_for_all_networks() -> None:
    found = [
        command_change(f"cast@{name}", f"run --out weights/{name}/a", f"run --out weights/{name}/b --in disks")
        for name in ("disk", "disk_lightglue")
    ]
    assert found[0] == found[1]
    assert str(found[0][0]) == "command of cast without weights/${key}/a, with weights/${key}/b --in disks"


def test_another_order_is_told_and_a_stage_of_no_network_too() -> None:
    assert str(command_change("report", "run a b", "run b a")[0]) == "command of report has its words in another order"
    assert str(command_change("report", "run a", "run")[0]) == "command of report without a"
