"""The stored checkpoint: the same bytes everywhere, and back into a module only if it fits."""

import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from enginewright.errors import CheckpointError
from enginewright.weights.store import load_checkpoint, write_checkpoint

WRITE = """
import sys, torch
from pathlib import Path
from enginewright.weights.store import write_checkpoint
tensors = {name: torch.full((3, 5), len(name) + 0.5) for name in set("abcdefgh") | {"long.name", "x" * 30}}
tensors["half"], tensors["count"] = torch.ones(7, dtype=torch.float16), torch.tensor(3)
write_checkpoint(Path(sys.argv[1]), tensors)
print(list(tensors))
"""


def linear(seed: int) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(3, 2)


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_a_module_gets_back_exactly_what_was_stored(tmp_path: Path) -> None:
    stored, other = linear(0), linear(1)
    write_checkpoint(tmp_path / "deep" / "net.safetensors", state(stored))
    load_checkpoint(tmp_path / "deep" / "net.safetensors", other)
    assert torch.equal(stored.weight, other.weight)
    assert torch.equal(stored.bias, other.bias)


def test_the_bytes_do_not_depend_on_hashing_order_or_folder(tmp_path: Path) -> None:
    orders, digests = set(), set()
    for seed in ("1", "2", "3"):
        path = tmp_path / seed / "net.safetensors"
        environment = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", WRITE, str(path)]
        root = Path(__file__).parents[2]
        orders.add(subprocess.run(command, env=environment, cwd=root, check=True, capture_output=True).stdout)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(orders) > 1, "the processes did see different orders"
    assert len(digests) == 1


def test_no_metadata_is_written(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "net.safetensors", state(linear(0)))
    data = (tmp_path / "net.safetensors").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert set(header) == {"weight", "bias"}


def test_views_are_stored_as_they_read(tmp_path: Path) -> None:
    module = nn.Linear(3, 2, bias=False)
    turned = torch.arange(6.0).reshape(3, 2).t()
    write_checkpoint(tmp_path / "net.safetensors", {"weight": turned})
    load_checkpoint(tmp_path / "net.safetensors", module)
    assert torch.equal(module.weight, turned)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    write_checkpoint(path, state(linear(0)))
    before = path.read_bytes()
    with pytest.raises(RuntimeError):
        write_checkpoint(path, {"weight": torch.eye(3).to_sparse()})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_names_the_stage_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path / "gone.safetensors", linear(0))
    assert "gone.safetensors" in str(caught.value)
    assert "run the checkpoint stage" in str(caught.value)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    write_checkpoint(path, state(linear(0)))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="no sound safetensors"):
        load_checkpoint(path, linear(0))


def test_a_pickle_in_its_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    torch.save(state(linear(0)), path)
    with pytest.raises(CheckpointError, match="no sound safetensors"):
        load_checkpoint(path, linear(0))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bias": torch.ones(3)}, "misshapen bias: expected (2,), got (3,)"),
        ({"extra": torch.ones(3)}, "unexpected extra"),
        ({"bias": torch.tensor([1.0, math.nan])}, "bias: 1 NaN, 0 Inf of 2"),
    ],
)
def test_loading_is_strict(tmp_path: Path, change: dict[str, Tensor], told: str) -> None:
    write_checkpoint(tmp_path / "net.safetensors", state(linear(0)) | change)
    module = linear(1)
    before = state(module)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path / "net.safetensors", module)
    assert told in str(caught.value)
    assert torch.equal(module.weight, before["weight"]), "nothing was loaded in part"
