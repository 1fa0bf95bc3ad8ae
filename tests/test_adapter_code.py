"""Whatever an adapter raises is told as one error that leads to its file and line."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import networks
from enginewright.adapter_code import adapter_code, file_of, made_by, run_forward, shown
from enginewright.config.models import ModelConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.errors import ConfigError, NetworkError

HERE = Path(__file__)
MODEL = ModelConfig(adapter="failing")
SIZES = {"rows": 2}
CONTRACT = Contract(Kind.network, (Port("x", ("rows",)),), (Port("y", ("rows",)),), SIZES)


class Dividing(nn.Module):
    """A forward that fails."""

    def forward(self, x: Tensor) -> float:
        return len(x.shape) / 0


class Failing(networks.Adapter[ModelConfig]):
    """An adapter whose every method does what `act` does."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def module(self, model: ModelConfig) -> nn.Module:
        """Return what `act` returns, if it does."""
        found: nn.Module = self.act()
        return found

    def contract(self, model: ModelConfig) -> Contract:
        """Return what `act` returns, if it does."""
        found: Contract = self.act()
        return found

    def rename(self, key: str) -> str | None:
        """Return what `act` returns, if it does."""
        found: str | None = self.act()
        return found


CALLS: dict[str, Callable[[networks.Adapter[Any]], object]] = {
    "module": lambda adapter: adapter.module(MODEL),
    "contract": lambda adapter: adapter.contract(MODEL),
    "rename": lambda adapter: adapter.rename("layer.weight"),
}


def missing_key() -> object:
    return MODEL.options["side"]


def line_of(function: Callable[..., object], words: str) -> int:
    """Return the number of the line of a function that holds these words."""
    lines, first = inspect.getsourcelines(function)
    return next(first + index for index, line in enumerate(lines) if words in line)


def guarded(act: Callable[[], Any]) -> networks.Adapter[Any]:
    return networks._guarded(Failing(act))


def refusal(act: Callable[[], object]) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        act()
    return caught.value


@pytest.mark.parametrize("method", CALLS)
def test_an_exception_of_a_method_is_told_with_file_line_method_and_its_own_words(method: str) -> None:
    error = refusal(lambda: CALLS[method](guarded(missing_key)))
    assert error.what == f"tests/test_adapter_code.py, line {line_of(missing_key, 'side')}: {method} fails"
    assert error.got == "KeyError: 'side'"
    assert str(error.cure).startswith("mend tests/test_adapter_code.py")
    assert isinstance(error.__cause__, KeyError)


@pytest.mark.parametrize("method", CALLS)
def test_an_error_of_this_project_passes_as_it_is(method: str) -> None:
    ours = ConfigError("model.options.side is odd")

    def act() -> object:
        raise ours

    with pytest.raises(ConfigError) as caught:
        CALLS[method](guarded(act))
    assert caught.value is ours


@pytest.mark.parametrize("method", CALLS)
def test_a_result_of_another_kind_is_refused(method: str) -> None:
    error = refusal(lambda: CALLS[method](guarded(lambda: 7)))
    assert error.what == f"tests/test_adapter_code.py: {method} returns something else than it should"
    assert error.got == "int"


@pytest.mark.parametrize(("method", "result"), [("module", nn.ReLU()), ("contract", CONTRACT), ("rename", None)])
def test_what_a_method_should_return_comes_through(method: str, result: object) -> None:
    assert CALLS[method](guarded(lambda: result)) is result


def test_an_axis_without_a_size_is_named() -> None:
    error = refusal(lambda: guarded(lambda: Contract(Kind.network, CONTRACT.inputs, (), {})).contract(MODEL))
    assert (error.expected, error.got) == ("`sizes` with every axis: rows", "none for rows")


def test_forward_runs_without_gradients() -> None:
    assert not run_forward(nn.Linear(2, 2), [torch.ones(2)]).requires_grad


def test_an_exception_of_forward_is_told_with_its_line() -> None:
    error = refusal(lambda: run_forward(Dividing(), [torch.ones(2)]))
    line = line_of(Dividing.forward, "/ 0")
    assert error.what == f"tests/test_adapter_code.py, line {line}: forward fails"
    assert error.got == "ZeroDivisionError: division by zero"


def test_a_librarys_module_leads_to_the_adapter_that_made_it_and_to_where_it_failed() -> None:
    module = guarded(lambda: nn.Linear(2, 2)).module(MODEL)
    error = refusal(lambda: run_forward(module, [torch.ones(3)]))
    assert error.what == "tests/test_adapter_code.py: forward fails"
    assert "RuntimeError: " in str(error.got)
    assert ", raised in torch/nn/modules/linear.py, line " in str(error.got)


def test_a_module_that_is_gone_lends_its_adapter_to_no_other() -> None:
    module = nn.Linear(1, 1)
    made_by(module, HERE)
    assert file_of(module) == HERE
    del module
    gc.collect()
    assert all(file_of(nn.Linear(1, 1)) != HERE for _ in range(100))


def test_long_texts_are_cut() -> None:
    def pages() -> object:
        raise ValueError("\n".join(["  first", "", "second", "third", "fourth"]) + "x" * 1000)

    with pytest.raises(NetworkError) as caught, adapter_code(HERE, "module"):
        pages()
    assert caught.value.got == "ValueError: first second third"
    with pytest.raises(NetworkError) as caught, adapter_code(HERE, "module"):
        raise ValueError("x" * 1000)
    assert len(str(caught.value.got)) < 600


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which the registry looks for adapters."""
    monkeypatch.setattr(networks, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(networks, "__path__", [str(tmp_path)])
    return tmp_path


@pytest.mark.parametrize(
    ("code", "what", "got"),
    [
        ("x = 1\ndef (:\n", "faulty.py, line 2: importing it fails", "SyntaxError: invalid syntax"),
        ("\nx = 1 / 0\n", "faulty.py, line 2: importing it fails", "ZeroDivisionError: division by zero"),
        ("from enginewright import nothing\n", "faulty.py, line 1: importing it fails", "ImportError: cannot import"),
        ("import enginewright.nothing\n", "faulty.py, line 1: importing it fails", "No module named 'enginewright.no"),
        ("import no_such_package.at_all\n", "faulty.py imports no_such_package, which is not installed", "No module"),
    ],
    ids=["syntax", "exception", "name", "module of ours", "package"],
)
def test_a_file_that_cannot_be_imported_is_told_with_its_line(code: str, what: str, got: str, folder: Path) -> None:
    (folder / "faulty.py").write_text(code)
    error = refusal(lambda: networks.load("faulty"))
    assert error.what == what
    assert got in str(error.got)
    assert error.cure
    assert ("pip install no_such_package" in str(error.cure)) == ("no_such_package" in what)


def test_an_adapter_that_lacks_a_method_is_told_when_it_registers(folder: Path) -> None:
    code = '@network("lacking")\nclass Lacking(Adapter[ModelConfig]):\n    pass\n'
    names = "from enginewright.config.models import ModelConfig\nfrom networks import Adapter, network\n"
    (folder / "lacking.py").write_text(names + code)
    error = refusal(lambda: networks.load("lacking"))
    assert "lacking.py, line 3: importing it fails" in error.what
    assert "abstract method" in str(error.got)


def test_files_are_shown_without_the_machines_folders() -> None:
    assert shown(Path(networks.__file__).with_name("disk.py")) == "networks/disk.py"
    assert shown(Path("/lib/python3/site-packages/torch/nn/x.py")) == "torch/nn/x.py"
    assert shown(Path("/somewhere/else/mine.py")) == "mine.py"
