"""`make why` on the real pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.workspace import Workspace


def why(space: Workspace, *words: str, env: str = "") -> list[str]:
    """Return the lines that it prints, each cause on one. env: NAME=VALUE of a variable to set."""
    told = space.run("env", *([env] if env else []), "python", "-m", "enginewright.explaining", *words).stdout
    return told.replace("\n    ", " ").splitlines()


def test_a_built_checkout_has_nothing_to_do(scratch: Workspace) -> None:
    assert why(scratch) == ["nothing to do: every stage is up to date; the probe runs every time"]
    assert scratch.run("git", "status", "--porcelain").stdout == ""


def test_a_default_that_was_edited_is_explained_before_anything_is_composed(scratch: Workspace) -> None:
    scratch.edit("conf/export/torchscript.yaml", r"^opset: 17", "opset: 19")
    before = scratch.digests("*.yaml")
    note, cause, _, runs, follows = why(scratch)
    assert "params.yaml is stale" in note
    assert cause == (
        "networks.{disk,disk_lightglue}.export.opset 17 -> 19: "
        "export, preflight, simplify, cast, compare, build, attest of disk, disk_lightglue; match of disk_lightglue; "
        "report"
    )
    assert runs == "runs: export, attest of disk, disk_lightglue"
    assert follows.startswith("runs if what is before it writes other bytes: preflight, simplify")
    assert scratch.digests("*.yaml") == before


def test_a_new_network_is_explained_before_anything_is_composed(scratch: Workspace) -> None:
    scratch.edit(
        "conf/config.yaml", r"- network: \[disk, disk_lightglue\]", "- network: [disk, disk_lightglue, aliked_n16]"
    )
    lines = why(scratch)
    assert any(line.startswith("never run: checkpoint, swap, export") and "of aliked_n16" in line for line in lines)
    assert not any("disk_lightglue" in line.partition(": ")[2] for line in lines if line.startswith("networks."))


def test_another_version_of_a_tool_is_told_from_the_machine(scratch: Workspace, tmp_path: Path) -> None:
    info = tmp_path / "onnxsim-99.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxsim\nVersion: 99.0\n", encoding="utf-8")
    stage, tool = why(scratch, "simplify@disk", env=f"PYTHONPATH={tmp_path}")
    assert stage == "simplify@disk runs:"
    assert tool.startswith("  tool       probe/simplifier_onnxsim.json: onnxsim ")
    assert tool.endswith(" -> 99.0")


def test_a_demanded_gpu_is_told(scratch: Workspace) -> None:
    assert any(
        "probe/gpu.json: require_gpu false -> true" in line for line in why(scratch, "build@disk", env="REQUIRE_GPU=1")
    )


def test_a_probe_file_that_was_edited_runs_nothing_and_is_told(scratch: Workspace) -> None:
    scratch.edit("probe/exporter_torchscript.json", r'"torch": ".*"', '"torch": "1.0"')
    note, nothing = why(scratch)
    assert "the probe writes it anew and no stage runs for it: torch 1.0 -> " in note
    assert nothing.startswith("nothing to do")


@pytest.mark.parametrize(
    ("words", "says"), [(("exprt@disk",), "expected: one of checkpoint@disk"), (("--rev", "nowhere"), "no commit")]
)
def test_what_is_not_there_is_refused(scratch: Workspace, words: tuple[str, ...], says: str) -> None:
    found = scratch.run("python", "-m", "enginewright.explaining", *words, check=False)
    assert found.returncode == 1
    assert says in found.stderr
    assert "Traceback" not in found.stderr
