"""Where an engine comes from: what engine.json and its statement say of it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enginewright.report.words import megabytes

_STATUS = {
    "proven": "proven: the engine was run on a GPU and agrees with the original",
    "graph_proven": "graph proven; the engine itself was not run",
    "unproven": "unproven",
}


def provenance_of(
    record: Mapping[str, Any], commit: str, statement: Mapping[str, Any] | None = None
) -> list[tuple[str, str]]:
    """Return (what, words) of a record and its statement; empty if there is no record.

    commit: of the run, empty if unknown. What the statement says is told as its word: nothing here has verified it.
    """
    facts = [*_facts(record, commit), *(_attested(statement) if statement else ())] if record else []
    return [(what, words) for what, words in facts if words]


def _facts(record: Mapping[str, Any], commit: str) -> Iterator[tuple[str, str]]:
    status = str(record.get("status"))
    yield "status", _STATUS.get(status, status)
    yield "why", str(record.get("reason") or "")
    yield "runs on", _targets(record.get("targets") or {})
    yield "builder", ", ".join([str(record.get("builder")), *_pairs(record.get("versions"))])
    yield "options", ", ".join(_pairs({key: value for key, value in (record.get("options") or {}).items() if value}))
    yield "layers compute in", ", ".join(_pairs(record.get("layer_types")))
    yield "engine", _digest(record.get("engine"))
    yield "typed graph", _digest(record.get("graph"))
    yield "inputs", "; ".join(_port(port) for port in record.get("inputs") or ())
    yield "outputs", "; ".join(_port(port) for port in record.get("outputs") or ())
    yield "commit", commit


def _attested(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a statement says; a part that is not as we write it is left out."""
    predicate = _mapping(statement.get("predicate"))
    definition = _mapping(predicate.get("buildDefinition"))
    host = _mapping(_mapping(definition.get("internalParameters")).get("host"))
    version = _mapping(_mapping(predicate.get("runDetails")).get("builder")).get("version")
    found = [item for item in definition.get("resolvedDependencies") or () if isinstance(item, Mapping)]
    names = [str(item.get("name", item.get("uri"))) for item in found]
    yield "attested source", _source(found)
    yield "weights", ", ".join(name for name in names if name.startswith("pkg:") or "://" in name)
    yield "tools", ", ".join(_pairs(version))
    yield "built on", ", ".join(str(host[key]) for key in ("system", "architecture", "cpu", "gpu") if host.get(key))
    made = [name for name in names if not name.startswith(("source", "pkg:")) and "://" not in name]
    yield "made of", f"{len(made)} files by SHA-256: {', '.join(made)}" if made else ""


def _source(dependencies: list[Mapping[str, Any]]) -> str:
    """Return the commit that a statement names and the files that differed from it."""
    commits = [_mapping(item.get("digest")).get("gitCommit") for item in dependencies if item.get("name") == "source"]
    edits = [name[len("source/") :] for item in dependencies if (name := str(item.get("name"))).startswith("source/")]
    known = next((str(commit) for commit in commits if commit), "no commit")
    return known + (f", with edits of {', '.join(edits)}" if edits else "") if commits else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _targets(targets: Mapping[str, Any]) -> str:
    found = [str(one) for one in targets.get("compute_capabilities") or ()]
    later = " and later" if targets.get("and_later") else ""
    return f"GPUs of compute capability {', '.join(found)}{later}" if found else ""


def _digest(entry: Mapping[str, Any] | None) -> str:
    if not entry:
        return ""
    size = entry.get("size")
    return f"{megabytes(size / 1e6 if isinstance(size, int) else None)}, SHA-256 {entry.get('sha256')}"


def _pairs(values: Any) -> list[str]:
    return [f"{key} {value}" for key, value in values.items()] if isinstance(values, Mapping) else []


def _port(port: Mapping[str, Any]) -> str:
    shape = " x ".join(str(size) for size in port.get("shape") or ())
    return f"{port.get('name')} {port.get('dtype')} ({shape})"
