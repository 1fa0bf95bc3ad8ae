"""`make sbom`: write the software bill of materials of requirements.lock.

python -m enginewright.bill_of_materials [--output sbom.cdx.json]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from enginewright.artifacts import write_bytes
from enginewright.bill_of_materials.bill import bill_of
from enginewright.command import parser_of
from enginewright.errors import exit_with


def main(arguments: Sequence[str]) -> None:
    """Write the file, and say how much of it is known.

    Raises:
        AttestationError: if it would not be valid.
    """
    parser = parser_of("enginewright.bill_of_materials", __doc__)
    parser.add_argument("--output", type=Path, default=Path("sbom.cdx.json"))
    options = parser.parse_args(list(arguments))
    data = bill_of(Path("requirements.lock"), Path("pyproject.toml"))
    write_bytes(options.output, data)
    components = json.loads(data)["components"]
    silent = [item["name"] for item in components if "licenses" not in item]
    gap = f"; no licence is known of {', '.join(silent)}" if silent else ""
    print(f"{options.output}: {len(components)} packages{gap}")


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
