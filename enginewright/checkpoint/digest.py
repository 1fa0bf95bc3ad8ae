"""The proof that bytes are the bytes that were asked for."""

from __future__ import annotations

from enginewright.errors import CheckpointError


def require_digest(got: str, expected: str, origin: str, cure: str) -> None:
    """Refuse a SHA-256 that is not the configured one. `origin` says where the bytes came from.

    Raises:
        CheckpointError: showing both digests.
    """
    if got != expected:
        raise CheckpointError(
            f"the checkpoint from {origin} is not the one that was asked for",
            expected=f"sha256 {expected}",
            got=f"sha256 {got}",
            cure=f"{cure}, or correct checkpoint.sha256 if you trust these bytes",
        )
