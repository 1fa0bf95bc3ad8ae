"""Recognises the scaled form of LayerNorm, whose formula `networks.layernorm.ScaledLayerNorm` derives.

Read from its last quotient backwards, past casts and Identity. A tool may fold constants, exchange the operands of a
sum or product, write a maximum as Clip or 1 / b as Reciprocal; each value still has to be made of what makes it there.
"""

from __future__ import annotations

import onnx

from enginewright.graphs.layernorm_forms.scope import Scope

_SAME = {"Identity", "Cast"}
_LIMITS = ("Max", "Clip")
_PRODUCTS = ("Mul", "Div")


def scaled_layernorms(scope: Scope) -> int:
    """Return how many LayerNorms of a scope have the scaled form."""
    return len(scaled_nodes(scope))


def scaled_nodes(scope: Scope) -> list[list[onnx.NodeProto]]:
    """Return the nodes of each LayerNorm of a scope that has the scaled form, from its last quotient backwards."""
    found = ((node, _Quotient(scope)) for node in scope.graph.node if node.op_type == "Div")
    return [quotient.behind(node) for node, quotient in found if quotient.is_last(node)]


class _Quotient:
    """Follows values of one scope back to what made them. Each step returns None where it leads elsewhere."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.start = ""
        """The value that is normalised, known once `is_last` has found it."""

    def is_last(self, node: onnx.NodeProto) -> bool:
        """Return whether a Div makes w / g."""
        unit, total = self._source(node.input[0]), self._only(self._limited(node.input[1]), "Sqrt")
        for variance, rest in self._orders(total, "Add"):
            if unit and self._square(self._only(variance, "ReduceMean")) == unit:
                size = self._inverse(self._square(self._source(rest)))
                return size is not None and self._is_unit(unit, size)
        return False

    def behind(self, last: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Return the nodes from `last` back to the value that is normalised."""
        found, waiting = [last], list(last.input)
        while waiting:
            name = waiting.pop()
            node = self._maker(name) if name and self._source(name) != self.start else None
            if node is not None and node not in found:
                found.append(node)
                waiting.extend(node.input)
        return found

    def _is_unit(self, unit: str, size: str) -> bool:
        """Return whether `unit` is c / b less its mean, for the b in `size`, and b the largest |c| from a limit up."""
        for quotient, mean in self._pairs(unit, "Sub"):
            if self._only(mean, "ReduceMean") != quotient:
                continue
            for centred, divisor in self._pairs(quotient, "Div"):
                largest = self._only(self._only(self._limited(size), "ReduceMax"), "Abs")
                return divisor == size and largest == centred and self._is_centred(centred)
        return False

    def _is_centred(self, centred: str) -> bool:
        """Return whether `centred` is h less the sum of h / n."""
        for value, total in self._pairs(centred, "Sub"):
            share = self._only(total, "ReduceSum")
            self.start = value
            return any(self._source(name) == value for name in self._varying(share, *_PRODUCTS))
        return False

    def _source(self, name: str | None) -> str | None:
        """Return the value that `name` is, but for casts and other names."""
        while name and (node := self._maker(name)) and node.op_type in _SAME:
            name = node.input[0]
        return name

    def _maker(self, name: str) -> onnx.NodeProto | None:
        index = self.scope.makers.get(name)
        return None if index is None else self.scope.graph.node[index]

    def _inputs(self, name: str | None, *operators: str) -> list[str]:
        """Return what the node that makes `name` reads, if it is one of `operators`."""
        source = self._source(name)
        node = self._maker(source) if source else None
        return [read for read in node.input if read] if node and node.op_type in operators else []

    def _only(self, name: str | None, operator: str) -> str | None:
        """Return the value that an operator was applied to; axes are no value."""
        return self._source(next(iter(self._inputs(name, operator)), None))

    def _pairs(self, name: str | None, operator: str) -> list[tuple[str, str]]:
        """Return the two values that an operator was applied to, if it is that and both are known, as a list of one."""
        sources = [source for read in self._inputs(name, operator) if (source := self._source(read))]
        return [(sources[0], sources[1])] if len(sources) == 2 else []

    def _orders(self, name: str | None, operator: str) -> list[tuple[str, str]]:
        return [pair for one, other in self._pairs(name, operator) for pair in ((one, other), (other, one))]

    def _varying(self, name: str | None, *operators: str) -> list[str]:
        """Return what one of `operators` reads beside constants, if it reads one."""
        reads = self._inputs(name, *operators)
        found = [read for read in reads if not self.scope.is_weight(read)]
        return found if len(found) == 1 < len(reads) else []

    def _limited(self, name: str | None) -> str | None:
        """Return what is kept from falling under a constant."""
        return self._source(next(iter(self._varying(name, *_LIMITS)), None))

    def _square(self, name: str | None) -> str | None:
        return next((one for one, other in self._pairs(name, "Mul") if one == other), None)

    def _inverse(self, name: str | None) -> str | None:
        """Return the b of a constant over b, however many constants there are."""
        for read in self._inputs(name, "Reciprocal") or self._varying(name, "Div"):
            return self._source(read)
        for read in self._varying(name, "Mul"):
            return self._inverse(read)
        return None
