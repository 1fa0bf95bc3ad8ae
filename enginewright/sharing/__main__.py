"""`make remote`, `make push`, `make pull`: share results between clones, so that nobody builds an engine twice.

python -m enginewright.sharing remote URL [--endpoint ADDRESS]
python -m enginewright.sharing push [--all]
python -m enginewright.sharing pull
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dvc.repo import Repo  # type: ignore[import-untyped]

from enginewright.errors import ConfigError, RequirementError, exit_with
from enginewright.lineage.locks import LOCKS
from enginewright.sharing.finished import push_finished
from enginewright.sharing.remote import NAME, check_endpoint, checked, refuse_without_s3

PIPELINE = "dvc.yaml"


def main(arguments: Sequence[str]) -> None:
    """Do what was asked for.

    Raises:
        ConfigError: for a place that cannot be one, or if none was named yet.
        RequirementError: if the place cannot be reached, or DVC could not do its part.
    """
    options = _parser().parse_args(arguments)
    if options.what == "remote":
        set_remote(options.url, options.endpoint)
    elif options.what == "push":
        push(everything=options.all)
    else:
        pull()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m enginewright.sharing", description="Share results.")
    kinds = parser.add_subparsers(dest="what", required=True)
    remote = kinds.add_parser("remote", help="name the place")
    remote.add_argument("url", help="a folder, or s3://BUCKET/PREFIX")
    remote.add_argument("--endpoint", default="", help="of an S3 server that is not Amazon's")
    kinds.add_parser("push", help="send").add_argument(
        "--all", action="store_true", help="experiments and earlier runs too"
    )
    kinds.add_parser("pull", help="fetch")
    return parser


def set_remote(url: str, endpoint: str) -> None:
    """Write the place into .dvc/config, which is committed: every clone has it then."""
    if endpoint:
        check_endpoint(url, endpoint)
    place = checked(url, Path())
    _dvc("remote", "add", "--quiet", "--force", "--default", NAME, place)
    _dvc("remote", "modify", NAME, "verify", "true")  # what was damaged there is refused, not used
    if endpoint:
        _dvc("remote", "modify", NAME, "endpointurl", endpoint)
    print(f"{place} is where make push and make pull go; commit .dvc/config, so that every clone has it")


def push(everything: bool) -> None:
    """Send artifacts, metrics and plots of the working tree's dvc.lock, and the run-cache."""
    _refuse_no_remote()
    _dvc("push", "--run-cache", "--remote", NAME)
    if everything:
        with Repo() as repo:
            print(f"{push_finished(repo, NAME)} objects of experiments and earlier runs pushed")
    if changed := _uncommitted():
        print(f"commit {' and '.join(changed)}: other clones fetch what the committed one names")


def pull() -> None:
    """Fetch what dvc.lock names and the run-cache, and put the pipeline's outputs into place.

    The probe's files are fetched and not put into place: they say what another machine has.
    """
    _refuse_no_remote()
    _dvc("fetch", "--run-cache", "--remote", NAME)
    _dvc("checkout", PIPELINE)


def _refuse_no_remote() -> None:
    with Repo() as repo:
        remote = repo.config["remote"].get(NAME)
    if remote is None:
        raise ConfigError(
            "no place to share through is named", expected=f"a remote {NAME} in .dvc/config", got=None,
            cure="make remote URL=/mnt/share/enginewright, or URL=s3://BUCKET/PREFIX",
        )  # fmt: skip
    if remote["url"].startswith("s3:"):
        refuse_without_s3()


def _uncommitted() -> list[str]:
    told = subprocess.run(
        ["git", "status", "--porcelain", "--", *LOCKS], capture_output=True, check=False, encoding="utf-8"
    ).stdout
    return [line[3:] for line in told.splitlines()]


def _dvc(*words: str) -> None:
    """Run DVC, whose progress and errors the user sees."""
    status = subprocess.run([sys.executable, "-m", "dvc", *words], check=False).returncode
    if status:
        raise RequirementError(
            f"dvc {words[0]} failed", expected="exit 0", got=f"exit {status}", cure="see its message above"
        )


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
