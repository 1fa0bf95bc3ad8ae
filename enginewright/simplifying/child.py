"""The child process: `python -m enginewright.simplifying.child IN OUT` runs onnxsim once and exits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from enginewright.heap import keep_freed
from enginewright.lifeline import end_with_parent
from enginewright.warm import hand_over_child
from enginewright.warm.early import ONNXSIM

if TYPE_CHECKING:
    import onnx

REFUSED = 3
"""Exit status when onnxsim itself says that the simplified graph computes something else."""

_SKIPPED = ["fuse_layer_norm", "fuse_consecutive_reduce"]
"""The first would turn decomposed LayerNorm into LayerNormalization again; the form is for the swap stage to choose.
The second would sum in one go what a network sums in two for the digits that one sum loses.
"""

_SEEDS = (0, 1, 2)
"""Random inputs that onnxsim checks its result on, one after another until one agrees.

A matcher fed with noise sits on ties, which a sum in another order breaks the other way: a right graph is refused by
some inputs, a wrong one by all. Fixed seeds make the answer the same every time.
"""


def main(source: Path, target: Path) -> int:
    """Simplify the graph in `source` into `target`; onnxsim runs both on random inputs and compares.

    A graph with open axes is not run: onnxsim cannot know which sizes it takes. The compare stage does.
    """
    import onnx

    keep_freed()
    exported = onnx.load_model(source)
    for seed in _SEEDS:
        model, same = _simplified(exported, seed)
        if same:
            target.write_bytes(model.SerializeToString(deterministic=True))
            return 0
    return REFUSED


def _simplified(exported: onnx.ModelProto, seed: int) -> tuple[onnx.ModelProto, bool]:
    """Return what onnxsim makes of the graph, and whether it computed the same on the random inputs of that seed."""
    import numpy as np
    from onnxsim import simplify

    np.random.seed(seed)
    model, same = simplify(exported, check_n=0 if _open_axes(exported) else 1, skipped_optimizers=_SKIPPED)
    return model, bool(same)


def _open_axes(model: onnx.ModelProto) -> bool:
    sizes = (size for value in model.graph.input for size in value.type.tensor_type.shape.dim)
    return not all(size.HasField("dim_value") for size in sizes)


if __name__ == "__main__":
    end_with_parent()
    status = hand_over_child(ONNXSIM)
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])) if status is None else status)
