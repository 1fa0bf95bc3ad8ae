"""The bill itself. The same lock and the same packages give the same bytes: no random serial number, no time."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from importlib.metadata import Distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from enginewright.artifacts import json_bytes
from enginewright.bill_of_materials.installed import digests, found, licences, needs
from enginewright.errors import AttestationError
from enginewright.verifying.configuration import pins_in

_SCHEMA = SchemaVersion.V1_6
_FACTORY = LicenseFactory()


def bill_of(lock: Path, project: Path) -> bytes:
    """Return the CycloneDX JSON of a lock file. project: pyproject.toml, for the root component.

    Raises:
        AttestationError: if the library's own validator finds a fault in it.
    """
    pins = pins_in(lock)
    packages = {str(canonicalize_name(name)): found(name, version) for name, version in pins.items()}
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, hashlib.sha256(lock.read_bytes()).hexdigest()))
    bom.metadata.component = _root(project)
    components = {
        str(canonicalize_name(name)): _component(name, version, packages[canonicalize_name(name)])
        for name, version in pins.items()
    }
    for component in components.values():
        bom.components.add(component)
    _wire(bom, components, packages)
    return _checked(_without_time(make_outputter(bom, OutputFormat.JSON, _SCHEMA).output_as_string()))


def _root(project: Path) -> Component:
    told = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    return Component(
        type=ComponentType.APPLICATION, name=told["name"], version=told["version"], bom_ref=told["name"],
        description=told["description"],
    )  # fmt: skip


def _component(name: str, version: str, package: Distribution | None) -> Component:
    purl = PackageURL("pypi", name=canonicalize_name(name), version=version)
    component = Component(type=ComponentType.LIBRARY, name=name, version=version, purl=purl, bom_ref=purl.to_string())
    if package is not None:
        _licence(component, licences(package))
        for algorithm, value in sorted(digests(package).items()):
            component.hashes.add(HashType.from_composite_str(f"{algorithm}:{value}"))
    return component


def _licence(component: Component, names: list[str]) -> None:
    """Give a component its licences; an expression stands alone, by the schema."""
    made = [_FACTORY.make_from_string(name) for name in names]
    expressions = [one for one in made if isinstance(one, LicenseExpression)]
    for one in expressions[:1] or made:
        component.licenses.add(one)


def _wire(bom: Bom, components: Mapping[str, Component], packages: Mapping[str, Distribution | None]) -> None:
    """Say which component needs which; the project needs all, since the lock is its own."""
    if bom.metadata.component is not None:
        bom.register_dependency(bom.metadata.component, components.values())
    for name, package in packages.items():
        wanted = [components[other] for other in needs(package) if other in components] if package else []
        bom.register_dependency(components[name], wanted)


def _without_time(text: str) -> bytes:
    value = json.loads(text)
    value["metadata"].pop("timestamp", None)
    return json_bytes(value)


def _checked(data: bytes) -> bytes:
    error = JsonStrictValidator(_SCHEMA).validate_str(data.decode())
    if error is not None:
        raise AttestationError(f"the bill of materials is not valid: {error}", expected="CycloneDX 1.6")
    return data
