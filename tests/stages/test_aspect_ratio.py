"""Images that are no squares, in batches, through swap, export, compare and match."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from enginewright.config.choices import DataSource, Exporter, Form
from enginewright.config.models import MatcherModel
from enginewright.config.sections import CompareConfig, DataConfig, ExportConfig, MatchConfig, SwapConfig
from enginewright.graphs.files import save_graph
from enginewright.images import load_pairs
from enginewright.images.scikit_image import data_folder
from enginewright.matching.chain import match as match_with
from enginewright.matching.graph import OnnxGraph
from enginewright.matching.original import image_shape
from enginewright.matching.proof import prove
from enginewright.matching.runs import OnnxChains
from enginewright.reference import Arrays, Reference, load_reference, save_reference
from enginewright.swapping.sampling import FeatureSampler, ImageSampler, Sampler
from enginewright.verdicts import PASSED
from stages import compare, export, match, swap
from tests.models import disk_model
from tests.stages.tiny_stage import checkpoint_of, registered

LIMITS = MatchConfig(keypoint_px=1e-3)
TOLERANCES = CompareConfig(outputs={"scores": 1e-2})


@dataclass(frozen=True)
class Chain:
    """An extractor and its matcher, of one image size and batch, after swap and export."""

    data: DataConfig
    height: int
    width: int
    references: dict[str, Path]
    graphs: dict[str, Path]

    def reference(self, side: str) -> Reference:
        return load_reference(self.references[side])


def folder_of_mixed_sizes(folder: Path) -> DataConfig:
    """Write pairs whose two images differ in size, and one with its homography."""
    image = Image.open(data_folder() / "astronaut.png").convert("RGB")
    image.resize((200, 120)).save(folder / "wide.png")
    image.resize((90, 150)).save(folder / "tall.png")
    image.resize((160, 160)).save(folder / "square.png")
    scale = np.diag([0.8, 160 / 120, 1.0])  # of the wide one to the square: half a pixel more at either end
    scale[:2, 2] = (scale[0, 0] - 1) / 2, (scale[1, 1] - 1) / 2
    (folder / "h.txt").write_text(" ".join(map(str, scale.ravel())))
    (folder / "pairs.txt").write_text("wide.png square.png h.txt\ntall.png wide.png\nsquare.png tall.png\n")
    return DataConfig(source=DataSource.folder, folder=str(folder), watch=str(folder))


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture(scope="module", params=[(64, 112, 2), (96, 48, 4)], ids=["wide", "tall"])
def chain(_registered: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    height, width, batch = request.param
    folder = tmp_path_factory.mktemp("chain")
    data = folder_of_mixed_sizes(folder)
    eyes = disk_model(height=height, width=width, keypoints=40, batch=batch)
    hands = MatcherModel(adapter="shallow", layernorms=2, keypoints=40, batch=2, filter_threshold=0.0)
    checkpoints = {"extractor": checkpoint_of(eyes, folder / "e.st"), "matcher": checkpoint_of(hands, folder / "m.st")}
    samplers: dict[str, Sampler] = {
        "extractor": ImageSampler(data),
        "matcher": FeatureSampler(data, eyes, checkpoints["extractor"]),
    }
    references, graphs = {}, {}
    for side, model in {"extractor": eyes, "matcher": hands}.items():
        samples = samplers[side].at(swap.contract_of(model))
        reference, _ = swap.run(model, SwapConfig(), checkpoints[side], *samples)
        references[side], graphs[side] = folder / f"{side}.npz", folder / f"{side}.onnx"
        save_reference(references[side], reference)
        config = ExportConfig(Exporter.torchscript, 17)
        save_graph(graphs[side], export.run(model, Form.native, config, checkpoints[side]))
    return Chain(data, height, width, references, graphs)


def test_every_pair_comes_at_the_size_of_the_network(chain: Chain) -> None:
    pairs = load_pairs(chain.data, chain.height, chain.width)
    assert {image.shape for pair in pairs for image in pair.images} == {(chain.height, chain.width, 3)}
    assert image_shape(chain.reference("extractor")) == (3, chain.height, chain.width)
    points = np.array([[3.0, 4.0], [20.0, 30.0]])
    np.testing.assert_allclose(pairs[0].truth.errors(points, points), 0, atol=1e-9)


def test_keypoints_are_normalised_by_half_the_longer_side(chain: Chain) -> None:
    found = chain.reference("extractor").outputs["keypoints"]
    pixels = found.reshape(-1, *found.shape[2:])[:6]
    assert pixels[..., 0].max() < chain.width
    assert pixels[..., 1].max() < chain.height
    half = max(chain.height, chain.width) / 2
    placed = (pixels - np.array([chain.width / 2, chain.height / 2])) / half
    inputs = chain.reference("matcher").inputs["keypoints"]
    np.testing.assert_allclose(inputs.reshape(-1, *inputs.shape[2:])[:6], placed, atol=1e-6)
    longer = int(chain.height > chain.width)
    assert np.abs(placed[..., longer]).max() > np.abs(placed[..., 1 - longer]).max()


@pytest.mark.parametrize("side", ["extractor", "matcher"])
def test_graphs_of_batches_agree_with_the_original(chain: Chain, side: str) -> None:
    reference = chain.reference(side)
    assert len(reference) * reference.contract.sizes["batch"] >= 3
    config = TOLERANCES if side == "extractor" else CompareConfig()
    metrics, _, _ = compare.run(config, reference, {"exported": chain.graphs[side]})
    assert (metrics["verdict"], metrics["reason"]) == ("passed", "")


def test_matching_in_batches_is_the_originals(chain: Chain) -> None:
    inputs = {f"{side}_reference": path for side, path in chain.references.items()}
    task = match.task_of(inputs, chain.data, LIMITS, 0.0)
    assert task.shape == (3, chain.height, chain.width)
    chains = OnnxChains(task)
    outcome = prove(task, partial(chains.run, "exported", chain.graphs["extractor"], chain.graphs["matcher"]))
    assert outcome.verdict == PASSED
    assert outcome.metrics["matches"] == outcome.metrics["common"] > 10
    assert len(outcome.matched) == len(task.pairs) == 3


class Recorded:
    """A graph that keeps what it is given."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.given: list[Arrays] = []

    def slots(self, name: str) -> int:
        return self.graph.slots(name)

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.given.append(dict(inputs))
        return self.graph(inputs)


def test_the_matcher_is_given_in_matching_what_it_was_given_in_its_reference(chain: Chain) -> None:
    """Normalised by the same size, interleaved in the same order, the last batch filled up with the same pair."""
    inputs = {f"{side}_reference": path for side, path in chain.references.items()}
    task = match.task_of(inputs, chain.data, LIMITS, 0.0)
    features = [features for found in task.original for features in (found.features0, found.features1)]
    graph = Recorded(OnnxGraph(chain.graphs["matcher"]))
    found = match_with(graph, features, task.shape[1:], 0.0)
    reference = chain.reference("matcher")
    assert len(graph.given) == len(reference) == 2
    for given, (_, wanted, _) in zip(graph.given, reference.samples(), strict=True):
        for name in ("keypoints", "descriptors"):
            np.testing.assert_array_equal(given[name], wanted[name])
    for one, original in zip(found, task.original, strict=True):
        assert one.indices.tolist() == original.indices.tolist()
