"""YAML that is larger than it looks, or means more than values."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from enginewright.config.refusals import refuse_swollen_files
from enginewright.config.yaml_text import Swollen, load_yaml
from enginewright.errors import NotAllowedError

LAUGHS = "\n".join(["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))])
"""A quintillion of x in sixty lines."""

LONG = "text: &text " + "x" * 10_000 + "\nlist:\n" + "- *text\n" * 1000
CIRCLE = "a: &a [*a]"


def test_ordinary_yaml_is_read() -> None:
    text = "a: {b: [1, 2.5, null, yes]}\nc: &c {d: e}\nf: *c\ng:\n  <<: *c\n  h: i\nempty:\n"
    assert load_yaml(text) == yaml.safe_load(text)
    assert load_yaml("") is None


def test_the_lock_of_this_project_is_far_from_the_limit() -> None:
    assert len(load_yaml((Path(__file__).parents[2] / "dvc.lock").read_bytes())["stages"]) > 10


@pytest.mark.parametrize("text", [LAUGHS, LONG, CIRCLE], ids=["laughs", "long", "circle"])
def test_aliases_cannot_make_more_of_a_text(text: str) -> None:
    with pytest.raises(Swollen, match="aliases"):
        load_yaml(text)


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system [touch made]",
        "!!python/name:os.system",
        "!!python/module:os",
        "a: !unknown 1",
        "a: 2026-99-99",
        "? [a, b]\n: c",
        "a: [",
        "a: b: c",
        "- a\n- b: c\n d",
        "\x00",
        "%TAG ! tag:x:\n---\n!y 1",
    ],
)
def test_tags_and_broken_text_are_yaml_errors(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)
    assert not list(tmp_path.iterdir())


DEEP = {
    "lists": "[" * 100_000 + "]" * 100_000,
    "open lists": "[" * 100_000,
    "mappings": "{a: " * 100_000,
    "items": "- " * 100_000,
    "keys": "? " * 100_000,
    "indents": "\n".join(f"{' ' * depth}a:" for depth in range(2000)),
    "behind signs": '"]]]]]]": ' + "[" * 100_000,
}


@pytest.mark.parametrize("kind", DEEP)
def test_depth_is_refused_and_no_crash(kind: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml(DEEP[kind])
    with pytest.raises(yaml.YAMLError):
        load_yaml(DEEP[kind].encode())


def test_many_values_side_by_side_are_not_deep() -> None:
    assert len(load_yaml("- {a: [1, 2]}\n" * 1000)) == 1000
    assert load_yaml(" " * 300 + "a")


@pytest.mark.parametrize("text", [LAUGHS, LONG, DEEP["lists"]], ids=["laughs", "long", "deep"])
def test_a_file_of_conf_is_refused_by_name_before_it_is_composed(text: str, tmp_path: Path) -> None:
    (tmp_path / "conf" / "export").mkdir(parents=True)
    (tmp_path / "conf" / "export" / "bomb.yaml").write_text(text)
    (tmp_path / "conf" / "broken.yaml").write_text("[ & ")
    with pytest.raises(NotAllowedError, match=r"conf/export/bomb\.yaml cannot be used"):
        refuse_swollen_files(tmp_path / "conf")
