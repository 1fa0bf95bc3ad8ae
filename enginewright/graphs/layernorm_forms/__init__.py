"""The form of LayerNorm in an ONNX graph: one operator, or explicit mean and variance. Either becomes the other."""

from enginewright.graphs.layernorm_forms.decompose import decompose_layernorms
from enginewright.graphs.layernorm_forms.fuse import decomposed_layernorms, fuse_layernorms
from enginewright.graphs.layernorm_forms.rewrite import Rewrite

__all__ = ["Rewrite", "decompose_layernorms", "decomposed_layernorms", "fuse_layernorms"]
