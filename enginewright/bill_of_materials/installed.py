"""What the metadata of an installed package says of it: licences, digests and what it needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_LONGEST = 100
"""A licence's name; what is longer is its text."""
_CLASSIFIER = "License :: "


def found(name: str, version: str) -> Distribution | None:
    """Return the installed package if it is of the pinned version: another one may have another licence."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return None
    return package if package.version.partition("+")[0] == version else None


def licences(package: Distribution) -> list[str]:
    """Return the licences that a package declares, the exact expression if it has one, else names."""
    told = package.metadata
    if "License-Expression" in told:
        return [told["License-Expression"].strip()]
    classified = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier", []) if line.startswith(_CLASSIFIER)]
    named = told["License"].strip() if "License" in told else ""
    short = named if named and len(named) <= _LONGEST and "\n" not in named else ""
    return [short] if short and short.upper() != "UNKNOWN" else sorted(set(classified) - {"OSI Approved"})


def digests(package: Distribution) -> Mapping[str, str]:
    """Return the digests of the file that a package was installed from, by algorithm; pip keeps them for addresses."""
    text = package.read_text("direct_url.json")
    archive = json.loads(text).get("archive_info", {}) if text else {}
    return dict(archive.get("hashes", {}))


def needs(package: Distribution) -> Iterator[str]:
    """Yield the normalised names of the packages that a package needs here, without its extras."""
    for line in package.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)
