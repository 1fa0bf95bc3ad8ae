"""What a statement leaves out of the parameters: where something lay on a machine, and secrets of addresses."""

from __future__ import annotations

from typing import Any

import pytest

from enginewright.attesting.parameters import address, told


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"folder": "my_pairs"}, {"folder": "my_pairs"}),
        ({"folder": "/elsewhere/pairs"}, {"folder": "(outside)/pairs"}),
        ({"checkpoint": {"path": "~/weights/a.pth"}}, {"checkpoint": {"path": "(outside)/a.pth"}}),
        ({"path": "../a.onnx"}, {"path": "(outside)/a.onnx"}),
        ({"timing_cache": "/var/cache"}, {"timing_cache": "(outside)/cache"}),
        ({"fp32_nodes": ["/norm/Pow", "/norm/Div"]}, {"fp32_nodes": ["/norm/Pow", "/norm/Div"]}),
        ({"url": "https://user:secret@example.com/a?token=secret#x"}, {"url": "https://example.com/a"}),
        ({"folder": None, "opset": 20, "tf32": False}, {"folder": None, "opset": 20, "tf32": False}),
    ],
)
def test_only_places_and_secrets_are_left_out(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert told(given) == wanted


def test_a_plain_address_stays() -> None:
    assert address("https://example.com:8443/v1/a.pth") == "https://example.com:8443/v1/a.pth"
