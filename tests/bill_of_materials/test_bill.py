"""The bill of materials: whole, valid, the same every time, and in step with the lock."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from enginewright.bill_of_materials.__main__ import main
from enginewright.bill_of_materials.bill import bill_of
from enginewright.bill_of_materials.installed import digests, licences
from enginewright.verifying.configuration import pins_in

ROOT = Path(__file__).parents[2]
LOCK, PROJECT = ROOT / "requirements.lock", ROOT / "pyproject.toml"
COMMITTED = ROOT / "sbom.cdx.json"


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bill_of(LOCK, PROJECT))
    return found


def test_every_pin_is_a_component(bill: dict[str, Any]) -> None:
    assert {item["name"]: item["version"] for item in bill["components"]} == pins_in(LOCK)
    assert bill["metadata"]["component"]["name"] == "enginewright"
    torch = next(item for item in bill["components"] if item["name"] == "torch")
    assert torch["purl"].startswith("pkg:pypi/torch@")
    assert torch["licenses"]


def test_what_needs_what_is_told(bill: dict[str, Any]) -> None:
    needs = {item["ref"]: item.get("dependsOn", []) for item in bill["dependencies"]}
    assert len(needs["enginewright"]) == len(bill["components"])
    onnx = next(ref for ref in needs if ref.startswith("pkg:pypi/onnx@"))
    assert any(ref.startswith("pkg:pypi/protobuf@") for ref in needs[onnx])


def test_it_holds_no_time_and_is_the_same_again(bill: dict[str, Any], tmp_path: Path) -> None:
    assert "timestamp" not in bill["metadata"]
    main_twice = [tmp_path / "one", tmp_path / "other"]
    (tmp_path / "requirements.lock").write_text(f"pytest=={version('pytest')}\n")
    for path in main_twice:
        path.write_bytes(bill_of(tmp_path / "requirements.lock", PROJECT))
    assert main_twice[0].read_bytes() == main_twice[1].read_bytes()


def test_the_committed_one_is_valid_and_in_step_with_the_lock() -> None:
    text = COMMITTED.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = {item["name"]: item["version"] for item in json.loads(text)["components"]}
    assert found == pins_in(LOCK), "requirements.lock has changed: make sbom"


def test_the_command_says_of_what_no_licence_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_bytes(PROJECT.read_bytes())
    (tmp_path / "requirements.lock").write_text(f"pytest=={version('pytest')}\nno-such-package==1\n")
    main([])
    assert "2 packages; no licence is known of no-such-package" in capsys.readouterr().out
    assert (tmp_path / "sbom.cdx.json").is_file()


class Told:
    """A package with these lines of metadata."""

    def __init__(self, direct: str | None = None, **lines: Any) -> None:
        from email.message import Message

        self.metadata, self._direct = Message(), direct
        for name, values in lines.items():
            for value in values if isinstance(values, list) else [values]:
                self.metadata[name.replace("_", "-")] = value

    def read_text(self, name: str) -> str | None:
        return self._direct


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ({"License_Expression": "MIT OR Apache-2.0", "License": "x"}, ["MIT OR Apache-2.0"]),
        ({"License": "BSD-3-Clause"}, ["BSD-3-Clause"]),
        ({"License": "UNKNOWN", "Classifier": ["License :: OSI Approved :: MIT License"]}, ["MIT License"]),
        ({"License": "The whole text\nof a licence", "Classifier": ["Topic :: Other"]}, []),
        ({}, []),
    ],
)
def test_licences_as_packages_declare_them(lines: dict[str, Any], wanted: list[str]) -> None:
    assert licences(Told(**lines)) == wanted  # type: ignore[arg-type]


def test_digests_where_pip_kept_them() -> None:
    assert digests(Told('{"archive_info": {"hashes": {"sha256": "ab"}}}')) == {"sha256": "ab"}  # type: ignore[arg-type]
    assert digests(Told()) == {}  # type: ignore[arg-type]
