"""The reference of a merged graph: what the original extractor and the original matcher gave, one after the other."""

from __future__ import annotations

import numpy as np

from enginewright.contract import Contract
from enginewright.errors import NetworkError
from enginewright.reference import Reference


def merged_reference(extractor: Reference, matcher: Reference, contract: Contract) -> Reference:
    """Return images in and matches out, from the references of both parts; no network runs again.

    A sample of the extractor is the two images of each pair of the matcher's sample of the same number.

    Raises:
        NetworkError: if the two were not made on the same pairs.
    """
    expected = tuple(_images_of(name) for name in matcher.names)
    if extractor.names != expected:
        raise NetworkError(
            "extractor and matcher have references of other images",
            expected=list(expected),
            got=list(extractor.names),
            cure="dvc repro; both follow the same `data` section",
        )
    both = extractor.outputs | matcher.outputs
    outputs = {port.name: both[port.name] for port in contract.outputs}
    return Reference({"image": np.asarray(extractor.inputs["image"])}, outputs, matcher.names, contract)


def _images_of(sample: str) -> str:
    """Return the extractor's name for the sample that the matcher calls "first+second": each pair's two images."""
    return "+".join(f"{pair}/{side}" for pair in sample.split("+") for side in (0, 1))
