"""The peers are the original networks, in half precision too."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import networks.lightglue
from benchmarks.latency import peers
from networks.disk import Disk
from tests.benchmarks.latency.small import KEYPOINTS, matcher, original, sample


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer exchanges functions of the network's module; each has a process of its own where it is timed.

    The module is not loaded again: its classes would be others than those that tests beside this one hold.
    """
    for name in ("attend", "padding_bias"):
        monkeypatch.setattr(networks.lightglue, name, vars(networks.lightglue)[name])


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("masked", "fused"), [(False, True), (True, False), (True, True)])
def test_a_peer_finds_the_matches_of_the_original(kind: torch.dtype, masked: bool, fused: bool) -> None:
    module, inputs = matcher(), sample(padded=5 if masked else 0)
    expected = original(module, inputs)
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    found = original(peers.peer(peers.MATCHER, weights, kind, KEYPOINTS, masked, fused), inputs)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found["matches"], expected["matches"])
    assert found["mscores"].dtype == np.float32
    np.testing.assert_allclose(found["mscores"], expected["mscores"], atol=0.03)


def test_disk_in_half_precision_stays_finite_and_finds_keypoints_in_float32() -> None:
    torch.manual_seed(0)
    weights = Disk(8).eval().state_dict()
    found = peers.peer(peers.EXTRACTOR, weights, torch.float16, 8, masked=False, fused=True)(torch.rand(1, 3, 32, 32))
    assert [value.dtype for value in found] == [torch.float32, torch.float32, torch.float32, torch.int32]
    assert all(bool(value.isfinite().all()) for value in found)
