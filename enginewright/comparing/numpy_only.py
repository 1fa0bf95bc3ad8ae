"""Keeps Polygraphy from importing torch, which takes it a second or two, to ask whether an array is a torch tensor.

Every array that is compared here is numpy's. Import this before anything of Polygraphy is called.
"""

from __future__ import annotations

from typing import Any

from polygraphy.util import array as _array


def _never(value: object) -> bool:
    """Answer for `polygraphy.util.array.is_torch`: no array here is a torch tensor."""
    return False


_module: Any = _array
_module.is_torch = _never
