"""The plan of a latency run names only what the bundle holds, each once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.latency.artifacts import Artifact, artifacts
from benchmarks.latency.pack import pack
from benchmarks.latency.plan import contestants
from enginewright.config.models import MatcherModel
from enginewright.errors import ConfigError

GRAPHS = {artifact.name: artifact.file for artifact in artifacts()}


def test_every_artifact_takes_part_and_no_other_file_is_named() -> None:
    named = {spec.options["graph"] for spec in contestants(GRAPHS) if "graph" in spec.options}
    assert named == set(GRAPHS.values())


def test_a_pattern_that_no_graph_has_packs_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no graph takes part"):
        pack(tmp_path / "bundle", "nothing")
    assert not (tmp_path / "bundle").exists()


def test_every_row_has_a_name_of_its_own() -> None:
    names = [spec.name for spec in contestants(GRAPHS)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("artifact", list(artifacts()), ids=lambda artifact: artifact.name)
def test_an_artifact_is_configured_as_it_is_named(artifact: Artifact) -> None:
    model = artifact.config().model
    assert vars(model)["keypoints"] == artifact.keypoints
    if isinstance(model, MatcherModel):
        assert model.batch == artifact.pairs
        assert model.options["graph"] == re.split("-", artifact.name)[0]
        assert model.mask_padding is artifact.name.endswith("masked")


def test_a_call_takes_as_many_pairs_as_its_graph() -> None:
    sizes = {artifact.file: (artifact.keypoints, artifact.pairs) for artifact in artifacts()}
    taking = [spec for spec in contestants(GRAPHS) if "graph" in spec.options and spec.network == "matcher"]
    assert {(spec.keypoints, spec.pairs) == sizes[spec.options["graph"]] for spec in taking} == {True}
