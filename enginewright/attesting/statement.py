"""An in-toto Statement v1 with a SLSA provenance v1 predicate, of one engine. docs/provenance.md tells each part.

It holds no time: the same engine from the same source on the same machine has the same statement, and a time that
nobody else vouches for proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enginewright.artifacts import read_json, sha256_of
from enginewright.attesting.parameters import address, told
from enginewright.attesting.source import Source

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:enginewright:engine:1"
"""How `externalParameters` and the rest are to be read; the number is raised when a part changes its meaning."""
BUILDER_ID = "urn:enginewright:pipeline"

SOURCE = "source"
"""The name of the commit, and the folder of the files that differ from it."""
EDITED = "differs from the commit"
REMOVED = "removed since the commit"
NO_GIT = "no git repository"

_WORKERS = 2

Descriptor = dict[str, Any]


SUBJECTS = ("engine", "record", "typed")
"""The inputs that are the engine, and what has to lie beside it for it to be used or run elsewhere."""
TOOLS = ("maker", "simplifier", "precision", "builder", "runtime")
"""The inputs that hold the versions of the tools that made it."""
_BUILD = "build"
"""The input that says which machine built it."""


@dataclass(frozen=True)
class Made:
    """What one engine was made of.

    subjects: the engine first, then what lies beside it and describes it. chain: every other artifact and metric file,
    and the versions of all packages; both relative to `root`. parameters: of each network that has a part in it, by
    name. versions: of each tool. host: of the machine that built it, whichever it was.
    """

    network: str
    subjects: tuple[Path, ...]
    chain: tuple[Path, ...]
    parameters: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    host: Mapping[str, Any]
    source: Source
    root: Path = Path()


def made_of(
    network: str,
    inputs: Mapping[str, Path],
    parameters: Mapping[str, Mapping[str, Any]],
    source: Source,
    root: Path = Path(),
) -> Made:
    """Return what the network's engine was made of. inputs: files below `root` by the names that dvc.yaml gives them.

    Raises:
        OSError, ValueError: for a file that is not there, or a metric file that is none.
    """
    subjects = tuple(inputs[name] for name in SUBJECTS)
    others = {path for name, path in inputs.items() if name not in TOOLS}
    versions = {tool: at for name in TOOLS for tool, at in read_json(root / inputs[name]).items() if at}
    host = read_json(root / inputs[_BUILD]).get("host", {})
    return Made(network, subjects, tuple(sorted(others - set(subjects))), parameters, versions, host, source, root)


def statement_of(made: Made) -> dict[str, Any]:
    """Return the statement as plain JSON."""
    definition = {
        "buildType": BUILD_TYPE,
        "externalParameters": {"network": made.network, "networks": told(made.parameters)},
        "internalParameters": {"host": dict(made.host)},
        "resolvedDependencies": list(_dependencies(made)),
    }
    run = {"builder": {"id": BUILDER_ID, "version": dict(made.versions)}}
    return {
        "_type": STATEMENT_TYPE,
        "subject": [_file(made.root / path, path.name) for path in made.subjects],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"buildDefinition": definition, "runDetails": run},
    }


def _dependencies(made: Made) -> Iterator[Descriptor]:
    yield from source_descriptors(made.source)
    found = (checkpoint_descriptor(values.get("checkpoint") or {}) for values in made.parameters.values())
    yield from {repr(item): item for item in found if item}.values()
    with ThreadPoolExecutor(_WORKERS) as pool:  # hashing frees the interpreter
        yield from pool.map(lambda path: _file(made.root / path, path.as_posix()), made.chain)


def source_descriptors(source: Source) -> Iterator[Descriptor]:
    """Yield the commit, then each file that differs from it."""
    if source.commit is None:
        yield {"name": SOURCE, "annotations": {"note": NO_GIT}}
        return
    yield {"name": SOURCE, "digest": {"gitCommit": source.commit}, "annotations": {"dirty": bool(source.edits)}}
    for name, sha256 in source.edits.items():
        note = {"name": f"{SOURCE}/{name}", "annotations": {"note": EDITED if sha256 else REMOVED}}
        yield note | ({"digest": {"sha256": sha256}} if sha256 else {})


def checkpoint_descriptor(values: Mapping[str, Any]) -> Descriptor | None:
    """Return the published weights that a `checkpoint` section names, None for a network without."""
    sha256 = {"digest": {"sha256": values.get("sha256")}}
    if values.get("source") == "wheel":
        name, _, version = str(values["requirement"]).partition("==")
        return {"uri": f"pkg:pypi/{name.lower()}@{version}#{values['member']}"} | sha256
    if values.get("source") == "url":
        return {"uri": address(str(values["url"]))} | sha256
    return {"name": Path(str(values["path"])).name} | sha256 if values.get("source") == "file" else None


def _file(path: Path, name: str) -> Descriptor:
    notes = remarks(read_json(path)) if path.suffix == ".json" else {}
    return {"name": name, "digest": {"sha256": sha256_of(path)}} | ({"annotations": notes} if notes else {})


def remarks(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a metric file or a record says of the result: verdict or status, and why."""
    found = {key: values[key] for key in ("verdict", "status", "reason") if values.get(key)}
    parts = {name: part["verdict"] for name, part in values.items() if isinstance(part, Mapping) and "verdict" in part}
    return found | ({"verdicts": parts} if parts else {})
