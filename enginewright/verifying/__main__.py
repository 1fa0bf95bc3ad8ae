"""`make verify`: hash everything again and compare all that says anything of anything, offline.

python -m enginewright.verifying [--network disk] [--all] [--key public.pem]
python -m enginewright.verifying --folder received/disk [--key public.pem]

Exits with 1 if anything does not fit. What could not be checked is `not run`, which is neither.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from enginewright.command import parser_of
from enginewright.errors import ConfigError, exit_with
from enginewright.verdicts import State
from enginewright.verifying.chain import Request, checks_of, sources
from enginewright.verifying.checks import outcome, table
from enginewright.verifying.folder import checks_of_folder
from enginewright.verifying.signatures import demanded_key


def main(arguments: Sequence[str]) -> int:
    """Print the table and return 1 if a check failed.

    Raises:
        AttestationError, ConfigError: for a key, a network or a folder that is none.
    """
    parser = parser_of("enginewright.verifying", __doc__)
    parser.add_argument("--network", default="", help="one network; all of params.yaml by default")
    parser.add_argument("--all", action="store_true", help="every object of the cache, of earlier runs too")
    parser.add_argument("--key", default="", help="an Ed25519 public key in PEM that every statement must be signed by")
    parser.add_argument("--folder", type=Path, help="one engine's folder, outside any repository")
    options = parser.parse_args(list(arguments))
    key = demanded_key(options.key, Path())
    if options.folder is not None:
        if not options.folder.is_dir():
            raise ConfigError("there is no such folder", got=str(options.folder))
        checks, told = [*checks_of_folder(options.folder.resolve(), key)], []
    else:
        checks = [*checks_of(Path(), Request(options.network, options.all, key))]
        told = sources(Path(), options.network)
    state = outcome(checks)
    print("\n".join([*table(checks), "", *told, f"verified: {state.value.replace('_', ' ')}"]))
    return int(state is State.failed)


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
