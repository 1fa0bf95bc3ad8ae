from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from enginewright.pages.evidence import Evidence, evidence_in, evidence_of, thin
from enginewright.pages.files import FolderFiles
from enginewright.pages.run import Run


def run(folder: Path, data: dict[str, Any]) -> Run:
    networks = {
        "disk": {"extractor": "disk", "model": {"height": 128, "width": 96, "keypoints": 64}},
        "disk_lightglue": {"extractor": "disk", "model": {"keypoints": 64}, "data": data},
    }
    return Run("x", FolderFiles(folder), {"networks": networks}, {})


def test_sizes_are_the_extractors_and_pairs_the_matchers(tmp_path: Path) -> None:
    data = {"source": "scikit_image", "stereo": True, "photographs": ["brick", "coffee"]}
    found = evidence_of(run(tmp_path, data), "disk_lightglue")
    assert str(found) == "3 pairs, 96 x 128 px, 64 keypoints per image"


def test_pairs_of_a_folder_are_counted_where_its_list_can_be_had(tmp_path: Path) -> None:
    data = {"source": "folder", "folder": "mine"}
    assert evidence_of(run(tmp_path, data), "disk_lightglue").pairs is None
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pairs.txt").write_text("# left right\na b\n\nc d  # the second\n")
    assert evidence_of(run(tmp_path, data), "disk_lightglue").pairs == 2


def test_what_is_not_known_is_said_to_be_so(tmp_path: Path) -> None:
    assert str(evidence_of(Run("x", FolderFiles(tmp_path), {}, {}), "a")) == "pairs and image size not recorded"
    assert str(evidence_in({"pairs": 1, "height": "tall"})) == "1 pair, image size not recorded, keypoints not recorded"


@pytest.mark.parametrize(
    ("original", "lost", "pairs", "words"),
    [
        (24, 0, 1, "24 matches of one pair prove little; that none is lost of 24 leaves room for 12 % lost"),
        (24, 2, 1, "24 matches of one pair prove little"),
        (1, 0, None, "1 match prove little; that none is lost of 1 leaves room for 95 % lost"),
        (2755, 0, 1, "2,755 matches of one pair prove little"),
        (2755, 0, 4, ""),
        (299, 0, 4, "299 matches prove little; that none is lost of 299 leaves room for 1 % lost"),
        (0, 0, 4, "0 matches prove little"),
    ],
)
def test_few_matches_or_one_pair_are_warned_of(original: int, lost: int, pairs: int | None, words: str) -> None:
    found = thin(original, lost, Evidence(pairs))
    assert found.removesuffix(" (95 % confidence)") == words
