"""The digest check."""

import pytest

from enginewright.checkpoint.digest import require_digest
from enginewright.errors import CheckpointError


def test_the_right_digest_passes() -> None:
    require_digest("a" * 64, "a" * 64, "somewhere", "nothing")


def test_the_error_shows_both_digests_the_origin_and_the_cure() -> None:
    with pytest.raises(CheckpointError) as caught:
        require_digest("b" * 64, "a" * 64, "https://host/file", "ask the publisher")
    text = str(caught.value)
    assert f"expected: sha256 {'a' * 64}" in text
    assert f"got: sha256 {'b' * 64}" in text
    assert "https://host/file" in text
    assert "ask the publisher" in text
    assert "checkpoint.sha256" in text
