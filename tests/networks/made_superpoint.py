"""Checkpoints in the shape of SuperPoint's published ones, made from a seed: its licence forbids shipping the weights.

The weights are random, but not arbitrary: features spread, so that there are keypoints all over an image; descriptors
are centred, so that they tell places apart; and LightGlue's layers pass descriptors on, so that alike ones match.
"""

from __future__ import annotations

import torch
from torch import Tensor

from networks.lightglue import LAYERS, LightGlue
from networks.superpoint import DESCRIPTOR, SuperPoint
from tests.networks.real import photograph

SHARPNESS = 1.5
"""Deviation of the detector's logits: so that some pixels of a cell stand out, and no score is rounded to 1."""

STEP = 0.02
"""How much a random layer of LightGlue adds to a descriptor, of what it would by chance."""

LIKENESS = 20.0
"""Logit of two equal descriptors in the assignment."""

MATCHABLE = 4.0
"""Logit of a keypoint's being matchable at all."""


def made_superpoint(seed: int = 0) -> dict[str, Tensor]:
    """Return a state dict with the names and shapes of superpoint_v1.pth."""
    module = SuperPoint(1)
    random = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        inputs = tensor[0].numel()
        tensor.copy_(torch.randn(tensor.shape, generator=random) * ((2 / inputs) ** 0.5 if "weight" in name else 0))
    with torch.inference_mode():
        image = photograph("astronaut.png").mean(dim=1, keepdim=True)[..., :256, :256]
        cells = module._encoded(image)
        for head, scale in (("P", SHARPNESS), ("D", 1.0)):
            first, last = getattr(module, f"conv{head}a"), getattr(module, f"conv{head}b")
            maps = last(torch.relu(first(cells)))
            spread, mean = maps.std(dim=(0, 2, 3)), maps.mean(dim=(0, 2, 3))
            last.weight.mul_((scale / spread)[:, None, None, None])
            last.bias.copy_(-mean * scale / spread)
    return module.state_dict()


def made_lightglue(seed: int = 0) -> dict[str, Tensor]:
    """Return a state dict with the names and shapes of superpoint_lightglue.pth, what nothing reads included."""
    module = LightGlue(DESCRIPTOR)
    random = torch.Generator().manual_seed(seed)
    made = {name: _lightglue_tensor(name, tensor, random) for name, tensor in module.state_dict().items()}
    published = {_published(name): tensor for name, tensor in made.items()}
    published[f"log_assignment.{LAYERS - 1}.r"] = torch.ones(1)
    for layer in range(LAYERS - 1):
        published[f"log_assignment.{layer}.r"] = torch.ones(1)
        published[f"token_confidence.{layer}.token.0.weight"] = torch.randn(1, DESCRIPTOR, generator=random)
        published[f"token_confidence.{layer}.token.0.bias"] = torch.zeros(1)
        for name in ("matchability.weight", "matchability.bias", "final_proj.weight", "final_proj.bias"):
            published[f"log_assignment.{layer}.{name}"] = made[f"assignment.{name}"]
    return published


def _lightglue_tensor(name: str, tensor: Tensor, random: torch.Generator) -> Tensor:
    made = torch.zeros_like(tensor)
    if name == "assignment.final_proj.weight":
        made.fill_diagonal_(LIKENESS**0.5 * DESCRIPTOR**0.25)
    elif name == "assignment.matchability.bias":
        made.fill_(MATCHABLE)
    elif "ffn.1" in name:
        made.copy_(tensor)  # LayerNorm starts as the identity
    elif "bias" not in name:
        made.normal_(std=(STEP if "ffn.3" in name else 1.0) / tensor.shape[-1] ** 0.5, generator=random)
    return made


def _published(name: str) -> str:
    """Return the published name of one of our tensors."""
    if name.startswith("layers."):
        _, layer, block, rest = name.split(".", 3)
        return f"{block}.{layer}.{rest}"
    return name.replace("assignment.", f"log_assignment.{LAYERS - 1}.")
