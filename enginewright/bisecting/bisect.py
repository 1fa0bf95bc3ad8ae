"""The bisection of one case, step by step; what it finds is told as it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from enginewright.artifacts import write_bytes
from enginewright.bisecting.case import Case
from enginewright.bisecting.faults import by_module, candidates, faulty, nodes_at
from enginewright.bisecting.judge import first_samples, rehearsed
from enginewright.bisecting.layer_errors import errors_along, rows_of
from enginewright.bisecting.search import Found, search
from enginewright.bisecting.trials import Trials
from enginewright.comparing.curves import curves_json
from enginewright.graphs.files import load_graph
from enginewright.graphs.modules import nearest_modules
from enginewright.plots.layer_errors import layer_errors_picture
from enginewright.progress import progress
from enginewright.rehearsing.gate import Tensor, tensors_in, verdict_of
from enginewright.verdicts import State

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Broken:
    """Where a case breaks.

    base: the nodes at faulty tensors. found: what the search added. order: all nodes as they stand in the graph.
    modules: torch paths by node name.
    """

    base: frozenset[str]
    found: Found
    order: list[str]
    modules: dict[str, str]

    @property
    def nodes(self) -> list[str]:
        """Return the nodes that must stay fp32, in the graph's order."""
        chosen = self.base | (self.found.further or frozenset())
        return [name for name in self.order if name in chosen]


def bisected(case: Case, samples: int, most: int, tell: Tell) -> Broken:
    """Return where the case breaks.

    Args:
        samples: how many of the reference each rehearsal of the search runs on.
        most: the largest number of rehearsals, two at least.

    Raises:
        GraphError, CompareError: if ONNX Runtime does not run a twin of the graph.
    """
    typed, source = load_graph(case.typed), case.source()
    modules = nearest_modules(typed, case.modules())
    few = first_samples(case.reference, samples)
    tensors = tensors_in(typed, case.modules(), case.reference, case.config.compare)
    base = nodes_at(typed, [tensor.name for tensor in faulty(tensors)])
    tell(f"ranges: {verdict_of(tensors).reason or f'all {len(tensors)} reduced tensors fit their format'}")
    _draw(case, tensors, samples, tell)
    groups = by_module((name for name in candidates(typed, source) if name not in base), modules)
    tell(f"searching: {len(base)} nodes touch tensors at fault; {len(groups)} modules may be needed besides")

    def passes(full: frozenset[str]) -> bool:
        return rehearsed(case.typed, few, case.config, full, source).verdict(case.config).state is State.passed

    with progress(f"rehearsing {case.network}", most, "rehearsals at most") as tick:
        found = search(base, groups, Trials(passes, most, tick))
    return Broken(base, found, [node.name for node in typed.graph.node], modules)


def _draw(case: Case, tensors: list[Tensor], samples: int, tell: Tell) -> None:
    """Write errors.json and errors.png."""
    typed = load_graph(case.typed)
    errors = errors_along(typed, first_samples(case.reference, samples))
    rows = rows_of(typed, errors, nearest_modules(typed, case.modules()), tensors)
    title = f"{case.network} in {case.config.cast.precision.name}, {case.config.swap.form.name} LayerNorm"
    write_bytes(case.folder / "errors.json", curves_json(rows))
    write_bytes(case.folder / "errors.png", layer_errors_picture(title, rows))
    tell(f"errors along the network: {case.folder / 'errors.png'} and errors.json beside it")
