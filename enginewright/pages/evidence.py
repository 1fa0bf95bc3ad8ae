"""How much a verdict rests on: pairs, size of the images, keypoints, and how many matches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enginewright.pages.run import Run
from enginewright.report.words import many

LITTLE = 300
"""Matches below which a verdict is called thin: with none of 300 lost, 1 % may still be lost (95 % confidence)."""
_LIST = "pairs.txt"


@dataclass(frozen=True)
class Evidence:
    """What matches were counted on; None where it is not known. height, width: of the images, in pixels."""

    pairs: int | None = None
    height: int | None = None
    width: int | None = None
    keypoints: int | None = None

    def __str__(self) -> str:
        if self == Evidence():
            return "pairs and image size not recorded"
        size = f"{self.width} x {self.height} px" if self.height and self.width else "image size not recorded"
        points = f"{many(self.keypoints, 'keypoint')} per image" if self.keypoints else "keypoints not recorded"
        return f"{many(self.pairs, 'pair') if self.pairs else 'pairs not recorded'}, {size}, {points}"


def evidence_of(run: Run, network: str) -> Evidence:
    """Return what a run counted the matches of a network on, from its parameters."""
    networks = run.params.get("networks") or {}
    own = networks.get(network) or {}
    model = networks.get(str(own.get("extractor"))) or own
    entry = {**(own.get("model") or {}), **(model.get("model") or {})}
    return evidence_in({**entry, "pairs": _pairs(run, own.get("data") or {})})


def evidence_in(entry: Mapping[str, Any]) -> Evidence:
    """Return evidence from a mapping that may have `pairs`, `height`, `width` and `keypoints`."""
    keys = ("pairs", "height", "width", "keypoints")
    return Evidence(*(entry[key] if isinstance(entry.get(key), int) else None for key in keys))


def _pairs(run: Run, data: Mapping[str, Any]) -> int | None:
    """Return how many pairs the data section names; None where a folder's list is not to be had."""
    if data.get("source") == "scikit_image":
        return int(bool(data.get("stereo"))) + len(data.get("photographs") or ())
    text = run.files.read(f"{data['folder']}/{_LIST}") if data.get("folder") else None
    lines = (text or b"").decode(errors="replace").splitlines()
    return sum(bool(line.partition("#")[0].strip()) for line in lines) or None


def thin(original: int, lost: int, evidence: Evidence | None) -> str:
    """Return a warning where so few matches or pairs prove little; empty otherwise.

    original: matches of the original. Where none is lost of n, up to 1 - 0.05 ** (1 / n) may be (95 % confidence).
    """
    one_pair = evidence is not None and evidence.pairs == 1
    if original >= LITTLE and not one_pair:
        return ""
    counted = f"{original:,} match{'' if original == 1 else 'es'}{' of one pair' if one_pair else ''}"
    if lost or not 0 < original < LITTLE:
        return f"{counted} prove little"
    room = f"{100 * (1 - 0.05 ** (1 / original)):.0f} %"
    return f"{counted} prove little; that none is lost of {original:,} leaves room for {room} lost (95 % confidence)"
