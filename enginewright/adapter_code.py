"""Calls of adapters, which are users' files: whatever one raises becomes one error with its file, line and method."""

from __future__ import annotations

import inspect
import traceback
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from enginewright.errors import EnginewrightError, NetworkError

if TYPE_CHECKING:
    from torch import Tensor, nn

Check: TypeAlias = Callable[[Any], tuple[object, object] | None]
"""Returns what a result should have been and what it is, or None where it is right."""

_ROOT = Path(__file__).resolve().parents[1]
_NETWORKS = _ROOT / "networks"
_OURS = {"enginewright", "networks", "stages"}
_MADE_BY: dict[int, tuple[weakref.ref[Any], Path]] = {}
"""By the id of a module, it and the file of the adapter that made it."""
_MOST = 500
"""Characters of an exception's text: some libraries add pages."""


@contextmanager
def adapter_code(file: Path, method: str) -> Iterator[None]:
    """Raise what the block raises as a NetworkError; errors of this project pass through as they are.

    Args:
        file: the adapter's, which is named where no line of networks/ was running.
        method: what is being called, for the message.
    """
    try:
        yield
    except EnginewrightError:
        raise
    except Exception as error:
        raise _missing_package(file, error) or _failure(file, method, error) from error


def file_of(value: object) -> Path:
    """Return the file that an adapter's or a module's class is defined in, or of the adapter that made the module."""
    if (made := _MADE_BY.get(id(value))) is not None and made[0]() is value:
        return made[1]
    try:
        return Path(inspect.getfile(type(value))).resolve()
    except (OSError, TypeError):  # a class that no file defines
        return _NETWORKS / "__init__.py"


def made_by(module: object, file: Path) -> None:
    """Remember which adapter made a module: its class may be a library's, and a user must be led to the adapter."""
    _MADE_BY[id(module)] = weakref.ref(module), file


def guarded(method: Callable[..., Any], file: Path, check: Check) -> Callable[..., Any]:
    """Return a method of an adapter that raises nothing but this project's errors, and returns what it should."""

    @wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        with adapter_code(file, method.__name__):
            result = method(*arguments, **named)
            wrong = check(result)
        if wrong is not None:
            raise NetworkError(
                f"{shown(file)}: {method.__name__} returns something else than it should",
                expected=wrong[0],
                got=wrong[1],
                cure=f"mend {method.__name__} in {shown(file)}",
            )
        return result

    return call


def run_forward(module: nn.Module, inputs: Iterable[Tensor]) -> Any:
    """Return what a module gives for these inputs, without gradients.

    Raises:
        NetworkError: naming the adapter's file and line, if it raises anything.
    """
    import torch

    with adapter_code(file_of(module), "forward"), torch.no_grad():
        return module(*inputs)


def shown(file: Path) -> str:
    """Return a file as a message names it: below the project or the installed packages, else by its name alone."""
    parts = file.parts
    if file.is_relative_to(_ROOT) and "site-packages" not in parts:
        return file.relative_to(_ROOT).as_posix()
    return "/".join(parts[parts.index("site-packages") + 1 :]) if "site-packages" in parts else file.name


def _failure(file: Path, method: str, error: Exception) -> NetworkError:
    frames = [(Path(item.filename).resolve(), item.lineno) for item in traceback.extract_tb(error.__traceback__)]
    own = [frame for frame in frames if _is_adapters(frame[0], file)]
    place, line = own[-1] if own else (file, None)
    raised = f", raised in {_where(*frames[-1])}" if frames and frames[-1] != (place, line) else ""
    if isinstance(error, SyntaxError) and error.filename:
        place, line, raised = Path(error.filename).resolve(), error.lineno, ""
    return NetworkError(
        f"{_where(place, line)}: {method} fails",
        expected="no exception",
        got=f"{type(error).__name__}: {_text(error)}{raised}",
        cure=f"mend {shown(place)}, or what it reads of the model section in conf/",
    )


def _where(file: Path, line: int | None) -> str:
    return f"{shown(file)}, line {line}" if line else shown(file)


def _is_adapters(found: Path, file: Path) -> bool:
    """Return whether a line of code is the user's: in the adapter or beside it, but not in the registry."""
    return found == file or (found.is_relative_to(_NETWORKS) and found != _NETWORKS / "__init__.py")


def _missing_package(file: Path, error: Exception) -> NetworkError | None:
    """Return the error of an import that finds no package, unless it is one of this project."""
    package = str(getattr(error, "name", None)).partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or package in _OURS:
        return None
    return NetworkError(
        f"{shown(file)} imports {error.name}, which is not installed",
        expected="every package that the adapter imports",
        got=error,
        cure=f"pip install {package}, in the environment of the pipeline",
    )


def _text(error: Exception) -> str:
    """Return what an exception says, without the pages that some libraries add."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:3])[:_MOST] or "without a text"
