"""params.yaml as a stage reads it: what was not composed from this conf/, value for value, is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from enginewright.config.compose import main as compose
from enginewright.config.digests import values_sha256
from enginewright.config.params import read_networks
from enginewright.errors import ConfigError
from tests.config.routes import ROOT
from tests.stage.project import project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project with a fresh params.yaml."""
    return project(tmp_path)


def read(folder: Path) -> dict[str, object]:
    """Return the networks of a project."""
    return read_networks(folder / "params.yaml", folder / "conf")


def refused(folder: Path) -> ConfigError:
    """Return the refusal of a project's params.yaml."""
    with pytest.raises(ConfigError) as caught:
        read(folder)
    return caught.value


def edit(folder: Path, change: Callable[[str], str]) -> None:
    """Change params.yaml by hand."""
    before = (folder / "params.yaml").read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    (folder / "params.yaml").write_text(after, encoding="utf-8")


def test_a_fresh_file_gives_plain_networks(folder: Path) -> None:
    networks = read(folder)
    assert list(networks) == ["disk", "disk_lightglue"]
    assert networks["disk"]["export"] == {"exporter": "dynamo", "opset": 20, "dynamic": False}  # type: ignore[index]


def test_the_checkouts_own_file_is_fresh() -> None:
    assert read_networks(ROOT / "params.yaml", ROOT / "conf")


def test_no_file(folder: Path) -> None:
    (folder / "params.yaml").unlink()
    error = refused(folder)
    assert "is missing" in error.what
    assert error.cure == "make params"


@pytest.mark.parametrize(
    "text", ["", "- 1\n", "networks: {}\n", "composed: {}\n", "composed: 1\nnetworks: {}\n", "text"]
)
def test_a_file_that_was_not_composed(folder: Path, text: str) -> None:
    (folder / "params.yaml").write_text(text)
    assert "was not composed from conf/" in refused(folder).what


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\tx: 1", "!!python/object/apply:os.system [id]"])
def test_a_file_that_is_no_yaml_or_would_run_code(folder: Path, text: str) -> None:
    (folder / "params.yaml").write_text(text)
    assert "is no YAML" in refused(folder).what


def test_a_file_that_was_cut_short_is_never_taken(folder: Path) -> None:
    whole = (folder / "params.yaml").read_bytes()
    for length in [*range(0, len(whole) - 1, 97), *range(len(whole) - 60, len(whole) - 1)]:
        (folder / "params.yaml").write_bytes(whole[:length])
        assert "params.yaml" in refused(folder).what


@pytest.mark.parametrize("file", ["export/dynamo.yaml", "builder/tensorrt.yaml", "config.yaml"])
def test_a_changed_conf_makes_it_stale_even_where_only_a_comment_changed(folder: Path, file: str) -> None:
    with (folder / "conf" / file).open("a", encoding="utf-8") as stream:
        stream.write("# later\n")
    error = refused(folder)
    assert "params.yaml is stale" in error.what
    assert "make params && dvc repro" in str(error.cure)
    assert str(error.expected) != str(error.got)


def test_a_new_file_in_conf_makes_it_stale(folder: Path) -> None:
    (folder / "conf" / "experiment").mkdir(exist_ok=True)
    (folder / "conf" / "experiment" / "mine.yaml").write_text("x: 1\n")
    assert "stale" in refused(folder).what


def test_composing_again_makes_it_fresh(folder: Path) -> None:
    edit(folder, lambda text: text.replace("opset: 20", "opset: 18"))
    compose(["--output", str(folder / "params.yaml")])
    assert read(folder)


EDITS: list[Callable[[str], str]] = [
    lambda text: text.replace("opset: 20", "opset: 18"),
    lambda text: text.replace("precision: fp32", "precision: fp16"),
    lambda text: text.replace("scores: 0.01", "scores: 1.0"),
    lambda text: text.replace("      opset: 20\n", "      opset: 20\n      opst: 18\n", 1),
    lambda text: text.replace("extractor: disk\n", "extractor: other\n", 1),
    lambda text: text.replace("timeout_s: 30.0", "timeout_s: 30.1", 1),
    lambda text: text.replace("  opset: 20\n", "  opset: 18\n", 1),
    lambda text: text.replace(
        "matchers:\n  disk_lightglue:\n    extractor: disk", "matchers:\n  disk_lightglue:\n    extractor: x"
    ),
    lambda text: text.replace("composed:", "mine: 1\ncomposed:"),
]


@pytest.mark.parametrize("change", EDITS)
def test_a_value_edited_by_hand_is_refused(folder: Path, change: Callable[[str], str]) -> None:
    edit(folder, change)
    error = refused(folder)
    assert "edited by hand" in error.what
    assert "dvc exp run -S export.opset=18" in str(error.cure)


def test_a_network_removed_by_hand_is_refused(folder: Path) -> None:
    edit(folder, lambda text: text[: text.index("  disk_lightglue:")] + text[text.index("matchers:") :])
    assert "edited by hand" in refused(folder).what


def test_comments_and_layout_may_change(folder: Path) -> None:
    edit(folder, lambda text: "# mine\n" + text.replace("ranges: {}", "ranges: { }"))
    assert read(folder)


def test_reading_costs_neither_hydra_nor_omegaconf() -> None:
    code = "import sys, enginewright.config.params; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "yaml" in loaded
    assert not {"hydra", "torch", "onnx", "numpy", "polygraphy"} & loaded


def resealed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change params.yaml by somebody who knows how its digest is made."""
    values = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    change(values)
    plain = {key: found for key, found in values.items() if key != "composed"}
    values["composed"] |= {"values_sha256": values_sha256(plain), "networks": list(values["networks"])}
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["disk; touch made", "$(touch made)", "`touch made`", "disk\ntouch made", "disk 2", "a'b", 'a"b', "a|b",
             "a&b", "a>b", "${key}", "../disk", "-x", "", "a\\b", "*", "~"]
)  # fmt: skip
@pytest.mark.parametrize("place", ["key", "extractor", "matcher", "features", "adapter", "exporter"])
def test_no_value_reaches_a_command_line_that_the_shell_would_read(folder: Path, name: str, place: str) -> None:
    def change(values: dict[str, Any]) -> None:
        wired = values["torch_networks"]["disk"]
        if place == "key":
            values["torch_networks"][name] = wired
        elif place in ("adapter", "exporter"):
            wired["model" if place == "adapter" else "export"][place] = name
        else:
            values["matchers"]["disk_lightglue"][place] = name

    resealed(folder, change)
    assert "reach a command line" in refused(folder).what


def test_a_folder_of_images_may_have_any_name(folder: Path) -> None:
    resealed(folder, lambda values: values["torch_networks"]["disk"]["data"].update(watch="my pairs; $(touch made)"))
    assert read(folder)


@pytest.mark.parametrize(
    "text",
    ["", "7", "[1]", "a: &a [*a]", "composed: 7", "composed: {}\nnetworks: []", "!!python/object/apply:os.system [ls]",
     "a: 2026-01-01", "? [1]\n: 2", "\x00", "composed: {conf_sha256: [1]}\nnetworks: {a: b}"],
)  # fmt: skip
def test_any_other_yaml_is_told_as_such(folder: Path, text: str) -> None:
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    assert refused(folder).cure


def test_aliases_that_would_fill_the_memory_are_refused(folder: Path) -> None:
    laughs = "\n".join(["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))])
    edit(folder, lambda text: f"{laughs}\n{text}")
    assert "aliases" in refused(folder).what


def test_bytes_that_are_no_text_a_pipe_and_a_folder(folder: Path) -> None:
    (folder / "params.yaml").write_bytes(b"\xff\xfe")
    assert "is no YAML" in refused(folder).what
    (folder / "params.yaml").unlink()
    os.mkfifo(folder / "params.yaml")
    assert "no regular file" in refused(folder).what
    (folder / "params.yaml").unlink()
    (folder / "params.yaml").mkdir()
    assert refused(folder).cure == "make params"


def test_dates_and_other_keys_are_no_values_of_ours(folder: Path) -> None:
    edit(folder, lambda text: f"when: 2026-01-01\n{text}")
    assert "edited by hand" in refused(folder).what
    edit(folder, lambda text: f"1: 2\n{text}")
    assert "edited by hand" in refused(folder).what
