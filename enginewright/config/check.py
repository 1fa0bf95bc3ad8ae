"""Checks of single configuration values. Each raises ConfigError with the key, the allowed and the got.

A value that no other key could make right raises NotAllowedError: a sweep that has it does not start.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from enginewright.errors import ConfigError, NotAllowedError

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.+!_]*")


_USER = re.compile(r"^([a-z0-9+.-]*:?//)[^/?#]*@", re.IGNORECASE)
_SECRET = re.compile(
    r"([?&;#])([^=&;#]*(?:token|secret|signature|password|passwd|credential|session|api[_-]?key|access[_-]?key|auth|"
    r"(?:^|(?<=[?&;#]))(?:sig|key|pwd|pass|jwt|code))[^=&;#]*)=[^&;#]*",
    re.IGNORECASE,
)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")


def between(key: str, value: float, low: float, high: float) -> None:
    """Refuse a value outside low..high, both allowed."""
    if not low <= value <= high:
        nearest = low if value < low else high
        raise NotAllowedError(
            f"{key} is out of range",
            expected=f"{low} to {high}",
            got=value,
            cure=f"set {key}={nearest}, the nearest that is allowed" if value == value else _cure(key),  # noqa: PLR0124
        )


def at_least(key: str, value: float, low: float, cure: str) -> None:
    """Refuse a value below `low`, with the cure that the caller knows."""
    if value < low:
        raise ConfigError(f"{key} is too low", expected=f"{low} or more", got=value, cure=cure)


def positive(key: str, value: float) -> None:
    """Refuse zero, negative numbers, NaN, and infinity, a limit that nothing could breach."""
    if not 0 < value < math.inf:
        raise NotAllowedError(f"{key} is out of range", expected="more than 0, finite", got=value, cure=_cure(key))


def multiple(key: str, value: int, step: int) -> None:
    """Refuse a value that is no positive multiple of `step`, naming the nearest that is."""
    if value <= 0 or value % step:
        whole, rest = divmod(value, step)
        up = 2 * rest > step or (2 * rest == step and whole % 2 == 1)  # as round(), for numbers of any size
        nearest = max(step, (whole + up) * step)
        raise NotAllowedError(
            f"{key} does not fit the network", expected=f"a multiple of {step}", got=value, cure=f"set {key}={nearest}"
        )


def odd(key: str, value: int) -> None:
    """Refuse an even window size."""
    if value % 2 == 0:
        raise NotAllowedError(
            f"{key} has no centre", expected="an odd number", got=value, cure=f"set {key}={value + 1}"
        )


def profile(key: str, value: Sequence[int]) -> None:
    """Refuse what is not [min, max] of positive sizes in order."""
    if len(value) != 2 or not 0 < value[0] <= value[1]:
        raise NotAllowedError(
            f"{key} is no range", expected="[min, max], 0 < min <= max", got=list(value), cure=_cure(key)
        )


def digest(key: str, value: str) -> None:
    """Refuse what is not a lower-case hexadecimal SHA-256."""
    if not _DIGEST.fullmatch(value):
        raise NotAllowedError(
            f"{key} is no SHA-256", expected="64 lower-case hexadecimal digits", got=value, cure="sha256sum FILE"
        )


def given(key: str, value: object, because: str) -> None:
    """Refuse a missing value that another key makes necessary."""
    if not value:
        raise ConfigError(f"{key} is missing", expected=f"a value, because {because}", got=value, cure=_cure(key))


def absent(key: str, value: object, because: str) -> None:
    """Refuse a value that another key leaves no use for."""
    if value is not None:
        raise ConfigError(f"{key} has no use", expected=f"null, because {because}", got=value, cure=_cure(key))


def pinned(key: str, value: str) -> None:
    """Refuse a requirement that does not name exactly one version."""
    if not _PINNED.fullmatch(value):
        raise NotAllowedError(f"{key} is not pinned", expected="NAME==VERSION", got=value, cure=_cure(key))


def patterns(key: str, values: Sequence[str]) -> None:
    """Refuse regular expressions that do not compile."""
    for value in values:
        try:
            re.compile(value)
        except re.error as error:
            raise NotAllowedError(
                f"{key} has a bad pattern: {error}", expected="a regular expression", got=value
            ) from error


def address(key: str, value: str) -> None:
    """Refuse an address that is not one of http or https with a host, or that holds a password or a key.

    Configuration is committed, hashed, shown and shared: nothing in it stays secret.
    """
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or _UNPRINTABLE.search(value):
        raise NotAllowedError(
            f"{key} is no address of the web", expected="https://HOST/PATH", got=without_secrets(value), cure=_cure(key)
        )
    if without_secrets(value) != value:
        raise NotAllowedError(
            f"{key} holds a password or a key, and configuration is committed and shared",
            expected="an address that anybody may read",
            got=without_secrets(value),
            cure="download the file yourself and use checkpoint.source=file; the digest proves that it is the same",
        )


def without_secrets(value: str) -> str:
    """Return an address as it may be shown: user and password, and what in its query opens a door, as ***."""
    hidden = _SECRET.sub(r"\1\2=***", _USER.sub(r"\1***@", value))
    return _UNPRINTABLE.sub("?", hidden)


def plain_names(key: str, values: Iterable[str]) -> None:
    """Refuse names such as `_target_`, by which other programs mean code to run."""
    if odd_ones := [name for name in values if name.startswith("_")]:
        raise NotAllowedError(f"{key} has names that mean code to run", expected="names of arguments", got=odd_ones)


def _cure(key: str) -> str:
    return f"correct {key} in conf/ or on the command line"
