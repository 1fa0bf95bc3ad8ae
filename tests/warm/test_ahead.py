"""Imports that begin before a stage asks for them: those of the stages that look due."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from enginewright.stage.commands import files_in
from enginewright.verifying.pipeline import steps_of
from enginewright.warm.ahead import due, needed, packages_due, packages_of
from enginewright.warm.client import SWITCH
from enginewright.warm.early import ALL, NEEDS
from tests.dag import ROOT
from tests.warm.test_warm import Owner, gone, pytestmark  # noqa: F401 - the mark is for this module too


def entry(needs: str, makes: str, **values: object) -> dict[str, Any]:
    return {"deps": [{"path": needs}], "outs": [{"path": makes}], "params": {"params.yaml": values}}


ENTRIES = {
    "report": {"deps": [{"path": "c"}], "outs": [{"path": "d"}]},
    "build@x": entry("b", "c"),
    "export@x": entry("a", "b", **{"networks.x.export": {"exporter": "dynamo", "opset": 20}}),
    "checkpoint@x": entry("stages", "a", **{"networks.x.model": {"size": 1}}),
}
"""In an order in which they could not run, as dvc.lock can be."""


def parameters(opset: int = 20, size: int = 1) -> dict[str, Any]:
    return {"networks": {"x": {"model": {"size": size}, "export": {"exporter": "dynamo", "opset": opset}}}}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with all outputs, a lock and parameters, which is the current one."""
    for name in "abcd":
        (tmp_path / name).touch()
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump({"stages": ENTRIES}, sort_keys=False))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(parameters()))
    (tmp_path / "enginewright").symlink_to(ROOT / "enginewright")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_where_nothing_changed_nothing_is_due(checkout: Path) -> None:
    assert due(parameters(), ENTRIES) == []
    assert packages_due(checkout) == []


def test_a_changed_parameter_and_all_after_it_are_due(checkout: Path) -> None:
    assert due(parameters(opset=18), ENTRIES) == ["export@x", "build@x", "report"]
    assert due(parameters(size=2), ENTRIES) == ["checkpoint@x", "export@x", "build@x", "report"]


def test_a_missing_output_and_all_after_it_are_due(checkout: Path) -> None:
    (checkout / "c").unlink()
    assert due(parameters(), ENTRIES) == ["build@x", "report"]


def test_what_no_target_needs_is_left_out(checkout: Path) -> None:
    (checkout / "params.yaml").write_text(yaml.safe_dump(parameters(opset=18)))
    assert [*needed(["build@x"], ENTRIES)] == ["build@x", "export@x", "checkpoint@x"]
    assert "torch._dynamo" in packages_due(checkout, ["build@x"])
    assert packages_due(checkout, ["checkpoint@x"]) == []
    assert packages_due(checkout, ["unheard@of"]) == []


def test_a_network_that_is_no_more_is_due_and_needs_nothing(checkout: Path) -> None:
    (checkout / "params.yaml").write_text("networks: {}\n")
    assert "export@x" in due({"networks": {}}, ENTRIES)
    assert "torch._dynamo" not in packages_due(checkout)


def test_the_first_stages_packages_come_first(checkout: Path) -> None:
    (checkout / "params.yaml").write_text(yaml.safe_dump(parameters(opset=18)))
    found = packages_due(checkout)
    assert found[: len(ALL)] == [*ALL]
    assert found.index("torch._dynamo") < found.index("jinja2")
    assert len(found) == len({*found})


@pytest.mark.parametrize("lacking", ["dvc.lock", "params.yaml"])
def test_without_a_lock_or_parameters_it_goes_on(lacking: str, checkout: Path) -> None:
    (checkout / lacking).unlink()
    assert isinstance(packages_due(checkout), list)


def test_it_names_what_a_stage_is_handed_over_with() -> None:
    network = parameters()["networks"]["x"]
    assert "torch._dynamo" in packages_of("export", network)
    network["export"]["exporter"] = "torchscript"
    assert "torch._dynamo" not in packages_of("export", network)
    assert packages_of("compare", network) == (*ALL, *NEEDS["compare"])
    assert packages_of("probe", None) == ()


@pytest.mark.parametrize(
    ("stage", "section", "heavy"),
    [
        ("simplify", {"simplify": {"tool": "onnxsim"}}, True),
        ("simplify", {"simplify": {"tool": "none"}}, False),
        ("cast", {"cast": {"precision": "fp16"}}, True),
        ("cast", {"cast": {"precision": "tf32"}}, False),
    ],
)
def test_what_only_some_configurations_import(stage: str, section: dict[str, Any], heavy: bool) -> None:
    assert ("torch" in packages_of(stage, section)) is heavy


def test_every_stage_of_the_pipeline_is_known() -> None:
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    steps = steps_of(ROOT / "dvc.yaml", parameters)
    assert all(files_in(step.cmd) for step in steps.values())
    stages = {name.partition("@")[0] for name in steps} - {"probe"}
    assert stages <= {*NEEDS, "export"}


STAGE = """
    import sys
    from enginewright.warm import hand_over

    if __name__ == "__main__":
        status = hand_over(("colorsys",))
        if status is not None:
            sys.exit(status)
        print("jinja2" in sys.modules)
"""

START = "from enginewright.warm.launch import start_ahead; start_ahead()"


@pytest.fixture
def report_due(checkout: Path) -> Path:
    """Return a checkout in which only the report is due, whose package is imported fast."""
    (checkout / "d").unlink()
    (checkout / "stage.py").write_text(textwrap.dedent(STAGE))
    return checkout


def server_of(owner: Owner) -> int | None:
    """Return the server of a process, if it has one within a while."""
    for _ in range(100):
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (path / "cmdline").read_bytes().decode().split("\0")
                if "enginewright.warm.server" in words and str(owner.process.pid) in words:
                    return int(path.name)
        time.sleep(0.05)
    return None


def test_the_package_is_there_before_a_stage_asks(report_due: Path) -> None:
    owner = Owner(report_due, START)
    assert server_of(owner)
    found = [owner.run("stage")]
    while found[-1] != ["True", "0"] and len(found) < 100:
        found.append(owner.run("stage"))
    assert found[-1] == ["True", "0"]


def test_it_ends_with_the_process_that_started_it(report_due: Path) -> None:
    owner = Owner(report_due, START)
    server = server_of(owner)
    assert server
    owner.process.kill()
    owner.process.wait()
    assert gone(server)


def test_it_is_switched_off_with_the_rest(report_due: Path) -> None:
    owner = Owner(report_due, START, **{SWITCH: "0"})
    assert owner.run("stage") == ["False", "0"]
    assert server_of(owner) is None


def test_where_nothing_is_due_no_server_is_started(checkout: Path) -> None:
    assert server_of(Owner(checkout, START)) is None


def test_a_server_that_a_stage_started_stays_the_only_one(report_due: Path) -> None:
    owner = Owner(report_due)
    owner.run("stage")
    first = server_of(owner)
    words = [sys.executable, "-m", "enginewright.warm.ahead", str(owner.process.pid)]
    second = subprocess.run(words, cwd=report_due, capture_output=True, text=True, check=False, timeout=60)
    assert "Address already in use" in second.stderr
    assert server_of(owner) == first
    assert owner.run("stage") == ["False", "0"]
