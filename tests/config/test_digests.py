"""Digests that tie params.yaml to conf/: they move with every change, and with nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from enginewright.config.digests import conf_sha256, values_sha256
from tests.config.routes import CONF, ROOT, conf_copy

KEYS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
# `${...}` and `???` have a meaning in a configuration, so they are no plain text there.
WORDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="$?\\"), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


def test_the_folders_place_does_not_count(tmp_path: Path) -> None:
    assert conf_sha256(conf_copy(tmp_path)) == conf_sha256(CONF)


@pytest.mark.parametrize("added", ["# a comment\n", " ", "\n"])
def test_every_change_of_a_file_counts(added: str, tmp_path: Path) -> None:
    conf = conf_copy(tmp_path)
    with (conf / "export" / "dynamo.yaml").open("a", encoding="utf-8") as file:
        file.write(added)
    assert conf_sha256(conf) != conf_sha256(CONF)


def test_adding_removing_and_renaming_a_file_count(tmp_path: Path) -> None:
    conf = conf_copy(tmp_path)
    digests = {conf_sha256(conf)}
    (conf / "export" / "mine.yaml").write_text("")
    digests.add(conf_sha256(conf))
    (conf / "export" / "mine.yaml").rename(conf / "export" / "yours.yaml")
    digests.add(conf_sha256(conf))
    (conf / "export" / "yours.yaml").unlink()
    assert conf_sha256(conf) in digests
    (conf / "export" / "dynamo.yaml").unlink()
    digests.add(conf_sha256(conf))
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a.yaml": "xy", "b.yaml": "z"}, {"a.yaml": "x", "b.yaml": "yz"}),
        ({"a.yaml": "x", "b.yaml": "y"}, {"a.yaml": "xb.yamly"}),
        ({"a.yaml": "x"}, {"a.yamlx.yaml": ""}),
    ],
)
def test_text_cannot_move_between_files_and_names_unseen(
    tmp_path: Path, first: dict[str, str], second: dict[str, str]
) -> None:
    digests = []
    for number, files in enumerate((first, second)):
        (tmp_path / str(number)).mkdir()
        for name, text in files.items():
            (tmp_path / str(number) / name).write_text(text)
        digests.append(conf_sha256(tmp_path / str(number)))
    assert digests[0] != digests[1]


def test_only_yaml_files_count(tmp_path: Path) -> None:
    conf = conf_copy(tmp_path)
    (conf / "export" / ".dynamo.yaml.swp").write_text("an editor's")
    shutil.copytree(conf / "export", conf / "__pycache__", ignore=shutil.ignore_patterns("*.yaml"))
    assert conf_sha256(conf) == conf_sha256(CONF)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_the_order_of_keys_does_not_count(values: dict[str, Any]) -> None:
    assert values_sha256(dict(reversed(values.items()))) == values_sha256(values)


@given(st.dictionaries(KEYS, VALUES, max_size=4), KEYS, SCALARS)
def test_a_changed_value_counts(values: dict[str, Any], key: str, value: Any) -> None:
    changed = values | {key: value}
    same = repr(sorted(changed.items(), key=str)) == repr(sorted(values.items(), key=str))
    assert same or values_sha256(changed) != values_sha256(values)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_values_keep_their_digest_through_params_yaml(values: dict[str, Any]) -> None:
    """OmegaConf writes the file and PyYAML reads it: a value that changed on the way would look like an edit."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = OmegaConf.to_yaml(OmegaConf.create({"networks": values}))
    assert values_sha256(yaml.load(text, Loader=loader)["networks"]) == values_sha256(values)  # noqa: S506


def test_digests_need_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import enginewright.config.digests; print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    foreign = {name.partition(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names
    assert foreign == {"enginewright"}
