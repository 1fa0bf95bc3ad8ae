"""Everything that can be checked in a repository, group by group; a broken one keeps no other from being checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yaml import YAMLError

from enginewright.attesting.reading import parsed
from enginewright.attesting.source import source_of
from enginewright.errors import ConfigError, EnginewrightError
from enginewright.lineage.locks import LOCKS
from enginewright.verifying.cache import check_all, check_named, objects_folder
from enginewright.verifying.checks import Check, failed, missing
from enginewright.verifying.configuration import GROUP, check_packages, check_params
from enginewright.verifying.hashing import Tree
from enginewright.verifying.locks import GROUP as LOCK_GROUP
from enginewright.verifying.locks import Entry, check_entries, read_entries
from enginewright.verifying.pipeline import Step, steps_of
from enginewright.verifying.records import check_record, check_subjects
from enginewright.verifying.signatures import check_signature
from enginewright.verifying.statements import STAGE, check_statement, source_in_words
from enginewright.verifying.tree import check_inputs, check_outputs

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

PIPELINE, (LOCK, MACHINE) = "dvc.yaml", LOCKS


@dataclass(frozen=True)
class Request:
    """What is to be verified: one network or all of params.yaml, and the whole cache or what this run needs of it.

    key: that every statement must be signed by; None demands no signature.
    """

    network: str = ""
    whole_cache: bool = False
    key: SSlibKey | None = None


def checks_of(root: Path, request: Request) -> Iterator[Check]:
    """Yield every check of the repository at `root`.

    Raises:
        ConfigError: if the network is none of params.yaml's.
    """
    params, found = check_params(root)
    yield from found
    _refuse_unknown(params, request.network)
    steps: dict[str, Step] = {}
    try:
        steps = _steps(root, params, request.network)
    except ConfigError as error:
        yield failed(GROUP, PIPELINE, error.what, error.cure or "")
    entries, told = _entries(root / LOCK, root)
    yield from told
    mine = {name: entry for name, entry in entries.items() if _wanted(name, steps, request.network)}
    tree = Tree(root)
    if entries:
        if steps:
            yield from check_entries(steps, mine, params or {})
        yield from check_outputs(mine, tree)
        yield from check_inputs(mine, tree)
        yield from _of_cache(root, mine, tree, request)
    yield from _of_engines(root, steps, params or {}, request.key)
    yield from check_packages(root)


def _refuse_unknown(params: Mapping[str, Any] | None, network: str) -> None:
    """Refuse a network that params.yaml does not have; a broken params.yaml has none and is told of anyway."""
    if params is not None and network and network not in params["networks"]:
        raise ConfigError("unknown network", expected=sorted(params["networks"]), got=network)


def _wanted(name: str, steps: Mapping[str, Step], network: str) -> bool:
    """Return whether a stage of the lock is to be verified: not one of a network that this run does not have."""
    own = name.partition("@")[2]
    return name in steps or (network in ("", own) and (not steps or own in {step.network for step in steps.values()}))


def _steps(root: Path, params: Mapping[str, Any] | None, network: str) -> dict[str, Step]:
    """Return the stages of a network, or all.

    Raises:
        ConfigError: if dvc.yaml and params.yaml do not fit each other.
    """
    if params is None:
        return {}
    try:
        steps = steps_of(root / PIPELINE, params)
    except (KeyError, TypeError, AttributeError, ValueError, OSError, YAMLError) as error:
        raise ConfigError(
            f"{PIPELINE} does not fit params.yaml: {error!r}", cure="make params, or git checkout dvc.yaml"
        ) from error
    return {name: step for name, step in steps.items() if network in ("", step.network)}


def _entries(lock: Path, root: Path) -> tuple[dict[str, Entry], list[Check]]:
    name = lock.relative_to(root).as_posix()
    if not lock.is_file():
        return {}, [missing(LOCK_GROUP, name, "nothing was ever built here", "make repro")]
    try:
        return read_entries(lock), []
    except ConfigError as error:
        return {}, [failed(LOCK_GROUP, name, error.what, error.cure or "")]


def _of_cache(root: Path, entries: Mapping[str, Entry], tree: Tree, request: Request) -> Iterator[Check]:
    objects = objects_folder(root)
    yield from check_named(entries, objects, tree)
    if request.whole_cache:
        yield from check_all(objects, root)
        _, told = _entries(root / MACHINE, root)
        yield from told


def _of_engines(
    root: Path, steps: Mapping[str, Step], params: Mapping[str, Any], key: SSlibKey | None
) -> Iterator[Check]:
    for step in _attesting(steps):
        statement = root / step.outs[0]
        folder, name = statement.parent, statement.parent.relative_to(root).as_posix()
        yield from check_record(folder, name)
        yield from check_statement(step, params, root)
        yield from _of_statement(statement, name, key)


def _of_statement(statement: Path, name: str, key: SSlibKey | None) -> Iterator[Check]:
    if statement.is_file():
        yield from check_subjects(statement.parent, name, _readable(statement) or {"subject": []})
    if statement.is_file() or key is not None:
        yield from check_signature(statement, f"{name}/{statement.name}", key)


def _readable(statement: Path) -> dict[str, Any] | None:
    """Return the statement, None where it is none, which `check_statement` tells."""
    try:
        return parsed(statement.read_bytes(), statement.name)
    except EnginewrightError:
        return None


def _attesting(steps: Mapping[str, Step]) -> list[Step]:
    return [step for step in steps.values() if step.name.partition("@")[0] == STAGE]


def statement_paths(root: Path, network: str) -> list[Path]:
    """Return where the statement of one network lies, or those of all in params.yaml.

    Raises:
        ConfigError: if the network is none of them, or there is no params.yaml that was composed.
    """
    params, checks = check_params(root)
    _refuse_unknown(params, network)
    if params is None:
        raise ConfigError(checks[0].verdict.reason or "params.yaml cannot be used", cure=checks[0].cure)
    return [root / step.outs[0] for step in _attesting(_steps(root, params, network))]


def sources(root: Path, network: str) -> list[str]:
    """Return a line for the checkout, and one for each engine: the commit, and what differed from it."""
    here = source_of(root)
    edits = f", with edits of {', '.join(here.edits)}" if here.edits else ""
    lines = [f"here: {f'commit {here.commit[:10]}{edits}' if here.commit else 'no git repository'}"]
    try:
        paths = statement_paths(root, network)
    except ConfigError:  # told of by its check
        return lines
    for path in paths:
        if path.is_file():
            found = _readable(path)
            lines.append(f"{path.parent.name}: {source_in_words(found) if found else 'its statement cannot be read'}")
    return lines
