"""The choice of the exporter."""

from __future__ import annotations

import subprocess
import sys

import pytest

from enginewright.config.choices import Exporter
from enginewright.exporting import exporter

CODE = """
import sys
from enginewright.config.choices import Exporter
from enginewright.exporting import exporter
assert "torch" not in sys.modules, "the choice itself needs no torch"
exporter(Exporter.{name})
print([name for name in sys.modules if name in ("enginewright.exporting.dynamo", "enginewright.exporting.torchscript")])
"""


@pytest.mark.parametrize("choice", Exporter)
def test_each_choice_is_its_own_function(choice: Exporter) -> None:
    function = exporter(choice)
    assert function.__module__ == f"enginewright.exporting.{choice.name}"
    assert function.__name__ == f"export_{choice.name}"


def test_only_the_chosen_exporter_is_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(name="torchscript")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['enginewright.exporting.torchscript']"
