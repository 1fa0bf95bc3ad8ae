"""What is printed is read back as it was meant: by YAML, by a shell, by Hydra."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from enginewright.bisecting.pasting import as_command, as_yaml, patterns_of

NAMES = ["node_mul_67", "/blocks.0/ffn/ffn.1/Mul", "it's", 'a"b', "a\\b", "(x|y)[0]", "${x}", "a b,c:d"]


def test_a_pattern_matches_its_node_and_no_other() -> None:
    for pattern, name in zip(patterns_of(NAMES, []), NAMES, strict=True):
        assert [other for other in (*NAMES, f"{name}_1", f"a{name}") if re.match(pattern, other)] == [name]


def test_what_was_configured_is_kept() -> None:
    assert patterns_of(["a"], ["norm.*"]) == ["norm.*", "a$"]


def test_yaml_reads_the_patterns_back() -> None:
    patterns = patterns_of(NAMES, [])
    assert yaml.safe_load(as_yaml(patterns)) == {"precision": {"fp32_nodes": patterns}}


@pytest.mark.parametrize("name", NAMES)
def test_shell_and_hydra_read_the_patterns_back(name: str) -> None:
    patterns = patterns_of([name, "other"], ["ends in \\\\"])
    words = shlex.split(as_command("net", ["precision=fp16"], patterns))
    assert words[:6:2] == ["dvc", "run", "precision=fp16"]
    override = OverridesParser.create().parse_override(words[-1])
    assert override.key_or_group == "networks.net.cast.fp32_nodes"
    assert override.value() == patterns
