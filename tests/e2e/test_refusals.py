"""Bad input ends in its own clear error, and what was built before still stands."""

from __future__ import annotations

import pytest

from tests.e2e.workspace import Workspace, ran

BUILT = "weights/*/*"


def refused(space: Workspace, *command: str, says: tuple[str, ...]) -> None:
    """Run a command that must fail with these words, and lose nothing."""
    before = space.digests(BUILT)
    found = space.run(*command, check=False)
    text = found.stdout + found.stderr
    assert found.returncode != 0
    assert not [name for name in ran(found) if name != "probe"], text
    assert all(word in text for word in says), text
    assert "Traceback" not in text
    assert space.digests(BUILT) == before != {}


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("export.opset=24", ("export.opset is out of range", "16 to 23", "24")),
        ("export.opst=18", ("opst", "opset")),
        ("precision=fp15", ("fp15", "fp16", "fp32")),
        ("precision.samples=many", ("samples", "many")),
        ("networks.disk.model.height=500", ("a multiple of 16", "496")),
    ],
)
def test_a_bad_override_stops_before_any_stage(scratch: Workspace, override: str, says: tuple[str, ...]) -> None:
    refused(scratch, "python", "-m", "enginewright.config.compose", override, says=says)
    refused(scratch, "dvc", "exp", "run", "-S", override, says=says)


def test_a_stale_params_file_stops_every_route(scratch: Workspace) -> None:
    scratch.edit("conf/budget/fp32.yaml", r"^max_abs: 1.0e-3", "max_abs: 2.0e-3")
    says = ("params.yaml is stale", "make params")
    refused(scratch, "dvc", "repro", says=says)
    refused(scratch, "dvc", "repro", "compare@disk", says=says)
    command = (
        "python -m stages.simplify --network disk --in exported=weights/disk/exported.onnx --out simplified=x.onnx"
    )
    refused(scratch, *command.split(), says=says)
    assert scratch.run("python", "-m", "enginewright.config.compose", "--check", check=False).returncode == 1


def test_a_params_file_edited_by_hand_is_refused(scratch: Workspace) -> None:
    text = (scratch.path / "params.yaml").read_text(encoding="utf-8")
    (scratch.path / "params.yaml").write_text(text.replace("opset: 17", "opset: 18"), encoding="utf-8")
    refused(scratch, "dvc", "repro", says=("params.yaml was edited by hand", "-S export.opset=18"))


def test_a_wrong_digest_of_the_weights_is_refused_and_earlier_weights_stand(scratch: Workspace) -> None:
    scratch.edit("conf/network/disk.yaml", r"^  sha256: 9c2e", "  sha256: 0000")
    scratch.run("python", "-m", "enginewright.config.compose")
    kept = scratch.digests("weights/disk_lightglue/*")
    found = scratch.run("dvc", "repro", check=False)
    assert found.returncode != 0
    text = found.stdout + found.stderr
    assert "0000e4ded238892dfa" in text
    assert "9c2ee4ded238892dfa" in text
    assert scratch.digests("weights/disk_lightglue/*") == kept
    scratch.run("git", "checkout", "-q", "conf", "params.yaml")
    scratch.run("dvc", "checkout", "-q", "--force")
    assert scratch.repro() == ["probe"]


def test_a_demanded_gpu_that_is_missing_stops_at_once(scratch: Workspace) -> None:
    from enginewright.engine.gpu import find_gpu

    if find_gpu() is not None:
        pytest.skip("needs a machine without an NVIDIA GPU")
    before = scratch.digests(BUILT)
    found = scratch.run("dvc", "repro", check=False, REQUIRE_GPU="1")
    assert found.returncode != 0
    assert "REQUIRE_GPU=1" in found.stdout + found.stderr
    assert scratch.digests(BUILT) == before
