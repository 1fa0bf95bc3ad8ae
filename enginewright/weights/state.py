"""A state dict fitted to a module: strict in names, shapes and values."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from enginewright.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor, dtype, nn

_SHOWN = 8


def adapt(tensors: Mapping[str, Tensor], rename: Callable[[str], str | None], module: nn.Module) -> dict[str, Tensor]:
    """Return the published `tensors` under the module's names and types, after loading them strictly into `module`.

    `rename` gives the module's key for a published one, or None to leave that tensor out. A tensor of another type
    than the module's (float16 or float64 for float32, say) is converted where that keeps every value exactly, and
    refused otherwise: rounding weights is a decision for the cast stage.

    Raises:
        CheckpointError: if two keys get one name; if names are missing, left over or of another shape or type (all
            of them in one message); if a value is NaN or Inf; if the module keeps other values than it was given.
    """
    fitted = fit(_renamed(tensors, rename), module)
    load_strictly(fitted, module)
    return fitted


def fit(tensors: Mapping[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Return `tensors` in the module's types, each with its own memory, sorted by name, or refuse them as `adapt`."""
    wanted = module.state_dict()
    complaints = [*_misnamed(tensors, wanted), *_misshapen(tensors, wanted), *_mistyped(tensors, wanted)]
    if complaints:
        raise CheckpointError(
            "the checkpoint does not fit the network",
            expected=f"the {len(wanted)} tensors of {type(module).__name__}",
            got=f"{len(tensors)} tensors with {len(complaints)} faults" + _bullets(complaints),
            cure="correct the adapter's rename, checkpoint.state_dict or the model section",
        )
    _require_finite(tensors)
    return {name: _converted(name, tensors[name], wanted[name].dtype) for name in sorted(wanted)}


def load_strictly(tensors: Mapping[str, Tensor], module: nn.Module) -> None:
    """Load `tensors` into `module` and prove that the module then holds exactly them.

    Loading hooks, or parameters that share memory, can make a module keep other values than it was given.
    """
    import torch

    module.load_state_dict(dict(tensors), strict=True)
    changed = [name for name, kept in module.state_dict().items() if not torch.equal(kept.cpu(), tensors[name])]
    if changed:
        raise CheckpointError(
            "the network does not keep the weights that it is given",
            expected="the same values after loading",
            got=_some(changed),
            cure="look for tied parameters and loading hooks in the module",
        )


def _renamed(tensors: Mapping[str, Tensor], rename: Callable[[str], str | None]) -> dict[str, Tensor]:
    """Return `tensors` under new names, refusing two for one."""
    origin: dict[str, str] = {}
    for key in tensors:
        name = rename(key)
        if name is None:
            continue
        if name in origin:
            raise CheckpointError(
                f"two published tensors are renamed to {name}",
                expected="one tensor for each name",
                got=f"{origin[name]} and {key}",
                cure="correct the adapter's rename",
            )
        origin[name] = key
    return {name: tensors[key] for name, key in origin.items()}


def _misnamed(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Return a line for each missing and each unexpected name, the missing with the nearest left-over name."""
    unexpected = sorted(set(tensors) - set(wanted))
    missing = [f"missing {name}{_nearest(name, unexpected)}" for name in sorted(set(wanted) - set(tensors))]
    return missing + [f"unexpected {name}" for name in unexpected]


def _nearest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), 1, 0.5)
    return f" (is it {close[0]}?)" if close else ""


def _misshapen(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Return a line for each tensor of another shape."""
    return [
        f"misshapen {name}: expected {tuple(wanted[name].shape)}, got {tuple(tensors[name].shape)}"
        for name in sorted(set(tensors) & set(wanted))
        if tensors[name].shape != wanted[name].shape
    ]


def _mistyped(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Return a line for each tensor whose type is of another kind than the module's: integers for reals, say."""
    return [
        f"mistyped {name}: expected {wanted[name].dtype}, got {tensors[name].dtype}"
        for name in sorted(set(tensors) & set(wanted))
        if not _convertible(tensors[name].dtype, wanted[name].dtype)
    ]


def _convertible(got: dtype, wanted: dtype) -> bool:
    """Tell whether a conversion could keep the values: reals to reals, integers to integers, else no change."""
    import torch

    reals = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
    integers = {torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64}
    return got == wanted or {got, wanted} <= reals or {got, wanted} <= integers


def _require_finite(tensors: Mapping[str, Tensor]) -> None:
    """Refuse NaN and Inf, naming the tensors and how many of each."""
    found = []
    for name, tensor in sorted(tensors.items()):
        if tensor.is_floating_point() or tensor.is_complex():
            nans, infs = int(tensor.isnan().sum()), int(tensor.isinf().sum())
            if nans or infs:
                found.append(f"{name}: {nans} NaN, {infs} Inf of {tensor.numel()}")
    if found:
        raise CheckpointError(
            "the checkpoint has weights that are not finite",
            expected="finite numbers",
            got=_some(found),
            cure="get a sound checkpoint: training may have diverged",
        )


def _converted(name: str, tensor: Tensor, wanted: dtype) -> Tensor:
    """Return a contiguous copy of `tensor` in the wanted type, refusing to change any value."""
    import torch

    converted = tensor.detach().to(wanted, copy=True, memory_format=torch.contiguous_format)
    wide = torch.float64 if wanted.is_floating_point else torch.int64
    if tensor.dtype != wanted and (changed := int((converted.to(wide) != tensor.to(wide)).sum())):
        raise CheckpointError(
            f"{name} cannot be converted without loss",
            expected=f"{wanted}, or values that it holds exactly",
            got=f"{tensor.dtype}, of which {changed} of {tensor.numel()} values would change",
            cure=f"publish the weights as {wanted}",
        )
    return converted


def _bullets(lines: list[str]) -> str:
    """Return the first lines of each kind, indented, and how many more there are."""
    kinds = dict.fromkeys(line.split()[0] for line in lines)
    return "".join(
        f"\n    {_some([line for line in lines if line.split()[0] == kind], chr(10) + '    ')}" for kind in kinds
    )


def _some(names: list[str], between: str = ", ") -> str:
    """Return the first few names and how many more there are."""
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return between.join([*names[:_SHOWN], *more])
