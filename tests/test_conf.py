"""conf/ as users read it: every key stands there with a comment, every option composes, and no code default counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from enginewright.config.composed import composed
from enginewright.config.models import model_class
from enginewright.config.network import AXES
from enginewright.config.sections import CheckpointConfig
from tests.config.routes import CONF, by_us, conf_copy

FILES = sorted(CONF.rglob("*.yaml"))
OPTIONS = [(axis, path.stem) for axis in AXES for path in sorted((CONF / axis).glob("*.yaml"))]
NETWORKS = sorted(path for path in (CONF / "network").glob("*.yaml") if not path.stem.startswith("_"))
NEEDED = {"folder": ["data.folder=pairs"]}
"""What an option cannot be chosen without."""


def name_of(path: Path) -> str:
    return path.relative_to(CONF).as_posix()


def keys_of(path: Path) -> dict[str, Any]:
    """Return the keys that a file sets itself."""
    values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {key: value for key, value in values.items() if key != "defaults"}


def paragraphs(path: Path) -> list[list[str]]:
    """Return the runs of lines without a blank one between them, but not the defaults list, whose names speak."""
    text = re.sub(r"^defaults:\n(  - .*\n)+", "\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [part.splitlines() for part in re.split(r"\n\s*\n", text) if part.strip()]


def bare_keys(path: Path) -> Iterator[str]:
    """Yield the lines that set a value with no comment on them, and none above them in their paragraph."""
    for lines in paragraphs(path):
        told = False
        for line in lines:
            told = told or line.lstrip().startswith("#")
            sets = re.match(r"\s*[\w.]+:\s*(\S.*)$", line)
            if sets and not sets[1].startswith("#") and " # " not in line and not told:
                yield line


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_key_has_its_comment(path: Path) -> None:
    assert list(bare_keys(path)) == []


def test_a_key_without_a_comment_would_be_seen(tmp_path: Path) -> None:
    file = tmp_path / "bare.yaml"
    file.write_text("# a header\n\nmodel:\n  told: 1   # with its unit\n  bare: 2\n  text: 'a#b'\n\n# above\nfine: 3\n")
    assert list(bare_keys(file)) == ["  bare: 2", "  text: 'a#b'"]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_package_line_is_the_first(path: Path) -> None:
    """Hydra reads it nowhere else."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not any(line.startswith("# @package") for line in lines[1:])


@pytest.mark.parametrize(("axis", "option"), OPTIONS)
def test_an_option_sets_every_key_of_its_section_and_no_other(axis: str, option: str) -> None:
    assert set(keys_of(CONF / axis / f"{option}.yaml")) == {item.name for item in fields(AXES[axis][1])}


@pytest.mark.parametrize("path", NETWORKS, ids=name_of)
def test_a_network_sets_every_key_of_its_model_and_checkpoint(path: Path) -> None:
    values = keys_of(path)
    assert {"extractor", "extractor_adapter", "model", "checkpoint"} <= set(values)
    assert set(values["model"]) == {item.name for item in fields(model_class(values["model"]["kind"]))}
    assert set(values["checkpoint"]) == {item.name for item in fields(CheckpointConfig)}


@pytest.mark.parametrize("path", NETWORKS, ids=name_of)
def test_a_network_is_packaged_under_its_files_name(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith(f"# @package networks.{path.stem}\n")


@pytest.mark.parametrize(("axis", "option"), OPTIONS)
def test_an_option_starts_from_the_schema_of_its_axis(axis: str, option: str) -> None:
    raw = yaml.safe_load((CONF / axis / f"{option}.yaml").read_text(encoding="utf-8"))
    assert raw["defaults"] == [f"/schema/{axis}/schema@_here_", "_self_"]


@pytest.mark.parametrize(("axis", "option"), OPTIONS)
def test_every_option_composes_and_reaches_every_network(axis: str, option: str) -> None:
    config = composed([f"{axis}={option}", *NEEDED.get(option, [])])
    section, cls = AXES[axis]
    for network in config.networks.values():
        assert issubclass(OmegaConf.get_type(network, section) or object, cls)
        own = {key: value for key, value in network[section].items() if config[axis][key] != value}
        assert set(own) <= {"outputs", "tf32"}, "the tolerances of single outputs, and what follows from the precision"


@pytest.mark.parametrize("path", sorted((CONF / "experiment").glob("*.yaml")), ids=name_of)
def test_every_experiment_composes(path: Path) -> None:
    assert composed([f"experiment={path.stem}"]).networks


@pytest.mark.parametrize("path", NETWORKS, ids=name_of)
def test_every_network_composes_with_the_one_that_feeds_it(path: Path) -> None:
    values = keys_of(path)
    parts = [values["model"]["matcher"]] if "matcher" in values["model"] else []
    chosen = dict.fromkeys([values["extractor"], *parts, path.stem])
    both = [f"networks.{values['extractor']}.model.batch=2"] if parts else []  # both images of a pair in one call
    assert path.stem in composed([f"network=[{','.join(chosen)}]", *both]).networks


@pytest.mark.parametrize("axis", AXES)
def test_a_key_left_out_is_missed_whatever_the_code_would_take(axis: str, tmp_path: Path) -> None:
    """The last key of the option that a default run takes: no default of a dataclass may stand in for it."""
    conf = conf_copy(tmp_path)
    path = conf / axis / f"{default_of(axis)}.yaml"
    key = list(keys_of(path))[-1]
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(f"{key}:")), encoding="utf-8")
    outcome = by_us([], conf)
    assert outcome.text is None
    assert f"{AXES[axis][0]}.{key}: Missing mandatory value" in outcome.told


def default_of(axis: str) -> str:
    """Return the option of an axis that conf/config.yaml takes."""
    defaults = yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    return str(next(item[axis] for item in defaults if isinstance(item, dict) and axis in item))


def test_the_defaults_list_names_every_axis_once_and_itself_last() -> None:
    defaults = yaml.safe_load((CONF / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    names = [next(iter(item)) for item in defaults if isinstance(item, dict)]
    assert sorted(names) == sorted([*AXES, "budget", "network", "experiment"])
    assert defaults[-1] == "_self_"


def test_an_unknown_experiment_is_not_passed_over() -> None:
    assert by_us(["experiment=nosuch"]).text is None


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_names_code_to_run(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "_target_" not in text
    assert "!!python" not in text
    assert "oc.env" not in text, "a value from the environment would be baked into params.yaml"


def test_options_of_one_axis_differ_only_where_they_must() -> None:
    """So that choosing an option changes what its name says, and nothing beside it."""
    for axis, differing in {
        "compare": {"gate"},
        "match": {"gate"},
        "layernorm": {"form"},
    }.items():
        first, *others = [keys_of(path) for path in sorted((CONF / axis).glob("*.yaml"))]
        for other in others:
            assert {key for key in first if first[key] != other[key]} == differing


def test_precisions_that_need_nothing_but_their_name_differ_in_nothing_else() -> None:
    values = {path.stem: keys_of(path) for path in (CONF / "precision").glob("*.yaml")}
    for one, other in (("fp32", "tf32"), ("fp32", "fp16"), ("int8", "fp8")):
        assert {key for key in values[one] if values[one][key] != values[other][key]} == {"precision"}
