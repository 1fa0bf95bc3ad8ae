"""A checkout whose networks are so small that every stage takes a second or so, with all kinds of stages in it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from tests.e2e.workspace import Workspace

FILES = Path(__file__).with_name("files")
NETWORKS = ("cells", "cells_nearest", "cells_merged", "foreign")
WIDTH = 16


def small_checkout(path: Path, networks: tuple[str, ...] = NETWORKS) -> Workspace:
    """Return a checkout with these networks alone, committed and composed, in which nothing was built."""
    space = Workspace.copied_to(path)
    digests = {"cells": _checkpoint(path / "cells.pth"), "foreign": _foreign(path / "foreign.onnx")}
    shutil.copy(FILES / "cells.py", path / "networks" / "cells.py")
    shutil.copy(FILES / "torture.yaml", path / "conf" / "experiment" / "torture.yaml")
    for name in NETWORKS:
        text = (FILES / f"{name}.yaml").read_text(encoding="utf-8").replace("SHA256", digests.get(name, ""))
        (path / "conf" / "network" / f"{name}.yaml").write_text(text, encoding="utf-8")
    space.edit("conf/config.yaml", r"network: \[disk, disk_lightglue\]", f"network: [{', '.join(networks)}]")
    space.edit("conf/config.yaml", r"^  - experiment: null", "  - experiment: torture")
    for name in ("dvc.lock", "machine/dvc.lock"):
        (path / name).unlink()
    if "cells" not in networks:
        space.edit("conf/experiment/torture.yaml", r"networks:\n(  .*\n)+", "")
    space.run("python", "-m", "enginewright.config.compose")
    space.commit("small")
    return space


def _checkpoint(path: Path) -> str:
    torch.manual_seed(0)
    shapes = {
        "score.weight": (1, 1, 5, 5),
        "score.bias": (1,),
        "describe.weight": (32, 1, 7, 7),
        "describe.bias": (32,),
        "norm.weight": (32,),
        "norm.bias": (32,),
    }
    torch.save({name: torch.randn(shape) for name, shape in shapes.items()}, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _foreign(path: Path) -> str:
    """Write an ONNX file of two products with an activation between."""
    random = np.random.default_rng(0)
    weights = [random.standard_normal((WIDTH, WIDTH)).astype(np.float32) for _ in range(2)]
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "first"], ["wide"], "first_product"),
            helper.make_node("Relu", ["wide"], ["positive"], "activation"),
            helper.make_node("MatMul", ["positive", "second"], ["y"], "second_product"),
        ],
        "foreign",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, WIDTH])],
        [numpy_helper.from_array(array, name) for name, array in zip(("first", "second"), weights, strict=True)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
