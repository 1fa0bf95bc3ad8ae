"""Export and count in one: LayerNorms in the form asked for, as many as run, and no hook left behind."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from enginewright.config.choices import Exporter, Form
from enginewright.contract import Contract, Kind, Port
from enginewright.errors import NetworkError
from enginewright.exporting import swapped
from enginewright.exporting.request import ExportRequest
from enginewright.exporting.swapped import export_swapped
from enginewright.graphs.layernorm import Forms, forms_of

ROWS = Contract(Kind.network, (Port("x", ("one", "rows", "width")),), (Port("y", ("one", "rows", "width")),),
                {"one": 1, "rows": 3, "width": 8})  # fmt: skip
REQUEST = ExportRequest(ROWS, 20, dynamic=False)


class Shared(nn.Module):
    """A block that runs three times, a layer of two names, and one that nothing calls."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8))
        self.last, self.unused = nn.LayerNorm(8), nn.LayerNorm(8)
        self.again = self.last

    def forward(self, x: Tensor) -> Tensor:
        """Run the block three times, then the last layer by both of its names."""
        for _ in range(3):
            x = self.block(x)
        normal: Tensor = self.again(self.last(x) * 3)
        return normal


FOUND = {Form.native: Forms(5, 0, 0), Form.decomposed: Forms(0, 5, 0), Form.scaled: Forms(0, 0, 5)}


@pytest.mark.parametrize("choice", Exporter)
@pytest.mark.parametrize("form", FOUND)
def test_calls_are_counted_and_hooks_are_gone(form: Form, choice: Exporter) -> None:
    module = Shared().eval()
    graph, calls = export_swapped(module, form, REQUEST, choice)
    assert (calls, forms_of(graph)) == (5, FOUND[form])
    assert not any(layer._forward_hooks for layer in module.modules())


@pytest.mark.parametrize("choice", Exporter)
def test_without_layernorm_there_are_no_calls(choice: Exporter) -> None:
    assert export_swapped(nn.Linear(8, 8).eval(), Form.native, REQUEST, choice)[1] == 0


def test_counting_leaves_no_trace_in_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    module = Shared().eval()
    counted, _ = export_swapped(module, Form.native, REQUEST, Exporter.torchscript)
    monkeypatch.setattr(swapped, "counted", lambda _layers: nullcontext([]))
    plain, _ = export_swapped(module, Form.native, REQUEST, Exporter.torchscript)
    assert counted.SerializeToString(deterministic=True) == plain.SerializeToString(deterministic=True)


@pytest.mark.parametrize("choice", Exporter)
def test_a_module_that_fails_fails_with_its_own_error(choice: Exporter) -> None:
    class Failing(Shared):
        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("of its own")

    module = Failing().eval()
    with pytest.raises(NetworkError, match="of its own"):
        export_swapped(module, Form.native, REQUEST, choice)
    assert not any(layer._forward_hooks for layer in module.modules())
