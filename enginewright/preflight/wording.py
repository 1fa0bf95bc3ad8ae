"""What a builder says when it refuses, without its source files, stages and repetitions."""

from __future__ import annotations

import re

_NOISE = ("catchCudaError", "Thread context has not been set", "Build canceled by user")
_SOURCE = re.compile(r"\.?\s*\(?In [\w:()]+ at /[^\s)]+(:\d+)?\)?")
_API = re.compile(r"^\S*?(?:::)?\S*?:? ?Error Code \d+: [^(]*\((.*)\)\s*$", re.DOTALL)
_ASSERTION = re.compile(r"^Assertion failed: (.*?\w\S*): (?=[A-Z\"])", re.DOTALL)
_QUOTED = re.compile(r"&& \"([^\"]+)\"")
_LAYER = re.compile(r"\bI\w*Layer ([^:]+): (?:\1: )?")
_THROWN = re.compile(r"^\[[^\]]*\] |\b\w+Exception: |\S+\.cpp:\d+: |CHECK\(.*?\)\)? failed\. ")
_ADVICE = re.compile(r"\s*\(See https?:[^)]*\)|\s*Alternatively, .*$")
"""For those who call TensorRT themselves."""
_STORED = re.compile(r"^Failed to import initializer: .*?(\S+)$", re.DOTALL)
_NO_IMPORTER = "the parser has no way to import this operator"
_MOST = 300


def plain(message: str, names: tuple[str, ...] = ()) -> str:
    """Return one refusal in plain words.

    Args:
        message: as the parser or the builder gave it.
        names: of the node, which a report names already.
    """
    lines = [line for line in message.splitlines() if not any(noise in line for noise in _NOISE)]
    text = " ".join(_line(line) for line in lines if not line.startswith("Invalid Node - "))
    for name in filter(None, names):
        text = text.removeprefix(f"{name}: ")
    return _short(" ".join(text.split())) or "the node is invalid"


def is_noise(message: str) -> bool:
    """Return whether a logged line says nothing of the graph."""
    return any(noise in message for noise in _NOISE) and "\n" not in message


def layer_named(message: str) -> str | None:
    """Return the name of the layer, which is that of its node, that a message is about."""
    found = _LAYER.search(message)
    return found[1] if found else None


def _line(line: str) -> str:
    if line == "false":
        return _NO_IMPORTER
    text = _SOURCE.sub("", line).strip()
    if stored := _STORED.match(text):
        return f"its stored tensor {stored[1]} is broken"
    if found := _API.match(text + ")" * (text.count("(") - text.count(")"))):
        text = found[1]
    text = _ADVICE.sub("", _THROWN.sub("", text))
    if quoted := _QUOTED.search(text):
        return quoted[1]
    return _LAYER.sub("", _ASSERTION.sub("", text))


def _short(text: str) -> str:
    """Cut after a sentence that ends within the limit, or at the limit."""
    if len(text) <= _MOST:
        return text
    end = text.rfind(". ", 0, _MOST)
    return text[: end + 1] if end > 0 else text[:_MOST]
