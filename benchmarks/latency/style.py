"""How a LightGlue graph is written: the same function of the same weights, in other operators and layouts."""

from __future__ import annotations

from dataclasses import dataclass

from enginewright.errors import ConfigError

CHOICES = {
    "dtype": ("float32", "float16", "bfloat16"),
    "operators": ("onnx", "contrib"),
    "layout": ("outer", "inner"),
    "feed": ("sum", "skip", "concat"),
    "head": ("argmax", "topk"),
    "bias": ("add", "gemm"),
}


@dataclass(frozen=True)
class Style:
    """One way to write it.

    keypoints: K of each image. pairs: B, pairs in a call. dtype: of all between input and output.
    operators: Attention and RotaryEmbedding of ONNX itself, or those of ONNX Runtime's own domain.
    layout: images in the batch (2B, K, C), where cross attention gathers the other image, or beside each other as more
    heads (B, K, 2C), where a product with a block matrix brings the other image's keys and values.
    feed: what stands before a feed-forward's LayerNorm: two products and their sum, ONNX Runtime's
    SkipLayerNormalization of the two, or one product of both put side by side.
    head: how the best column of a row is found. bias: a product's bias as Add, or within Gemm.
    masked: leave out keys whose descriptor is zero throughout; they must come last.
    """

    keypoints: int
    pairs: int = 1
    dtype: str = "float16"
    operators: str = "onnx"
    layout: str = "outer"
    feed: str = "sum"
    head: str = "argmax"
    bias: str = "add"
    masked: bool = False

    def __post_init__(self) -> None:
        for key, allowed in CHOICES.items():
            if (value := getattr(self, key)) not in allowed:
                raise ConfigError(f"unknown {key} of a style", expected=allowed, got=value)
        if self.masked and self.layout == "inner":
            raise ConfigError("masked keys need images in the batch", expected="layout=outer", got=self.layout)

    @property
    def images(self) -> int:
        """Return 2B."""
        return 2 * self.pairs

    @property
    def rows(self) -> tuple[int, int]:
        """Return the first two axes of the descriptors between the attentions; their product is 2 B K."""
        if self.layout == "outer":
            return self.images, self.keypoints
        return self.pairs, 2 * self.keypoints
