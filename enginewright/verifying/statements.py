"""Each engine's statement against the files: it is written again from them, and compared leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from enginewright.attesting.reading import parsed
from enginewright.attesting.source import Source
from enginewright.attesting.statement import SOURCE, made_of, statement_of
from enginewright.errors import DataError, EnginewrightError
from enginewright.stage.commands import files_in
from enginewright.verifying.checks import Check, failed, missing, passed
from enginewright.verifying.pipeline import Step

GROUP = "statements"
STAGE = "attest"
_CURE = "see the working tree above for which side is right; then rm {path} && make repro"


def check_statement(step: Step, params: Mapping[str, Any], root: Path) -> Iterator[Check]:
    """Yield what is found of one network's statement; `step` is its attest stage."""
    (inputs, _), (path,) = files_in(step.cmd), step.outs
    if not (root / path).is_file():
        yield missing(GROUP, path, f"the engine of {step.network} has no statement here", "make repro")
        return
    try:
        said = parsed((root / path).read_bytes(), path)
    except EnginewrightError as error:
        yield failed(GROUP, path, str(error.what), _CURE.format(path=path))
        return
    if absent := sorted(str(file) for file in set(inputs.values()) if not (root / file).is_file()):
        yield missing(GROUP, path, f"it cannot be compared without {', '.join(absent)}", "dvc checkout, or make repro")
        return
    yield from _compared(path, said, step, params, root)


def _compared(path: str, said: Mapping[str, Any], step: Step, params: Mapping[str, Any], root: Path) -> Iterator[Check]:
    """Compare with a statement that is made here and now. Of the source, only its shape: the code may have moved on."""
    networks = params["networks"]
    names = [key.removeprefix("networks.") for key in step.params]
    try:
        parameters = {name: networks[name] for name in names}
        wanted = statement_of(made_of(step.network, files_in(step.cmd)[0], parameters, Source(None, {}), root))
    except (ValueError, KeyError, TypeError, AttributeError, DataError) as error:
        yield failed(GROUP, path, f"a file that it names is broken: {error}", "see the working tree above")
        return
    rows = [*differences(said, wanted)]
    cure = _CURE.format(path=path)
    yield from (failed(GROUP, f"{path}: {key}", f"it says {old}, the files say {new}", cure) for key, old, new in rows)
    if not rows:
        yield passed(GROUP, path)


def differences(said: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield (key, said, wanted) of each leaf that differs, the source left out."""
    from enginewright.explaining.values import leaves

    yield from leaves(_keyed(said), _keyed(wanted))


def _keyed(value: Any) -> Any:
    """Return lists of descriptors as mappings by name, so that one more or less does not shift the others."""
    if isinstance(value, Mapping):
        return {key: _keyed(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        named: dict[str, Any] = {}
        for item in value:
            name = str(item.get("name") or item.get("uri") or item)
            if not is_source(item):
                named[name if name not in named else f"{name} again"] = _keyed(item)
        return named
    return value


def is_source(descriptor: Mapping[str, Any]) -> bool:
    """Return whether a descriptor is the commit, or a file that differs from it."""
    name = str(descriptor.get("name", ""))
    return name == SOURCE or name.startswith(f"{SOURCE}/")


def dependencies(statement: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the resolved dependencies of a statement that was parsed."""
    found: Sequence[Mapping[str, Any]] = statement["predicate"]["buildDefinition"].get("resolvedDependencies", [])
    return found


def source_in_words(statement: Mapping[str, Any]) -> str:
    """Return the commit that a statement names, and which files differed from it."""
    found = [item for item in dependencies(statement) if is_source(item)]
    commit = next((item.get("digest", {}).get("gitCommit") for item in found if item["name"] == SOURCE), None)
    edits = [item["name"].removeprefix(f"{SOURCE}/") for item in found if item["name"] != SOURCE]
    if not commit:
        return "no commit: it was made outside git"
    return f"commit {commit[:10]}" + (f", with edits of {', '.join(edits)}" if edits else "")
