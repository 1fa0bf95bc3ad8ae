"""The peers are the original networks, in half precision too."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import networks.lightglue
from benchmarks.latency import peers
from benchmarks.latency.contestant import EXTRACTORS, MATCHER
from networks.aliked import Aliked
from networks.disk import Disk
from networks.parts.soft_detection import SoftDetector
from tests.benchmarks.latency.small import KEYPOINTS, matcher, original, sample


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer exchanges functions of the network's module; each has a process of its own where it is timed.

    The module is not loaded again: its classes would be others than those that tests beside this one hold.
    """
    monkeypatch.setattr(torch, "sym_max", torch.sym_max)
    for name in ("attend", "padding_bias"):
        monkeypatch.setattr(networks.lightglue, name, vars(networks.lightglue)[name])


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("masked", "fused"), [(False, True), (True, False), (True, True)])
def test_a_peer_finds_the_matches_of_the_original(kind: torch.dtype, masked: bool, fused: bool) -> None:
    module, inputs = matcher(), sample(padded=5 if masked else 0)
    expected = original(module, inputs)
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    found = original(peers.peer(MATCHER, weights, kind, KEYPOINTS, masked, fused), inputs)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found["matches"], expected["matches"])
    assert found["mscores"].dtype == np.float32
    np.testing.assert_allclose(found["mscores"], expected["mscores"], atol=0.03)


SMALL = {"disk": Disk(8), "aliked": Aliked(SoftDetector(8), 16)}


@pytest.mark.parametrize("network", EXTRACTORS)
def test_an_extractor_in_half_precision_stays_finite_and_finds_keypoints_in_float32(network: str) -> None:
    torch.manual_seed(0)
    module, image = SMALL[network].eval(), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        found = peers.peer(network, module.state_dict(), torch.float16, 8, masked=False, fused=True)(image)
    assert [value.dtype for value in found] == [torch.float32, torch.float32, torch.float32, torch.int32]
    assert all(bool(value.isfinite().all()) for value in found)


def test_aliked_in_float32_is_the_original_and_its_convolutions_are_done_in_half_precision() -> None:
    torch.manual_seed(0)
    module, image = Aliked(SoftDetector(8), 16).eval(), torch.rand(1, 3, 64, 64)
    same, half = (
        peers.peer("aliked", module.state_dict(), kind, 8, masked=False, fused=True)
        for kind in (torch.float32, torch.bfloat16)
    )
    with torch.inference_mode():
        expected = module(image)
        for value, wanted in zip(same(image), expected, strict=True):
            torch.testing.assert_close(value, wanted, rtol=0, atol=0)
        assert not torch.equal(half(image)[2], expected[2])
