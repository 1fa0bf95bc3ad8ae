"""`make sign KEY=private.pem`: sign the statements of all engines that were built here, or of one.

python -m enginewright.signing private.pem [--network disk]

The key stays outside the repository. If it has a password, that is read from the variable SIGNING_PASSWORD.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from enginewright.attesting.reading import parsed
from enginewright.command import parser_of
from enginewright.errors import AttestationError, exit_with
from enginewright.signing.envelope import envelope_path, sign
from enginewright.signing.keys import signer_of
from enginewright.verdicts import State
from enginewright.verifying.chain import statement_paths
from enginewright.verifying.records import check_subjects

PASSWORD = "SIGNING_PASSWORD"  # noqa: S105 - the name of a variable


def main(arguments: Sequence[str]) -> None:
    """Sign each statement that lies here, after it was read: nothing that is no statement gets a signature.

    Raises:
        AttestationError: for a key that cannot be used, a statement that is none, or if there is none.
    """
    parser = parser_of("enginewright.signing", __doc__)
    parser.add_argument("key", type=Path, help="an Ed25519 private key in PEM, outside the repository")
    parser.add_argument("--network", default="", help="one network; all of params.yaml by default")
    options = parser.parse_args(list(arguments))
    signer = signer_of(options.key.expanduser(), Path(), os.environ.get(PASSWORD))
    paths = statement_paths(Path(), options.network)
    found = [path for path in paths if path.is_file()]
    if not found:
        raise AttestationError("there is no statement to sign", expected=[*map(str, paths)], cure="make repro")
    for path in found:
        _refuse_unfit(path)
    for path in found:
        print(f"{envelope_path(path)}: signed by key {sign(path, signer)}")


def _refuse_unfit(path: Path) -> None:
    """Refuse a statement that is none, or is not about the files beside it: a signature vouches for both.

    Raises:
        AttestationError: naming each file that is not the one.
    """
    statement = parsed(path.read_bytes(), str(path))
    checks = check_subjects(path.parent, str(path.parent), statement)
    if unfit := [check.name for check in checks if check.verdict.state is not State.passed]:
        raise AttestationError(
            f"{path} is not about the files beside it, so it is not signed", got="; ".join(unfit), cure="make verify"
        )


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
