"""The files that DVC writes of what ran, tracked by git as the user's own are."""

from __future__ import annotations

LOCKS = ("dvc.lock", "machine/dvc.lock")
"""The pipeline's, and the probe's. A difference in them is no edit of the user's."""
