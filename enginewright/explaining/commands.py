"""How the command of a stage differs from the one that ran."""

from __future__ import annotations

import re
import shlex

from enginewright.explaining.changes import Change, Kind


def command_change(stage: str, old: str, new: str) -> list[Change]:
    """Return the words that only one of two commands has, none where they are the same.

    The network's name is written as ${key}, as in dvc.yaml: one edit there is one change, for however many networks.
    """
    if old == new:
        return []
    name, _, key = stage.partition("@")
    before, after = shlex.split(old), shlex.split(new)
    gone = [word for word in before if word not in after]
    come = [word for word in after if word not in before]
    parts = [f"without {' '.join(gone)}"] * bool(gone) + [f"with {' '.join(come)}"] * bool(come)
    how = ", ".join(parts) or "has its words in another order"
    return [Change(Kind.command, f"command of {name}", _as_template(how, key))]


def _as_template(text: str, key: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(key)}(?!\w)", "${key}", text) if key else text
