"""Names of many stages in few words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def stages_in_words(names: Iterable[str]) -> str:
    """Return stages, which come in the pipeline's order, as `export, cast of disk, aliked; match of aliked; report`.

    Stages of the same networks stand together.
    """
    networks: dict[str, list[str]] = {}
    for name in names:
        stage, _, network = name.partition("@")
        networks.setdefault(stage, []).append(network)
    stages: dict[tuple[str, ...], list[str]] = {}
    for stage, of in networks.items():
        stages.setdefault(tuple(of), []).append(stage)
    return "; ".join(", ".join(found) + (f" of {', '.join(of)}" if any(of) else "") for of, found in stages.items())


def matching(wanted: str, names: Sequence[str]) -> list[str]:
    """Return the stages that a name means: `export@disk` one, `export` that of every network."""
    return [name for name in names if name == wanted or name.partition("@")[0] == wanted]


def networks_joined(keys: Sequence[str]) -> str:
    """Return one dotted key for the same parameter of several networks: `networks.{disk,aliked_n16}.export.opset`."""
    if len(keys) == 1:
        return keys[0]
    parts = [key.split(".", 2) for key in keys]
    return f"networks.{{{','.join(name for _, name, _ in parts)}}}.{parts[0][2]}"
