"""The child process: `python -m enginewright.simplifying.child IN OUT` runs onnxsim once and exits."""

from __future__ import annotations

import sys
from pathlib import Path

REFUSED = 3
"""Exit status when onnxsim itself says that the simplified graph computes something else."""


def main(source: Path, target: Path) -> int:
    """Simplify the graph in `source` into `target`; onnxsim runs both on random inputs and compares."""
    import onnx
    from onnxsim import simplify

    model, same = simplify(onnx.load_model(source), check_n=1)
    if not same:
        return REFUSED
    target.write_bytes(model.SerializeToString(deterministic=True))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
