"""An extractor and its matcher as one graph give what the two give one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from enginewright.comparing.align import align
from enginewright.config.choices import Exporter, Form
from enginewright.config.sections import ExportConfig
from enginewright.contract import Contract, Kind
from enginewright.contract.kinds import extractor_contract, matcher_contract
from enginewright.errors import GraphError, NetworkError
from enginewright.graphs.layernorm import forms_of
from enginewright.graphs.layernorm_forms import Rewrite, decompose_layernorms, scale_layernorms
from enginewright.matching.normalise import normalise_keypoints
from enginewright.merging.contract import merged_contract, scoped
from enginewright.merging.graph import merged_graph
from enginewright.merging.reference import merged_reference
from enginewright.reference import Arrays, Reference
from stages import export, merge
from tests.models import disk_model, lightglue_model
from tests.stages.tiny_stage import checkpoint_of, registered

HEIGHT, WIDTH, K, PAIRS = 48, 96, 24, 2
EXTRACTOR = disk_model(height=HEIGHT, width=WIDTH, keypoints=K, batch=2 * PAIRS)
MATCHER = lightglue_model(adapter="shallow", keypoints=K, batch=PAIRS, filter_threshold=0.0)

Parts = tuple[onnx.ModelProto, onnx.ModelProto]


@pytest.fixture(scope="module", params=list(Exporter))
def parts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Return the graphs of an extractor and of a matcher, random weights, non-square images."""
    folder, config = tmp_path_factory.mktemp("parts"), ExportConfig(request.param, 20)
    with registered():
        extractor, matcher = (
            export.run(model, Form.native, config, checkpoint_of(model, folder / model.adapter))
            for model in (EXTRACTOR, MATCHER)
        )
    return extractor, matcher


@pytest.fixture(scope="module")
def contracts() -> tuple[Contract, Contract]:
    """Return the contracts of both parts."""
    return (
        extractor_contract(batch=2 * PAIRS, height=HEIGHT, width=WIDTH, keypoints=K, dimension=128),
        matcher_contract(batch=PAIRS, keypoints=K, dimension=128, layernorms=2),
    )


def ran(model: onnx.ModelProto, inputs: Arrays) -> Arrays:
    """Return a graph's outputs in ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    found: list[NDArray[np.float32]] = session.run(None, inputs)
    return {item.name: value for item, value in zip(session.get_outputs(), found, strict=True)}


def images(seed: int = 0) -> NDArray[np.float32]:
    """Return random images (2B, 3, H, W)."""
    return np.random.default_rng(seed).random((2 * PAIRS, 3, HEIGHT, WIDTH), dtype=np.float32)


def test_the_merged_graph_gives_what_the_two_give(parts: Parts, contracts: tuple[Contract, Contract]) -> None:
    merged = merged_graph(*parts, merged_contract(*contracts))
    found = ran(merged, {"image": images()})
    features = ran(parts[0], {"image": images()})
    placed = normalise_keypoints(features["keypoints"], WIDTH, HEIGHT)
    matches = ran(parts[1], {"keypoints": placed, "descriptors": features["descriptors"]})
    assert list(found) == ["keypoints", "valid", "matches", "mscores"]
    assert (found["matches"] >= 0).any(), "random weights that match nothing would prove nothing"
    for name in ("keypoints", "valid"):
        assert np.array_equal(found[name], features[name])
    assert np.array_equal(found["matches"], matches["matches"])
    assert np.abs(found["mscores"] - matches["mscores"]).max() < 1e-6


def test_every_node_says_which_part_it_is_of(parts: Parts, contracts: tuple[Contract, Contract]) -> None:
    graph = merged_graph(*parts, merged_contract(*contracts)).graph
    assert {node.name.partition("/")[0] for node in graph.node} == {"extractor", "normalise", "matcher"}
    assert len({node.name for node in graph.node}) == len(graph.node)


def test_the_same_parts_give_the_same_bytes(parts: Parts, contracts: tuple[Contract, Contract]) -> None:
    first, second = (
        merged_graph(*parts, merged_contract(*contracts)).SerializeToString(deterministic=True) for _ in range(2)
    )
    assert first == second


def test_parts_are_left_as_they_were(parts: Parts, contracts: tuple[Contract, Contract]) -> None:
    before = [part.SerializeToString(deterministic=True) for part in parts]
    merged_graph(*parts, merged_contract(*contracts))
    assert [part.SerializeToString(deterministic=True) for part in parts] == before


@pytest.mark.parametrize("rewrite", [decompose_layernorms, scale_layernorms])
def test_a_part_keeps_its_form_and_merging_that_changes_one_is_blamed(
    rewrite: Callable[[onnx.ModelProto], Rewrite],
    parts: Parts,
    contracts: tuple[Contract, Contract],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matcher = rewrite(parts[1]).model
    merged, _ = merge.run(parts[0], matcher, references(contracts))
    assert forms_of(merged) == forms_of(parts[0]) + forms_of(matcher)
    monkeypatch.setattr("stages.merge.merged_graph", lambda first, _, contract: merged_graph(first, parts[1], contract))
    with pytest.raises(GraphError, match="the merge stage changed the LayerNorm form") as caught:
        merge.run(parts[0], matcher, references(contracts))
    assert str(caught.value.got).startswith("2 operators")


def test_other_opsets_are_refused(parts: Parts, contracts: tuple[Contract, Contract]) -> None:
    older = onnx.ModelProto()
    older.CopyFrom(parts[1])
    older.opset_import[0].version = 19
    with pytest.raises(GraphError, match="different opsets") as caught:
        merged_graph(parts[0], older, merged_contract(*contracts))
    assert (caught.value.expected, caught.value.got) == ("opset 20 for both", "opset 19")


def test_a_part_that_is_no_valid_graph_is_refused(parts: Parts, contracts: tuple[Contract, Contract]) -> None:
    broken = onnx.ModelProto()
    broken.CopyFrom(parts[1])
    broken.graph.node[0].input[0] = "nowhere"
    with pytest.raises(GraphError, match="do not make a valid graph"):
        merged_graph(parts[0], broken, merged_contract(*contracts))


def test_the_contract(contracts: tuple[Contract, Contract]) -> None:
    contract = merged_contract(*contracts)
    assert contract.kind is Kind.network
    assert contract.layernorms == 2
    shapes = {port.name: contract.shape(port) for port in contract.ports}
    assert shapes == {
        "image": (4, 3, HEIGHT, WIDTH), "keypoints": (4, K, 2), "valid": (4, K), "matches": (2, K), "mscores": (2, K),
    }  # fmt: skip
    assert not any(port.dynamic for port in contract.ports)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": 2}, "'batch': 4"),
        ({"keypoints": K + 1}, f"'keypoints': {K}"),
        ({"dimension": 64}, "'dimension': 128"),
    ],
)
def test_parts_that_do_not_fit(change: dict[str, int], message: str, contracts: tuple[Contract, Contract]) -> None:
    sizes = {"batch": 2 * PAIRS, "height": HEIGHT, "width": WIDTH, "keypoints": K, "dimension": 128} | change
    with pytest.raises(NetworkError, match="do not fit into one graph") as caught:
        merged_contract(extractor_contract(**sizes), contracts[1])  # type: ignore[arg-type]
    assert message in str(caught.value.expected)


def test_a_matcher_that_ends_in_scores_is_refused(contracts: tuple[Contract, Contract]) -> None:
    with pytest.raises(NetworkError, match="ends in scores"):
        merged_contract(contracts[0], matcher_contract(batch=PAIRS, keypoints=K, dimension=128, scores=True))


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("(?i).*mean", "extractor/block/ReduceMean", "matcher/mean"),
        (".*head.*|score", "extractor/score", "score"),
        ("a|b", "extractor/b", "b"),
    ],
)
def test_islands_keep_to_their_part(pattern: str, matching: str, other: str) -> None:
    both = scoped("extractor/", pattern)
    assert re.match(both, matching)
    assert not re.match(both, other)


def references(contracts: tuple[Contract, Contract], samples: int = 2) -> tuple[Reference, Reference]:
    """Return references of both parts with random numbers."""
    random = np.random.default_rng(0)
    pairs = tuple(f"p{2 * n}+p{2 * n + 1}" for n in range(samples))
    names = (tuple(f"p{2 * n}/0+p{2 * n}/1+p{2 * n + 1}/0+p{2 * n + 1}/1" for n in range(samples)), pairs)
    sides = []
    for contract, row in zip(contracts, names, strict=True):
        arrays = {
            port.name: random.random((samples, *contract.shape(port))).astype(port.dtype) for port in contract.ports
        }
        inputs = {port.name: arrays[port.name] for port in contract.inputs}
        outputs = {port.name: arrays[port.name] for port in contract.outputs}
        sides.append(Reference(inputs, outputs, row, contract))
    return sides[0], sides[1]


def test_the_reference_is_the_originals_of_both_parts(contracts: tuple[Contract, Contract]) -> None:
    extractor, matcher = references(contracts)
    found = merged_reference(extractor, matcher, merged_contract(*contracts))
    assert found.names == matcher.names
    assert np.array_equal(found.inputs["image"], extractor.inputs["image"])
    assert np.array_equal(found.outputs["keypoints"], extractor.outputs["keypoints"])
    assert np.array_equal(found.outputs["matches"], matcher.outputs["matches"])
    row = {name: array[0] for name, array in found.outputs.items()}
    assert align(row, row, found.contract, 0.5).expected["matches"].ndim == 1


def test_references_of_other_images_are_refused(contracts: tuple[Contract, Contract]) -> None:
    extractor, matcher = references(contracts)
    other = Reference(matcher.inputs, matcher.outputs, ("p1+p0", "p2+p3"), matcher.contract)
    with pytest.raises(NetworkError, match="references of other images"):
        merged_reference(extractor, other, merged_contract(*contracts))


def test_the_stage_reads_four_files_and_writes_three(
    parts: Parts, contracts: tuple[Contract, Contract], tmp_path: Path
) -> None:
    from enginewright.graphs.files import load_graph, save_graph
    from enginewright.reference import load_reference, save_reference
    from enginewright.stage import Stage

    inputs: dict[str, Path] = {}
    for part, graph, reference in zip(("extractor", "matcher"), parts, references(contracts), strict=True):
        inputs |= {f"{part}_exported": tmp_path / f"{part}.onnx", f"{part}_reference": tmp_path / f"{part}.npz"}
        save_graph(inputs[f"{part}_exported"], graph)
        save_reference(inputs[f"{part}_reference"], reference)
    outputs = {name: tmp_path / f"out_{name}" for name in ("exported", "reference", "metrics")}
    merge.main(Stage("both", {}, merge.SECTIONS, inputs, outputs))
    merged, contract = load_graph(outputs["exported"]), load_reference(outputs["reference"]).contract
    assert [value.name for value in merged.graph.output] == [port.name for port in contract.outputs]
    assert '"layernorm_ops": 2' in outputs["metrics"].read_text()
