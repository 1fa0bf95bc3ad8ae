"""engine.json: what an engine is, which machine can run it, and how far it is proven. No times, hosts or paths."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_json
from enginewright.config.choices import Builder
from enginewright.engine.bindings import Binding
from enginewright.engine.build import Built
from enginewright.engine.support import Targets
from enginewright.errors import BuildError
from enginewright.input_file import read_input
from enginewright.json_text import load_object

_MOST_BYTES, _MOST_TEXT = 1 << 24, 300
_DIGEST, _CAPABILITY = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")

FORMAT = 1
"""Raised when a key changes its meaning or disappears."""


class Status(Enum):
    """How far an engine is proven.

    proven: it was executed on this machine's GPU, and its outputs agree with the reference.
    graph_proven: the typed graph that it was made from agrees; the engine itself was not executed.
    unproven: neither; the reason says why.
    """

    proven = "proven"
    graph_proven = "graph_proven"
    unproven = "unproven"


@dataclass(frozen=True)
class Content:
    """What a file holds: the SHA-256 of its content, and its size in bytes."""

    sha256: str
    size: int

    @staticmethod
    def of(data: bytes) -> Content:
        """Return the content of these bytes."""
        return Content(hashlib.sha256(data).hexdigest(), len(data))


@dataclass(frozen=True)
class Record:
    """One engine.

    builder, versions: which TensorRT made it, and the versions of that and of polygraphy. graph: the typed graph that
    it was made from. options: as the builder resolved them. targets: GPUs that it runs on. layers: of the parsed
    network. layer_types: how many of their outputs have each type. profile: {input: {"min", "opt", "max"}} of inputs
    with dynamic axes.
    """

    status: Status
    reason: str
    builder: Builder
    versions: dict[str, str]
    engine: Content
    graph: Content
    targets: Targets
    options: dict[str, Any]
    layers: int
    layer_types: dict[str, int]
    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...]
    profile: dict[str, dict[str, list[int]]]

    @property
    def builder_version(self) -> str:
        """Return the version of the TensorRT that made the engine."""
        return self.versions[self.builder.value]

    @property
    def version_compatible(self) -> bool:
        """Return whether later versions of the builder may load the engine too."""
        return bool(self.options.get("version_compatible"))

    def with_status(self, status: Status, reason: str) -> Record:
        """Return the record with another status."""
        return replace(self, status=status, reason=reason)


def record_of(built: Built, builder: Builder, graph: bytes) -> Record:
    """Return the record of an engine that was just built from the bytes of `graph`: unproven, so far."""
    return Record(
        status=Status.unproven,
        reason="nothing was compared yet",
        builder=builder,
        versions=built.versions,
        engine=Content.of(built.engine),
        graph=Content.of(graph),
        targets=built.targets,
        options=built.options,
        layers=built.layers,
        layer_types=built.layer_types,
        inputs=built.inputs,
        outputs=built.outputs,
        profile=built.profile,
    )


def write_record(path: Path, record: Record) -> None:
    """Write the record as engine.json; the same record gives the same bytes."""
    values = {"builder": record.builder.value, "status": record.status.value, "format": FORMAT}
    write_json(path, asdict(record) | values)


def read_record(path: Path) -> Record:
    """Return the record that `write_record` wrote.

    Raises:
        BuildError: if the file is no engine record, is cut short, or has another format.
    """
    return record_from(record_bytes(path), path.name)


def record_bytes(path: Path) -> bytes:
    """Return the bytes of a record.

    Raises:
        BuildError: if the file cannot be read.
    """
    try:
        return read_input(path, _MOST_BYTES)
    except OSError as error:
        raise _no_record(path.name, error) from error


def record_from(data: bytes, name: str) -> Record:
    """Return the record in these bytes, of the file `name`.

    Raises:
        BuildError: as `read_record` does.
    """
    try:
        raw = load_object(data)
        if raw["format"] != FORMAT:
            raise BuildError(
                f"{name} has another format", expected=FORMAT, got=raw["format"], cure="build the engine again"
            )
        return _record(raw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_record(name, error) from error


def _no_record(name: str, error: Exception) -> BuildError:
    return BuildError(
        f"{name} is no engine record: {type(error).__name__}: {str(error)[:_MOST_TEXT]}",
        expected="an engine.json that the build stage wrote",
        cure="dvc repro",
    )


def _record(raw: dict[str, Any]) -> Record:
    """Return the record of a JSON object; what does not fit raises ValueError, KeyError, TypeError, AttributeError."""
    values = {name: raw[name] for name in ("reason", "versions", "options", "layers", "profile")}
    found = Record(
        **values,
        layer_types=raw.get("layer_types", {}),  # not read when format 1 was made
        status=Status(raw["status"]),
        builder=Builder(raw["builder"]),
        engine=_content(raw["engine"]),
        graph=_content(raw["graph"]),
        targets=Targets(tuple(raw["targets"]["compute_capabilities"]), bool(raw["targets"]["and_later"])),
        inputs=tuple(Binding.from_json(binding) for binding in raw["inputs"]),
        outputs=tuple(Binding.from_json(binding) for binding in raw["outputs"]),
    )
    _check(found)
    return found


def _content(raw: dict[str, Any]) -> Content:
    found = Content(**raw)
    _require(isinstance(found.sha256, str) and _DIGEST.fullmatch(found.sha256) is not None, "sha256", found.sha256)
    _require(type(found.size) is int and found.size >= 0, "size", found.size)
    return found


def _check(record: Record) -> None:
    """Refuse values of other types than those that are read later on, when an engine is about to be loaded."""
    _require(isinstance(record.reason, str), "reason", record.reason)
    _require(type(record.layers) is int, "layers", record.layers)
    _require(isinstance(record.options, dict), "options", record.options)
    _require(all(isinstance(found, str) for found in record.versions.values()), "versions", record.versions)
    _require(record.builder.value in record.versions, "versions", record.versions)
    _require(all(type(count) is int for count in record.layer_types.values()), "layer_types", record.layer_types)
    capabilities = record.targets.compute_capabilities
    _require(all(_CAPABILITY.fullmatch(found) for found in capabilities), "targets", capabilities)
    _require(bool(capabilities) or not record.targets.and_later, "targets", capabilities)
    for binding in (*record.inputs, *record.outputs):
        _require(all(type(size) in (int, str) for size in binding.shape), "shape", binding.shape)
    for ranges in record.profile.values():
        sizes = [size for name in ("min", "opt", "max") for size in ranges[name]]
        _require(all(type(size) is int for size in sizes), "profile", ranges)


def _require(fits: bool, key: str, got: object) -> None:
    if not fits:
        raise ValueError(f"{key} cannot be {got!r}")
