"""A matcher of one node, and its reference: an image-0 keypoint matches the index that its first descriptor says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from enginewright.artifacts import write_json
from enginewright.contract.kinds import matcher_contract
from enginewright.reference import Reference, save_reference
from tests.graphs.small import model_of, tensor, value, write

K, D = 4, 2
CONTRACT = matcher_contract(keypoints=K, dimension=D)


def matcher(offset: float = 0.0, low: bool = False, overflow: bool = False) -> onnx.ModelProto:
    """Return matches and confidences read off the descriptors, plus `offset`.

    low: by way of float16. overflow: with a float16 tensor beside that overflows, and that no match depends on.
    """
    nodes = [
        helper.make_node("Gather", ["descriptors", "first"], ["image0"], axis=0),
        helper.make_node("Split", ["image0"], ["index", "score"], axis=2, num_outputs=2),
        helper.make_node("Squeeze", ["index", "last"], ["flat"]),
        helper.make_node("Add", ["flat", "offset"], ["moved"]),
        helper.make_node("Cast", ["moved"], ["matches"], to=TensorProto.INT32),
        helper.make_node("Squeeze", ["score", "last"], ["plain" if low else "mscores"]),
    ]
    if low:
        nodes.append(helper.make_node("Cast", ["plain"], ["half"], to=TensorProto.FLOAT16))
        nodes.append(helper.make_node("Cast", ["half"], ["mscores"], to=TensorProto.FLOAT))
    if overflow:
        nodes.append(helper.make_node("Div", ["flat", "zero"], ["far"]))
        nodes.append(helper.make_node("Cast", ["far"], ["overflow"], to=TensorProto.FLOAT16))
    inputs = [value("keypoints", (2, K, 2)), value("descriptors", (2, K, D))]
    outputs = [value("matches", (1, K), TensorProto.INT32), value("mscores", (1, K))]
    stored = [tensor("first", [0], "int64"), tensor("last", [2], "int64")]
    stored += [tensor("offset", [offset]), tensor("zero", [0.0])]
    weights = tensor("weights", np.arange(1024))
    return model_of(nodes, inputs, outputs, [*stored, weights])


def reference() -> Reference:
    """Return two samples, each with three matches of four keypoints."""
    descriptors = np.zeros((2, 2, K, D), np.float32)
    descriptors[:, 0, :, 0] = [0, 1, -1, 3]
    descriptors[:, 0, :, 1] = [0.1, 0.5, 0.0, 0.9]
    inputs: dict[str, Any] = {"keypoints": np.zeros((2, 2, K, 2), np.float32), "descriptors": descriptors}
    outputs = {"matches": descriptors[:, :1, :, 0].astype(np.int32), "mscores": descriptors[:, :1, :, 1]}
    return Reference(inputs, outputs, ("a", "b"), CONTRACT)


def variant(folder: Path, name: str, model: onnx.ModelProto | None = None, **facts: Any) -> None:
    """Write a variant of the network `small` as build does."""
    form, precision = name.split("-")
    known = {"network": "small", "form": form, "precision": precision, "modelopt": "1.0", "matcher_ratio": 0.9}
    built = {"status": "built", "bytes": 1_500_000} if model is not None else {"status": "refused", "reason": "why"}
    write_json(folder / f"small-{name}.json", known | built | facts)
    if model is not None:
        write(folder / f"small-{name}.onnx", model)


def save(folder: Path) -> None:
    """Write the reference beside the variants."""
    save_reference(folder / "small.npz", reference())
