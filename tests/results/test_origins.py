"""Parameters that lead, and those that follow."""

from __future__ import annotations

import pytest

from enginewright.config.composed import plain
from enginewright.results.origins import leading

BASE = plain([])


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        ([], {}),
        (["export.opset=18"], {"export.opset": 18}),
        (["networks.disk.export.opset=18"], {"networks.disk.export.opset": 18}),
        (["export.opset=18", "networks.disk.export.opset=17"], {"export.opset": 18}),
        (["precision=fp16"], {"precision.precision": "fp16"}),
        (["precision=tf32"], {"precision.precision": "tf32"}),
        (["precision=int8"], {"precision.precision": "int8"}),
        (["precision=fp16", "precision.samples=1"], {"precision.precision": "fp16", "precision.samples": 1}),
        (["layernorm=scaled"], {"layernorm.form": "scaled"}),
        (["compare=report", "match=report"], {"compare.gate": "report", "match.gate": "report"}),
        (["data.seed=1"], {"data.seed": 1}),
        (["networks.disk.model.keypoints=512"], {"networks.disk.model.keypoints": 512}),
        (["network=[disk,disk_lightglue,aliked_n16]"], {"networks.aliked_n16": "added"}),
    ],
)
def test_only_what_leads_is_left(overrides: list[str], wanted: dict[str, object]) -> None:
    assert {key: new for key, _, new in leading(BASE, plain(overrides))} == wanted


def test_the_way_back_leads_too() -> None:
    assert leading(plain(["precision=fp16"]), BASE) == [("precision.precision", "fp16", "fp32")]
