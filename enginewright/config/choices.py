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
    """How LayerNorm is written in the graph.

    native: one operator. decomposed: mean, difference, square, root, quotient. island: decomposed, and fp32 at every
    precision. scaled: decomposed on values brought to at most 1 in magnitude, which fp16 can square.
    """

    native = "native"
    decomposed = "decomposed"
    island = "island"
    scaled = "scaled"


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
    """The types that the network computes in.

    tf32: an fp32 graph whose products the builder may round to ten bits. int8, fp8: products of quantised factors, all
    else in a 16-bit type.
    """

    fp32 = "fp32"
    tf32 = "tf32"
    fp16 = "fp16"
    bf16 = "bf16"
    int8 = "int8"
    fp8 = "fp8"


class Rest(Enum):
    """The type of all that int8 and fp8 do not quantise."""

    fp16 = "fp16"
    bf16 = "bf16"
    fp32 = "fp32"


class Calibration(Enum):
    """How the range of a quantised tensor follows from what calibration sees.

    max: its largest magnitude. entropy: the cut at which the quantised values' distribution loses least.
    """

    max = "max"
    entropy = "entropy"


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
