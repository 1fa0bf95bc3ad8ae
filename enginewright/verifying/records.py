"""engine.json against the engine and the graph beside it, and the statement's subjects against all three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from enginewright.artifacts import sha256_of
from enginewright.engine.record import Content, read_record
from enginewright.errors import BuildError
from enginewright.verifying.checks import Check, compared, failed, missing

GROUP = "records"
RECORD, ENGINE, GRAPH = "engine.json", "engine.plan", "typed.onnx"
_CURE = "rm the file that is wrong and dvc checkout it, or make repro"


def check_record(folder: Path, name: str) -> Iterator[Check]:
    """Yield what is found of the record in `folder`, which is called `name` in the results."""
    if not (folder / RECORD).is_file():
        yield missing(GROUP, f"{name}/{RECORD}", "there is no record of an engine", "make repro, or make pull")
        return
    try:
        record = read_record(folder / RECORD)
    except BuildError as error:
        yield failed(GROUP, f"{name}/{RECORD}", error.what, _CURE)
        return
    for file, said in ((ENGINE, record.engine), (GRAPH, record.graph)):
        yield _content(folder / file, f"{name}/{file} as {RECORD} describes it", said)


def _content(path: Path, name: str, said: Content) -> Check:
    if not path.is_file():
        return missing(GROUP, name, "it is not there")
    return compared(GROUP, name, said, Content(sha256_of(path), path.stat().st_size), _CURE)


def check_subjects(folder: Path, name: str, statement: Mapping[str, Any]) -> Iterator[Check]:
    """Yield a check for each file that a statement is about, looked for in `folder`.

    Its names are not paths: only the three that there are can be looked for. Without the engine there is no check.
    """
    said = {str(item.get("name")): str(item["digest"].get("sha256")) for item in statement["subject"]}
    for file in (ENGINE, RECORD, GRAPH):
        title = f"{name}/{file} as the statement describes it"
        if file not in said:
            yield failed(GROUP, title, "the statement is not about it", _CURE)
        elif not (folder / file).is_file():
            yield missing(GROUP, title, "it is not there")
        else:
            yield compared(GROUP, title, said[file], sha256_of(folder / file), _CURE)
    for other in sorted(said.keys() - {ENGINE, RECORD, GRAPH}):
        yield failed(GROUP, f"{name}: {other}", "the statement is about a file that no engine has", _CURE)
