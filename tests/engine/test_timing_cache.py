from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from enginewright.engine.gpu import Gpu
from enginewright.engine.timing_cache import cache_path, keep_cache, read_cache
from enginewright.errors import BuildError

HOPPER = Gpu("NVIDIA H200 / 141GB", "9.0", "580.1")
DATA = b"kernel timings"
DIGEST = hashlib.sha256(DATA).hexdigest()


def test_the_key_is_version_and_gpu(tmp_path: Path) -> None:
    path = cache_path(tmp_path, "tensorrt_11.4.1", HOPPER)
    assert path == tmp_path / "tensorrt_11.4.1_NVIDIA_H200_141GB_sm9.0.timing_cache"
    others = [
        cache_path(tmp_path, "tensorrt_11.4.2", HOPPER),
        cache_path(tmp_path, "tensorrt_11.4.1", Gpu("NVIDIA H100", "9.0", "580.1")),
        cache_path(tmp_path, "tensorrt_11.4.1", Gpu(HOPPER.name, "9.1", "580.1")),
    ]
    assert len({path, *others}) == 4


def test_the_driver_is_no_part_of_the_key(tmp_path: Path) -> None:
    newer = Gpu(HOPPER.name, HOPPER.compute_capability, "590.0")
    assert cache_path(tmp_path, "v", newer) == cache_path(tmp_path, "v", HOPPER)


def test_a_gpu_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    assert cache_path(tmp_path, "../..", Gpu("../../x", "9.0", "")).parent == tmp_path


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert read_cache(tmp_path / "none", None) is None


def test_what_was_kept_is_read(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "key.timing_cache"
    assert keep_cache(path, DATA, pinned=False) == DIGEST
    assert read_cache(path, None) == DATA
    assert read_cache(path, DIGEST) == DATA


def test_another_digest_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.timing_cache"
    keep_cache(path, DATA, pinned=False)
    path.write_bytes(DATA[:-1] + b"!")
    with pytest.raises(BuildError, match="not the one that is pinned") as caught:
        read_cache(path, DIGEST)
    assert caught.value.expected == f"SHA-256 {DIGEST}"
    assert caught.value.got == f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_a_pinned_cache_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="not the one that is pinned") as caught:
        read_cache(tmp_path / "key.timing_cache", DIGEST)
    assert caught.value.got == "no key.timing_cache"


def test_a_pinned_cache_stays_as_it_is_and_the_grown_one_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "key.timing_cache"
    keep_cache(path, DATA, pinned=False)
    grown = keep_cache(path, DATA + b" and more", pinned=True)
    assert read_cache(path, DIGEST) == DATA
    assert (tmp_path / "key.grown").read_bytes() == DATA + b" and more"
    assert grown == hashlib.sha256(DATA + b" and more").hexdigest()


def test_an_unpinned_cache_grows_in_place_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "key.timing_cache"
    keep_cache(path, DATA, pinned=False)
    keep_cache(path, DATA + DATA, pinned=False)
    assert path.read_bytes() == DATA + DATA
    assert [item.name for item in tmp_path.iterdir()] == ["key.timing_cache"]
