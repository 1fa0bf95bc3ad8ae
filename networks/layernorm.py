"""LayerNorm in the forms that a graph can carry it, exchanged in place without touching a weight.

Ba, Kiros, Hinton, "Layer Normalization", 2016: over the last axes,

    y = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps) * weight + bias

The hazard of the decomposed form: it squares the centred activations where the graph can see it. Activations of 2.1e6
(the last block of LightGlue on DISK features) are 32 times the largest fp16 number; their square is Inf, x / Inf is 0,
and the layer returns its bias. No NaN, no warning: every match is lost. A cast to fp32 in this module would leave no
trace in an fp32 export, so the nodes have to be kept in fp32 where precision is assigned: by the cast stage.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from enginewright.config.choices import Form
from enginewright.errors import NetworkError


class DecomposedLayerNorm(nn.Module):
    """LayerNorm as mean, difference, square, mean, root, quotient and affine map: the graph of TensorRT 8's time.

    Arguments, parameters and state-dict keys are those of `nn.LayerNorm`.
    """

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
    def sharing(cls, norm: nn.LayerNorm) -> DecomposedLayerNorm:
        """Return the decomposed form of `norm`, on the very same parameters."""
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
        axes = tuple(range(-len(self.normalized_shape), 0))
        centred = x - x.mean(axes, keepdim=True)
        # A product and not a power: AutoCast recognises the form with Pow and fuses it back to LayerNormalization.
        variance = (centred * centred).mean(axes, keepdim=True)
        normal = centred / torch.sqrt(variance + self.eps)
        scaled = normal if self.weight is None else normal * self.weight
        return scaled if self.bias is None else scaled + self.bias

    def extra_repr(self) -> str:
        """Return what `print` shows of this layer."""
        return f"{self.normalized_shape}, eps={self.eps}"


_REPLACEMENT: dict[Form, Callable[[nn.LayerNorm], nn.Module] | None] = {
    Form.native: None,
    Form.decomposed: DecomposedLayerNorm.sharing,
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
