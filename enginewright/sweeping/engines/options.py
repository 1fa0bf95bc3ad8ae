"""Options of an engine's own, as the user types them."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from enginewright.errors import ConfigError


def options_of(words: Sequence[str]) -> dict[str, object]:
    """Return KEY=VALUE words as a mapping; values are read as YAML reads them, so that 1 is a number.

    Raises:
        ConfigError: for a word without a key.
    """
    found: dict[str, object] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not key or not sign:
            raise ConfigError("an option of the engine has no key or no value", expected="KEY=VALUE", got=word)
        found[key] = yaml.safe_load(value)
    return found
