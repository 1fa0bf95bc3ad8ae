"""Loads an engine, after everything that can be known without running it was checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enginewright.engine import api
from enginewright.engine.gpu import Gpu, find_gpu
from enginewright.engine.record import Content, Record, record_bytes, record_from
from enginewright.engine.support import version_key
from enginewright.errors import BuildError, RequirementError
from enginewright.input_file import read_input
from enginewright.json_text import load_object

STATEMENT = "engine.intoto.json"
"""What a statement is called that lies beside its engine."""


def load_engine(engine_path: Path, record_path: Path, attested: bool = True) -> Any:
    """Return the deserialised engine (`ICudaEngine`), to be used with Polygraphy's TrtRunner.

    Where engine.intoto.json lies beside it, that must describe both files as well, unless `attested` is False; whose
    word that is, only a signature tells (enginewright.signing.load). Import Polygraphy after this call: which TensorRT
    it drives is settled here.

    Raises:
        BuildError: if the record is broken, the engine's size or SHA-256 is not the recorded one, the statement is
            about other files, another version of the builder made it, or it does not deserialise.
        RequirementError: if the builder is not installed, or this machine's GPU is missing or not one of the targets.
    """
    described = record_bytes(record_path)
    record = record_from(described, record_path.name)
    data = engine_bytes(engine_path, record)
    statement = engine_path.with_name(STATEMENT)
    if attested and statement.is_file():
        check_subjects(statement.read_bytes(), {engine_path.name: data, record_path.name: described})
    return loaded(data, record, engine_path.name)


def engine_bytes(path: Path, record: Record) -> bytes:
    """Return the bytes of an engine, unless there are more than its record says.

    Raises:
        BuildError: if it cannot be read, or is larger.
    """
    try:
        return read_input(path, record.engine.size)
    except OSError as error:
        raise BuildError(
            f"{path.name} cannot be read: {error}", expected="the engine that its record describes", cure="dvc repro"
        ) from error


def loaded(data: bytes, record: Record, name: str) -> Any:
    """Return the deserialised engine of the bytes `data`, after they were checked by their record.

    Bytes: what was checked is what is loaded, whatever happens to the file meanwhile. name: of the engine.

    Raises:
        BuildError, RequirementError: as `load_engine` does.
    """
    check_content(data, record, name)
    trt = api.use(record.builder)
    check_version(record, trt.__version__)
    obstacle = gpu_obstacle(record, find_gpu())
    if obstacle is not None:
        raise RequirementError(
            f"{name} cannot run on this machine",
            expected=f"a GPU of compute capability {record.targets}",
            got=obstacle,
            cure="run it on such a GPU, or build it for this one",
        )
    return deserialised(data, record)


def check_subjects(statement: bytes, files: Mapping[str, bytes]) -> None:
    """Refuse files that an in-toto statement is not about.

    Raises:
        BuildError: naming the file and both digests, or if the statement is none.
    """
    try:
        said = {item["name"]: item["digest"]["sha256"] for item in load_object(statement)["subject"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BuildError(
            f"{STATEMENT} is no statement: {type(error).__name__}: {error}", expected="what the attest stage wrote",
            cure="dvc repro, or ask for the engine again",
        ) from error  # fmt: skip
    for name, data in files.items():
        found = hashlib.sha256(data).hexdigest()
        if said.get(name) != found:
            raise BuildError(
                f"{name} is not the file that {STATEMENT} is about", expected=f"SHA-256 {said.get(name)}",
                got=f"SHA-256 {found}", cure="dvc repro, or ask for the engine again",
            )  # fmt: skip


def check_content(data: bytes, record: Record, name: str) -> None:
    """Refuse an engine whose bytes are not those of the record: a changed engine is code that nobody proved.

    Raises:
        BuildError: naming both sizes or both digests.
    """
    found, wanted = Content.of(data), record.engine
    if found.size != wanted.size:
        raise BuildError(
            f"{name} has another size than its record says", expected=wanted.size, got=found.size, cure="dvc repro"
        )
    if found.sha256 != wanted.sha256:
        raise BuildError(
            f"{name} is not the engine that its record describes",
            expected=f"SHA-256 {wanted.sha256}",
            got=f"SHA-256 {found.sha256}",
            cure="dvc repro",
        )


def check_version(record: Record, installed: str) -> None:
    """Refuse an engine of another builder version; a version compatible one may be older than what is installed.

    Raises:
        BuildError: naming both versions.
    """
    built = record.builder_version
    newer = record.version_compatible and version_key(installed) >= version_key(built)
    if installed != built and not newer:
        raise BuildError(
            f"the engine was made by another version of {record.builder.name}",
            expected=f"{built}{' or later' if record.version_compatible else ''}",
            got=installed,
            cure=f"install {record.builder.value}=={built}, or build the engine again",
        )


def gpu_obstacle(record: Record, gpu: Gpu | None) -> str | None:
    """Return why the engine cannot run on this machine's GPU, or None if it can."""
    if gpu is None:
        return "no NVIDIA GPU with a driver"
    if not record.targets.include(gpu.compute_capability):
        return f"{gpu.name} has compute capability {gpu.compute_capability}, the engine is for {record.targets}"
    return None


def deserialised(data: bytes, record: Record) -> Any:
    """Return the engine of these bytes, which were checked.

    Raises:
        BuildError: with the builder's own words.
    """
    api.use(record.builder)
    from polygraphy.backend.trt import EngineFromBytes
    from polygraphy.exception import PolygraphyException

    try:
        return EngineFromBytes(data)()
    except PolygraphyException as error:
        raise BuildError(
            f"the engine does not deserialise: {error}",
            expected=f"an engine of {record.builder.name} {record.builder_version}",
            cure="see the builder's messages above; build the engine again on this machine",
        ) from error
