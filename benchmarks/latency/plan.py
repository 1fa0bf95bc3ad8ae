"""Who takes part: graphs and styles of the matcher, and torch's ways to run the same module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.latency.artifacts import BASE, EXTRACTED, PAIRS, SIZES
from benchmarks.latency.contestant import EXTRACTORS, Spec

_COMPILING_S, _TUNING_S = 110.0, 120.0

# Styles at the size that is judged: operators of ONNX first, then one change at a time.
STYLES: dict[str, dict[str, Any]] = {
    "onnx": {},
    "onnx-topk": {"head": "topk"},
    "onnx-inner": {"layout": "inner"},
    "onnx-inner-topk": {"layout": "inner", "head": "topk"},
    "onnx-concat": {"feed": "concat"},
    "onnx-gemm": {"bias": "gemm"},
    "onnx-masked": {"masked": True},
    "contrib": {"operators": "contrib", "feed": "skip"},
    "contrib-inner": {"operators": "contrib", "feed": "skip", "layout": "inner"},
    "contrib-masked": {"operators": "contrib", "feed": "skip", "masked": True},
}
UNFUSED = ["MatMulAddFusion"]
"""ONNX Runtime's fusion of a product and its bias. Its CUDA kernel writes the bias out before it multiplies; without it
biases are sums, and that before a LayerNorm goes into SkipLayerNormalization."""

KINDS = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
"""Types by the pipeline's words for precisions."""

_HEURISTIC = {"cudnn_conv_algo_search": "HEURISTIC"}
EXTRACTING: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("fp32", "fp32", {"use_tf32": "0"}),
    ("tf32", "fp32", {"use_tf32": "1"}),
    ("fp16", "fp16", {"use_tf32": "0", **_HEURISTIC}),
    ("fp16, searching", "fp16", {"use_tf32": "0"}),
    ("fp16, tf32 allowed", "fp16", {"use_tf32": "1"}),
    ("bf16", "bf16", {"use_tf32": "0", **_HEURISTIC}),
)
"""Row, graph and provider's options of the extractor. Where tf32 is forbidden, ONNX Runtime's search for the fastest
convolution looks at none on tensor cores, in fp16 either; cuDNN's own choice is one."""

TORCH: dict[str, dict[str, Any]] = {
    "eager": {},
    "eager, as written": {"fused": False, "masked": True},
    "compile": {"compile": "default"},
    "compile, as written": {"compile": "default", "fused": False, "masked": True},
    "compile, CUDA graph": {"compile": "reduce-overhead"},
    "compile, CUDA graph, masked": {"compile": "reduce-overhead", "masked": True},
    "compile, tuned, CUDA graph": {"compile": "max-autotune"},
}
_TORCH_WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("eager", {}),
    ("compile, CUDA graph", {"compile": "reduce-overhead"}),
)


def contestants(graphs: dict[str, str]) -> list[Spec]:
    """Return the whole plan. graphs: the pipeline's own, file of the bundle by the name of the artifact."""
    others = [*_precisions(graphs), *_sizes(graphs), *_batches(graphs)]
    others += [spec for word in EXTRACTORS for spec in _extractor(word, graphs)]
    larger = [spec for word in EXTRACTORS for spec in _extractor_sizes(word, graphs)]
    phases = ((_judged(graphs), 1), (others, 2), (larger, 3))
    return [replace(spec, phase=phase) for specs, phase in phases for spec in specs]


def _judged(graphs: dict[str, str]) -> Iterator[Spec]:
    """Yield all that is compared in fp16 at the size that is judged."""
    for name in ("published-masked", "published", "folded", "fused"):
        yield _ort(f"ort pipeline {name}", "fp16", options={"graph": graphs[name]})
    yield _pipeline("ort pipeline fused, biases apart", "fp16", graphs["fused"])
    yield _ort("ort pipeline fused, no CUDA graph", "fp16", options={"graph": graphs["fused"], "cuda_graph": False})
    for name, style in STYLES.items():
        yield _ort(f"ort {name}", "fp16", options={"style": style})
    for name, options in TORCH.items():
        yield _torch(f"torch {name}", "fp16", options)


def _precisions(graphs: dict[str, str]) -> Iterator[Spec]:
    group = "precisions"
    for precision, kind in (("fp32", "float32"), ("tf32", "float32"), ("bf16", "bfloat16")):
        provider = {"use_tf32": str(int(precision == "tf32"))}
        options: dict[str, Any] = {"style": {"dtype": kind}, "provider": provider}
        yield _ort(f"ort onnx {precision}", group, kind, options=options)
        for name, how in () if precision == "tf32" else _TORCH_WAYS:
            yield _torch(f"torch {name} {precision}", group, how | {"tf32": precision == "tf32"}, kind)
    for precision in ("fp32", "tf32"):
        provider = {"use_tf32": str(int(precision == "tf32"))}
        yield _pipeline(f"ort pipeline fused {precision}", group, graphs["fused-fp32"], "float32", provider)


def _sizes(graphs: dict[str, str]) -> Iterator[Spec]:
    for keypoints in SIZES:
        at: dict[str, Any] = {"keypoints": keypoints}
        group = f"K={keypoints}"
        yield _pipeline(f"ort pipeline fused {group}", group, graphs[f"fused-{keypoints}"], **at)
        for name in ("onnx", "contrib-inner"):
            yield _ort(f"ort {name} {group}", group, options={"style": STYLES[name]}, **at)
        yield _torch(f"torch eager {group}", group, {}, **at)
        yield _torch(f"torch compile, CUDA graph {group}", group, TORCH["compile, CUDA graph"], **at)


def _batches(graphs: dict[str, str]) -> Iterator[Spec]:
    group = f"{PAIRS} pairs"
    at: dict[str, Any] = {"pairs": PAIRS}
    yield _pipeline(f"ort pipeline fused {group}", group, graphs[f"fused-{PAIRS}-pairs"], **at)
    for name in ("onnx", "contrib"):
        yield _ort(f"ort {name} {group}", group, options={"style": STYLES[name]}, **at)
    yield _torch(f"torch eager {group}", group, {}, **at)
    yield _torch(f"torch compile, CUDA graph {group}", group, TORCH["compile, CUDA graph"], **at)


def _extractor(word: str, graphs: dict[str, str]) -> Iterator[Spec]:
    of: dict[str, Any] = {"network": word, "group": f"{word.upper()}, 512 x 512", "reference": f"{word}-{BASE}.npz"}
    for name, precision, provider in EXTRACTING:
        options: dict[str, Any] = {"graph": graphs[f"{word}-{precision}"], "provider": provider}
        yield Spec(f"ort pipeline {word} {name}", "ort", precision=KINDS[precision], options=options, **of)
    for precision, kind in KINDS.items():
        for name, how in _TORCH_WAYS:
            options = how | {"tf32": False}
            limit = _COMPILING_S if how else Spec.limit_s
            yield Spec(
                f"torch {word} {name} {precision}", "torch", precision=kind, options=options, limit_s=limit, **of
            )


def _extractor_sizes(word: str, graphs: dict[str, str]) -> Iterator[Spec]:
    """Yield the extractor in fp16 and tf32 at every other K, and with several images in a call."""
    sizes: list[tuple[str, dict[str, Any]]] = [(str(keypoints), {"keypoints": keypoints}) for keypoints in EXTRACTED]
    for size, at in (*sizes, (f"{PAIRS}-images", {"pairs": PAIRS})):
        said = f"{word.upper()}, {size.replace('-', ' ')}" + (" keypoints" if "keypoints" in at else " in a call")
        of = {"network": word, "group": said, "reference": f"{word}-{at.get('keypoints', BASE)}.npz", **at}
        for name, precision, provider in EXTRACTING:
            if name in ("fp16", "tf32"):
                options: dict[str, Any] = {"graph": graphs[f"{word}-{size}-{precision}"], "provider": provider}
                yield Spec(f"ort pipeline {said} {name}", "ort", precision=KINDS[precision], options=options, **of)
        for name, how in _TORCH_WAYS:
            options = how | {"tf32": False}
            yield Spec(f"torch {said} {name} fp16", "torch", options=options, limit_s=_COMPILING_S, **of)


def _pipeline(
    name: str, group: str, graph: str, precision: str = "float16", provider: dict[str, str] | None = None, **more: Any
) -> Spec:
    options = {"graph": graph, "without": UNFUSED, "provider": provider or {}}
    return _ort(name, group, precision, options=options, **more)


def _ort(name: str, group: str, precision: str = "float16", **more: Any) -> Spec:
    return Spec(name, "ort", group, precision, reference=_reference(more), **more)


def _torch(name: str, group: str, options: dict[str, Any], precision: str = "float16", **more: Any) -> Spec:
    limit = {"max-autotune": _TUNING_S}.get(options.get("compile", ""), _COMPILING_S)
    reference = _reference(more)
    return Spec(name, "torch", group, precision, reference=reference, options=options, limit_s=limit, **more)


def _reference(more: dict[str, Any]) -> str:
    return f"matcher-{more.get('keypoints', BASE)}.npz"
