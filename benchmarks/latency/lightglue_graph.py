"""LightGlue as a graph of few and large kernels, from the weights of `networks/lightglue.py`.

What is done to the weights beforehand, all of it exact but for rounding:

- The residual stream leaves out its constant part. x = r + B, where B is the sum of the biases added so far; whoever
  reads x adds W B to its own bias, so a residual step is a product and a sum.
- The values' bias leaves attention unchanged, since its weights sum to 1: it goes into the bias that follows.
- The projection of the messages and the half of the feed-forward's first product that reads them are one matrix.
- Channels of queries and keys are ordered with all first components of the rotated planes before all second ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from benchmarks.latency.assignment_graph import write_assignment
from benchmarks.latency.style import Style
from benchmarks.latency.weights import Array, Weights
from benchmarks.latency.writer import CONTRIB, Writer

HEADS = 4
EPSILON = 1e-5


@dataclass
class _State:
    """The residual stream: a tensor, and the constant that is left out of it."""

    value: str
    left_out: Array


def lightglue_graph(weights: Weights, style: Style) -> onnx.ModelProto:
    """Return LightGlue with these weights, written in this style; inputs and outputs are those of the contract."""
    return _LightGlue(weights, style).model()


class _LightGlue:
    def __init__(self, weights: Weights, style: Style) -> None:
        self.weights, self.style, self.g = weights, style, Writer(style.dtype)
        self.width = weights["layers.0.self_attn.Wqkv.weight"].shape[1]
        self.head = self.width // HEADS
        self.layers = 1 + max(int(key.split(".")[1]) for key in weights if key.startswith("layers."))

    def model(self) -> onnx.ModelProto:
        style, float32 = self.style, TensorProto.FLOAT
        dimension = self._dimension()
        inputs = [
            helper.make_tensor_value_info("keypoints", float32, (style.images, style.keypoints, 2)),
            helper.make_tensor_value_info("descriptors", float32, (style.images, style.keypoints, dimension)),
        ]
        lengths = self._lengths() if style.masked else None
        self.caches = self._caches()
        state = self._entered(dimension)
        for layer in range(self.layers):
            state = self._self_block(f"layers.{layer}.self_attn", state, lengths)
            state = self._cross_block(f"layers.{layer}.cross_attn", state, lengths)
        write_assignment(self.g, style, self.weights, state.value, state.left_out)
        outputs = [
            helper.make_tensor_value_info("matches", TensorProto.INT32, (style.pairs, style.keypoints)),
            helper.make_tensor_value_info("mscores", float32, (style.pairs, style.keypoints)),
        ]
        return self.g.model(inputs, outputs, 24 if style.masked and style.operators == "onnx" else 23)

    def _dimension(self) -> int:
        return int(self.weights["input_proj.weight"].shape[1]) if "input_proj.weight" in self.weights else self.width

    # What comes in.

    def _together(self, value: str, channels: int) -> str:
        """Return (2B, K, C) in the layout's rows."""
        style = self.style
        if style.layout == "outer":
            return value
        split = self.g.reshape(value, style.pairs, 2, style.keypoints, channels)
        turned = self.g("Transpose", split, perm=[0, 2, 1, 3])
        return self.g.reshape(turned, *style.rows, channels)

    def _entered(self, dimension: int) -> _State:
        value = self._together(self.g.cast("descriptors"), dimension)
        if "input_proj.weight" not in self.weights:
            return _State(value, np.zeros(self.width))
        return _State(self._product("input_proj", value), self.weights["input_proj.bias"])

    def _caches(self) -> tuple[str, str]:
        """Return cosines and sines of the rotations, in float32 up to there: (rows, head / 2)."""
        turns = self.g.constant("posenc", self.weights["posenc.Wr.weight"].T.astype(np.float32))
        angles = self.g("MatMul", self._together("keypoints", 2), turns)
        cosines, sines = (self.g.cast(self.g(operator, angles)) for operator in ("Cos", "Sin"))
        if self.style.operators == "onnx":
            return cosines, sines
        flat = int(np.prod(self.style.rows)), self.head // 2
        return self.g.reshape(cosines, *flat), self.g.reshape(sines, *flat)

    def _lengths(self) -> tuple[str, str]:
        """Return how many keys each image has, and how many the other image of its pair has."""
        g, kind = self.g, TensorProto.INT64 if self.style.operators == "onnx" else TensorProto.INT32
        size = g("ReduceSum", g("Abs", "descriptors"), g.shape(2), keepdims=0)
        valid = g("Greater", size, g.constant("nothing", np.zeros((), np.float32)))
        own = g("ReduceSum", g("Cast", valid, to=TensorProto.FLOAT), g.shape(1), keepdims=0)
        own = g("Cast", own, to=kind)
        return own, g("Gather", own, self._others(), axis=0)

    def _others(self) -> str:
        """Return the index of each image's partner."""
        return self.g.constant("others", np.arange(self.style.images, dtype=np.int64) ^ 1)

    # Blocks.

    def _self_block(self, key: str, state: _State, lengths: tuple[str, str] | None) -> _State:
        g, half = self.g, self.width
        parts = self.weights[f"{key}.Wqkv.weight"].reshape(HEADS, self.head, 3, self.width)
        bias = self.weights[f"{key}.Wqkv.bias"].reshape(HEADS, self.head, 3)
        order = np.concatenate((np.arange(0, self.head, 2), np.arange(1, self.head, 2)))
        both = np.concatenate([parts[:, order, part].reshape(half, half) for part in (0, 1)])
        both_bias = np.concatenate([bias[:, order, part].reshape(half) for part in (0, 1)])
        projected = self._affine(f"{key}.qk", state.value, both, both @ state.left_out + both_bias)
        queries, keys = g.node("Split", self._rotated(projected), g.shape(half, half), outputs=2, axis=-1)
        matrix = parts[:, :, 2].reshape(half, half)
        values = self._times(f"{key}.v", state.value, matrix)
        constant = matrix @ state.left_out + bias[:, :, 2].reshape(half)
        messages = self._attention(queries, keys, values, None if lengths is None else lengths[0])
        return self._update(key, f"{key}.out_proj", state, messages, constant)

    def _cross_block(self, key: str, state: _State, lengths: tuple[str, str] | None) -> _State:
        matrix, bias = self.weights[f"{key}.to_qk.weight"], self.weights[f"{key}.to_qk.bias"]
        values_matrix = self.weights[f"{key}.to_v.weight"]
        constant = values_matrix @ state.left_out + self.weights[f"{key}.to_v.bias"]
        queries = self._affine(f"{key}.qk", state.value, matrix, matrix @ state.left_out + bias)
        if self.style.layout == "outer":
            keys = self.g("Gather", queries, self._others(), axis=0)
            values = self._times(f"{key}.v", state.value, values_matrix)
            values = self.g("Gather", values, self._others(), axis=0)
        else:
            # The keys' bias adds the same to all logits of a query, so the softmax takes no notice of it.
            beside = self.g.reshape(state.value, self.style.pairs, self.style.keypoints, 2 * self.width)
            keys = self._times(f"{key}.k", beside, _exchanged(matrix))
            values = self._times(f"{key}.v", beside, _exchanged(values_matrix))
        messages = self._attention(queries, keys, values, None if lengths is None else lengths[1])
        return self._update(key, f"{key}.to_out", state, messages, constant)

    def _update(self, key: str, out: str, state: _State, messages: str, constant: Array) -> _State:
        """Add the feed-forward's step; constant: what the messages leave out."""
        first = self.weights[f"{key}.ffn.0.weight"]
        own, theirs = first[:, : self.width], first[:, self.width :]
        project, bias = self.weights[f"{out}.weight"], self.weights[f"{out}.bias"]
        before = own @ state.left_out + theirs @ (project @ constant + bias) + self.weights[f"{key}.ffn.0.bias"]
        normal = self._normalised(key, (state.value, messages), (own, theirs @ project), before)
        step = self._times(f"{key}.ffn.3", self.g("Gelu", normal), self.weights[f"{key}.ffn.3.weight"])
        left_out = state.left_out + self.weights[f"{key}.ffn.3.bias"]
        return _State(self.g("Add", step, state.value), left_out)

    def _normalised(self, key: str, values: tuple[str, str], matrices: tuple[Array, Array], bias: Array) -> str:
        """Return LayerNorm of the descriptors' and the messages' products."""
        g, feed = self.g, self.style.feed
        scale = g.weight(f"{key}.scale", self.weights[f"{key}.ffn.1.weight"])
        shift = g.weight(f"{key}.shift", self.weights[f"{key}.ffn.1.bias"])
        if feed == "concat":
            both = g("Concat", *values, axis=-1)
            total = self._affine(f"{key}.ffn.0", both, np.concatenate(matrices, axis=1), bias)
            return g("LayerNormalization", total, scale, shift, axis=-1, epsilon=EPSILON)
        pieces = zip(("x", "m"), values, matrices, strict=True)
        parts = [self._times(f"{key}.ffn.0.{part}", value, matrix) for part, value, matrix in pieces]
        constant = g.weight(f"{key}.ffn.0.bias", bias)
        if feed == "skip":
            fused = (*parts, scale, shift, constant)
            return g("SkipLayerNormalization", *fused, domain=CONTRIB, epsilon=EPSILON)
        total = g("Add", g("Add", *parts), constant)
        return g("LayerNormalization", total, scale, shift, axis=-1, epsilon=EPSILON)

    # Pieces.

    def _rotated(self, both: str) -> str:
        """Rotate queries and keys, which lie beside each other as heads of one tensor."""
        if self.style.operators == "onnx":
            return self.g("RotaryEmbedding", both, *self.caches, num_heads=2 * HEADS)
        rows = self.style.rows
        places = self.g.constant("places", np.arange(rows[0] * rows[1], dtype=np.int64).reshape(rows))
        return self.g("RotaryEmbedding", both, places, *self.caches, domain=CONTRIB)

    def _attention(self, queries: str, keys: str, values: str, lengths: str | None) -> str:
        g, style = self.g, self.style
        heads = HEADS if style.layout == "outer" else 2 * HEADS
        if style.layout == "inner":
            beside = style.pairs, style.keypoints, 2 * self.width
            queries, keys, values = (g.reshape(value, *beside) for value in (queries, keys, values))
        inputs = [queries, keys, values]
        if style.operators == "onnx":
            inputs += ["", "", "", lengths] if lengths else []
            found = g("Attention", *inputs, q_num_heads=heads, kv_num_heads=heads)
        else:
            inputs += ["", lengths] if lengths else []
            found = g("MultiHeadAttention", *inputs, domain=CONTRIB, num_heads=heads)
        return found if style.layout == "outer" else g.reshape(found, *style.rows, self.width)

    def _product(self, key: str, value: str) -> str:
        return self._times(key, value, self.weights[f"{key}.weight"])

    def _times(self, name: str, value: str, matrix: Array) -> str:
        """Return value @ matrix.T, as nn.Linear without a bias."""
        return self.g("MatMul", value, self.g.weight(name, matrix.T))

    def _affine(self, name: str, value: str, matrix: Array, bias: Array) -> str:
        g, constant = self.g, self.g.weight(f"{name}.bias", bias)
        if self.style.bias == "add":
            return g("Add", self._times(name, value, matrix), constant)
        flat = g.reshape(value, -1, matrix.shape[1])
        return g.reshape(g("Gemm", flat, g.weight(name, matrix.T), constant), *self.style.rows, len(matrix))


def _exchanged(matrix: Array) -> Array:
    """Return the block matrix that takes both images of a token beside each other to those of the other image."""
    return np.kron(np.array([[0, 1], [1, 0]]), matrix)
