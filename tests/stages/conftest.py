"""What the cast's tests share: graphs of the tiny module and its reference, made once a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enginewright.config.choices import Form
from enginewright.reference import Reference
from tests.stages.cast_graphs import exported
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import reference_of, registered


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with registered():
        yield tmp_path_factory.mktemp("cast")


@pytest.fixture(scope="module")
def native(folder: Path) -> Path:
    return exported(folder, Form.native)


@pytest.fixture(scope="module")
def decomposed(folder: Path) -> Path:
    return exported(folder, Form.decomposed)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Reference:
    return reference_of(TinyModel())
