"""The same through S3, on a server of this machine."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator

import pytest

from tests.explaining.tiny import Tiny
from tests.sharing.test_folder import share

BUCKET = "results"

if importlib.util.find_spec("dvc_s3") is None or importlib.util.find_spec("moto") is None:
    pytest.skip("needs requirements/test.txt: dvc-s3 and moto", allow_module_level=True)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of an S3 server with a bucket, and credentials for it in the environment."""
    import boto3
    from moto.server import ThreadedMotoServer

    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket=BUCKET)
    yield address
    server.stop()


def test_a_colleague_pulls_everything_and_runs_nothing(mine: Tiny, endpoint: str, cloned: Callable[[], Tiny]) -> None:
    share(mine, "remote", f"s3://{BUCKET}/enginewright/", "--endpoint", endpoint)
    mine.commit()
    share(mine, "push")
    theirs = cloned()
    assert "secret" not in (theirs.path / ".dvc/config").read_text()
    share(theirs, "pull")
    assert (theirs.path / "report").read_bytes() == (mine.path / "report").read_bytes()
    assert theirs.repro() == (set(), set())
    assert (theirs.path / ".dvc/cache/runs").is_dir()
