"""What a row says that its matches were counted on."""

from __future__ import annotations

from enginewright.gpu.build import counted_on
from enginewright.stage.chain import configured
from tests.gpu.small import reference


def test_a_row_says_how_many_pairs_of_which_size_its_matches_were_counted_on() -> None:
    config = configured("disk_lightglue", [])
    assert counted_on(config, reference()) == {"pairs": 2, "height": 512, "width": 512, "keypoints": 1024}
