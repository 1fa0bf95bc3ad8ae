"""The form of LayerNorm in an ONNX graph: one operator, explicit mean and variance, or these on scaled values."""

from enginewright.graphs.layernorm_forms.decompose import decompose_layernorms
from enginewright.graphs.layernorm_forms.fuse import decomposed_layernorms, fuse_layernorms
from enginewright.graphs.layernorm_forms.rewrite import Rewrite
from enginewright.graphs.layernorm_forms.scale import scale_layernorms

__all__ = ["Rewrite", "decompose_layernorms", "decomposed_layernorms", "fuse_layernorms", "scale_layernorms"]
