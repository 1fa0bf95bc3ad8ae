"""LayerNorm in the forms that a graph can carry it, exchanged in place without touching a weight.

Ba, Kiros, Hinton, "Layer Normalization", 2016: over the last axes,

    y = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps) * weight + bias

The hazard of the decomposed form: it squares the centred activations where the graph can see it. Activations of 2.1e6
(the last block of LightGlue on DISK features) are 32 times the largest fp16 number; their square is Inf, x / Inf is 0,
and the layer returns its bias. No NaN, no warning: every match is lost. A cast to fp32 in this module would leave no
trace in an fp32 export, so the nodes have to be kept in fp32 where precision is assigned: by the cast stage, which does
so for the form `island`. The form `scaled` needs no fp32: it squares nothing that is larger than 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from enginewright.config.choices import Form
from enginewright.errors import NetworkError

SMALLEST = 2.0**-14
"""The smallest normal number of fp16."""


class _SpelledLayerNorm(nn.Module):
    """What the spelled-out forms share: arguments, parameters and state-dict keys are those of `nn.LayerNorm`."""

    weight: nn.Parameter | None
    bias: nn.Parameter | None

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self._take(nn.LayerNorm(normalized_shape, eps, elementwise_affine, bias))

    @classmethod
    def sharing(cls, norm: nn.LayerNorm) -> Self:
        """Return this form of `norm`, on the very same parameters."""
        form = cls.__new__(cls)
        nn.Module.__init__(form)
        form._take(norm)
        return form.train(norm.training)

    def _take(self, norm: nn.LayerNorm) -> None:
        self.normalized_shape = norm.normalized_shape
        self.eps = norm.eps
        self.register_parameter("weight", norm.weight)
        self.register_parameter("bias", norm.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axes of `x` (..., *normalized_shape)."""
        normal = self._normal(x, tuple(range(-len(self.normalized_shape), 0)))
        scaled = normal if self.weight is None else normal * self.weight
        return scaled if self.bias is None else scaled + self.bias

    def _normal(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Return what `print` shows of this layer."""
        return f"{self.normalized_shape}, eps={self.eps}"


class DecomposedLayerNorm(_SpelledLayerNorm):
    """LayerNorm as mean, difference, square, mean, root, quotient and affine map: the graph of TensorRT 8's time."""

    def _normal(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        centred = x - x.mean(axes, keepdim=True)
        # A product and not a power: AutoCast recognises the form with Pow and fuses it back to LayerNormalization.
        variance = (centred * centred).mean(axes, keepdim=True)
        return centred / torch.sqrt(variance + self.eps)


class ScaledLayerNorm(_SpelledLayerNorm):
    """LayerNorm that fp16 can compute for every input that fp16 can hold: what is squared is at most 1 in magnitude.

    For a row x of n numbers with mean m and variance q (of x - m), and the constants
    f = max(sqrt(eps) / 4, 2^-14), p = sqrt(eps) / (4 f) <= 1 and d = min(1 / sqrt(n), p) / 4:

        h = x / 4                        c = h - sum(h / n)
        b = max(max|c|, f)               u = c / b                w = u - mean(u)
        r = p f / b                      g = max(sqrt(mean(w^2) + r^2), d)
        y = w / g

    In exact arithmetic this is LayerNorm, for every finite x and eps > 0. sum(h / n) is m / 4, so c = (x - m) / 4 and
    mean(u) = 0, w = u = (x - m) / (4 b), mean(w^2) = q / (16 b^2), r^2 = eps / (16 b^2). The root is therefore
    sqrt(q + eps) / (4 b), and if d is no larger, y = (x - m) / sqrt(q + eps). It is not: where b = max|c|, one |w| is 1
    and mean(w^2) >= 1 / n, so the root is at least 1 / sqrt(n); where b = f, r = p, so the root is at least p. This
    covers the constant row (c = 0, b = f, y = 0 / g = 0) and the row of tiny spread (b = f, y = c / f / g) too.

    In fp16, whose largest number is 65504, whose smallest normal one is 2^-14, whose smallest of all is 2^-24:

    - |h| <= 16376. No partial sum of h / n exceeds max|h| but by rounding; with |c| <= 32752 a factor of 2 is left.
    - f <= b <= max(32752, f), so |u| <= 1 and |w| <= 2: sums of u and of w^2 reach n, which must be at most 65504.
    - r <= p <= 1 and d <= g <= sqrt(1 + p^2) but by rounding: the divisors b and g are never 0, |y| <= 1 / d.
    - What may underflow: h and c below 2^-14, to multiples of 2^-24, which moves y by some 2^-23 / sqrt(eps) (4e-5 for
      eps = 1e-5); h / n, which is corrected below; squares of |w| < 2^-12, less than 2^-24 each beside a mean of 1 / n
      or r^2; and r, 1 / b where b is large, which is when mean(w^2) >= 1 / n and eps no longer counts. A device that
      flushes subnormal numbers to 0 loses c below 2^-14: it moves y by up to 2^-12 / sqrt(eps) (0.08 for eps = 1e-5).
    - Rounding: sum(h / n) is off by some 2^-10 of it, much where a row has a large offset and a small spread. Since x
      and the sum are close there, c is their exact difference, and the error is one number for the whole row: mean(u)
      measures it on values near 1 and w is free of it. That is what the second mean is for, 0 in exact arithmetic. If
      all of c was such an error, w is 0, and d keeps 0 / g from being 0 / 0. If most was, no |w| may reach 1 (but 1 / 3
      does where values differ at all, by a unit in the last place): hence the 4 in d.
    - Sums whose terms are added up in fp16 itself lose what any such sum loses, and stop counting at 2048 terms.

    With r^2, which is no constant, in the place of eps no tool takes it for the operator's pattern.
    """

    def _normal(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        count = math.prod(self.normalized_shape)
        quarter = math.sqrt(self.eps) / 4
        floor = max(quarter, SMALLEST)
        share = quarter / floor
        h = x * 0.25
        centred = h - (h * (1 / count)).sum(axes, keepdim=True)
        size = centred.abs().amax(axes, keepdim=True).clamp(min=floor)
        unit = centred / size
        unit = unit - unit.mean(axes, keepdim=True)
        rest = floor / size if share == 1 else floor / size * share
        root = torch.sqrt((unit * unit).mean(axes, keepdim=True) + rest * rest)
        return unit / root.clamp(min=min(count**-0.5, share) / 4)


_REPLACEMENT: dict[Form, Callable[[nn.LayerNorm], nn.Module] | None] = {
    Form.native: None,
    Form.decomposed: DecomposedLayerNorm.sharing,
    Form.island: DecomposedLayerNorm.sharing,  # the cast stage makes the difference
    Form.scaled: ScaledLayerNorm.sharing,
}


def layernorms(module: nn.Module) -> dict[str, nn.LayerNorm]:
    """Return every native LayerNorm in `module`, subclasses too, by name; one that is used twice has two names."""
    named = module.named_modules(remove_duplicate=False)
    return {name: child for name, child in named if isinstance(child, nn.LayerNorm)}


def count_layernorms(module: nn.Module) -> int:
    """Return how many native LayerNorm layers `module` has, counting one that is used twice once."""
    return len({id(layer) for layer in layernorms(module).values()})


def swap_layernorms(module: nn.Module, form: Form) -> int:
    """Give every LayerNorm in `module` the form `form`, in place and on the same parameters; return how many.

    Names and tensors of the state dict stay what they were. `Form.native` swaps nothing and returns 0.

    Raises:
        NetworkError: if `form` has no replacement here, or `module` itself is the LayerNorm.
    """
    if form not in _REPLACEMENT:
        raise NetworkError("unknown form of LayerNorm", expected=[known.name for known in _REPLACEMENT], got=form)
    replace = _REPLACEMENT[form]
    if replace is None:
        return 0
    found = layernorms(module)
    if "" in found:
        raise NetworkError("a LayerNorm cannot be swapped inside itself", expected="a module that contains it")
    swapped = {id(layer): replace(layer) for layer in found.values()}
    for name, layer in found.items():
        parent, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(parent), leaf, swapped[id(layer)])
    return len(swapped)
