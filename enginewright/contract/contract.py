"""The contract of a network's graph: what goes in, what comes out, how outputs are compared. No torch here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import Enum


class Kind(Enum):
    """What a network is for: it decides which graph contract holds and whether there is a match stage."""

    extractor = "extractor"
    matcher = "matcher"
    network = "network"


class Rule(Enum):
    """How an output of an artifact is compared with the reference.

    close: element by element. equal: element by element, counting those that differ (indices).
    aligned: rows are keypoints; they are paired by position first, so that two keypoints of nearly
    equal score may change places. linked: aligned, and the values are indices of keypoints in the other image of the
    pair, or -1: they mean positions, which the pairing translates.
    """

    close = "close"
    equal = "equal"
    aligned = "aligned"
    linked = "linked"


@dataclass(frozen=True)
class Port:
    """One graph input or output.

    axes: one name an axis, for example ("batch", "channels", "height", "width"). dynamic: those of the
    axes that `export.dynamic` leaves open. dtype: a numpy name.
    """

    name: str
    axes: tuple[str, ...]
    dynamic: tuple[str, ...] = ()
    dtype: str = "float32"
    rule: Rule = Rule.close

    @property
    def is_index(self) -> bool:
        """Return whether the values are indices, of which two are equal or not, and never near."""
        return self.rule in (Rule.equal, Rule.linked)


@dataclass(frozen=True)
class Contract:
    """Inputs and outputs in graph order, and the nodes (regular expressions) that must stay fp32.

    sizes: the static size of each axis name. layernorms: how many LayerNorm layers the module has, so that
    a swap that finds none is noticed.
    """

    kind: Kind
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    sizes: dict[str, int] = field(default_factory=dict)
    layernorms: int = 0
    fp32_nodes: tuple[str, ...] = field(default=())

    def shape(self, port: Port) -> tuple[int, ...]:
        """Return the static shape of one input or output."""
        return tuple(self.sizes[axis] for axis in port.axes)

    @property
    def ports(self) -> tuple[Port, ...]:
        """Return inputs and outputs, in graph order."""
        return (*self.inputs, *self.outputs)

    def to_json(self) -> str:
        """Return the contract as one JSON text, the same for the same contract."""
        return json.dumps(asdict(self), sort_keys=True, default=lambda value: value.value)

    @staticmethod
    def from_json(text: str) -> Contract:
        """Return the contract that `to_json` wrote; any other text raises, of many kinds."""
        raw = json.loads(text)
        contract = Contract(
            kind=Kind(raw["kind"]),
            inputs=tuple(_port(item) for item in raw["inputs"]),
            outputs=tuple(_port(item) for item in raw["outputs"]),
            sizes=raw["sizes"],
            layernorms=raw["layernorms"],
            fp32_nodes=tuple(raw["fp32_nodes"]),
        )
        if fault := _fault(contract):
            raise ValueError(f"its contract cannot be one: {fault}")
        return contract


def _fault(contract: Contract) -> str | None:
    """Return why a contract that was read cannot be one: what later stages take for granted."""
    sizes = contract.sizes
    if not isinstance(sizes, dict) or not all(type(size) is int and size >= 0 for size in sizes.values()):
        return "a size that is no number"
    if type(contract.layernorms) is not int or not all(isinstance(name, str) for name in contract.fp32_nodes):
        return "layernorms or fp32_nodes"
    return None


def _port(raw: dict[str, object]) -> Port:
    return Port(
        name=str(raw["name"]),
        axes=tuple(raw["axes"]),  # type: ignore[arg-type]
        dynamic=tuple(raw["dynamic"]),  # type: ignore[arg-type]
        dtype=str(raw["dtype"]),
        rule=Rule(raw["rule"]),
    )
