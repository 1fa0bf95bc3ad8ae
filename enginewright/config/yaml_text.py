"""YAML by the safe loader, in C where it is built: a params.yaml or dvc.lock takes pure Python ten times as long."""

from __future__ import annotations

from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str | bytes) -> Any:
    """Return what the text holds, None for an empty one.

    Raises:
        yaml.YAMLError: if it is no YAML.
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - the safe loader
