"""The `model` sections of the published networks, as conf/network/ has them, with what a test changes."""

from __future__ import annotations

from typing import Any

from enginewright.config.models import ExtractorModel, MatcherModel


def disk_model(**values: Any) -> ExtractorModel:
    """Return DISK's section."""
    return ExtractorModel(**{"adapter": "disk", "multiple": 16, **values})


def lightglue_model(**values: Any) -> MatcherModel:
    """Return LightGlue's section."""
    return MatcherModel(**{"adapter": "lightglue", "layernorms": 18, **values})
