"""The tiny project, which every test here may change."""

from tests.explaining.conftest import built_tiny, tiny

__all__ = ["built_tiny", "tiny"]
