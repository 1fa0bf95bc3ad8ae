"""The types that a network's layers give, as the builder parsed it, and whether they are those of the typed graph.

An engine can be read only where a GPU can load it. The strongly typed network that it is made from can be read
anywhere, and the builder may not change its types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from enginewright.errors import BuildError

_NAMES = {"FLOAT": "float32", "HALF": "float16", "BF16": "bfloat16", "FP8": "float8"}
_REDUCED = frozenset({"float16", "bfloat16", "float8", "int8"})


def layer_types(network: Any) -> dict[str, int]:
    """Return how many layer outputs of a parsed network have each type; TensorRT's own names in small letters else."""
    layers = (network.get_layer(index) for index in range(network.num_layers))
    outputs = (layer.get_output(index) for layer in layers for index in range(layer.num_outputs))
    names = (output.dtype.name for output in outputs if output is not None)
    return dict(sorted(Counter(_NAMES.get(name, name.lower()) for name in names).items()))


def check_layer_types(found: Mapping[str, int], wanted: frozenset[str]) -> None:
    """Refuse an engine whose layers lack a reduced type of its graph, or have one that the graph has not.

    wanted: the reduced types of the typed graph; none for an fp32 one.

    Raises:
        BuildError: with both.
    """
    built = _REDUCED.intersection(found)
    if built != wanted:
        raise BuildError(
            "the engine does not compute in the types of the typed graph",
            expected=", ".join(sorted(wanted)) or "float32 only",
            got=dict(found),
            cure="build with another version of the builder, or report it with the graph",
        )


def check_tf32(options: Mapping[str, Any], asked: bool) -> None:
    """Refuse an engine whose fp32 products are of another precision than asked for.

    options: of the build, as the builder resolved them.

    Raises:
        BuildError: with both.
    """
    if options["tf32"] is not asked:
        raise BuildError(
            "the builder did not take the TF32 flag", expected=f"tf32={asked}", got=f"tf32={options['tf32']}"
        )
