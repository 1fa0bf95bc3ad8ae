"""One engine's folder as somebody received it: what is in it, by its own statement. No repository is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from enginewright.attesting.reading import parsed
from enginewright.engine.loader import STATEMENT
from enginewright.errors import AttestationError
from enginewright.verifying.checks import Check, failed, missing
from enginewright.verifying.records import check_record, check_subjects
from enginewright.verifying.signatures import check_signature
from enginewright.verifying.statements import GROUP, dependencies, is_source

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey


def checks_of_folder(folder: Path, key: SSlibKey | None) -> Iterator[Check]:
    """Yield every check of the engine in `folder`."""
    statement, name = folder / STATEMENT, folder.name
    yield from check_record(folder, name)
    if not statement.is_file():
        yield missing(GROUP, f"{name}/{STATEMENT}", "it is not there", "ask for it: it lies beside the engine")
    else:
        yield from _of_statement(folder, statement)
    if statement.is_file() or key is not None:
        yield from check_signature(statement, f"{name}/{STATEMENT}", key)


def _of_statement(folder: Path, path: Path) -> Iterator[Check]:
    try:
        statement = parsed(path.read_bytes(), path.name)
    except AttestationError as error:
        yield failed(GROUP, f"{folder.name}/{STATEMENT}", error.what, "ask for it again")
        return
    yield from check_subjects(folder, folder.name, statement)
    others = [item for item in dependencies(statement) if not is_source(item)]
    reason = f"what it was made of is not in this folder: {len(others)} files, by digest"
    yield missing(GROUP, f"{folder.name}/{STATEMENT}", reason, "make verify, in a repository that has them")
