"""What builders say, in plain words. The raw messages are those of tensorrt_rtx 1.7.1."""

from __future__ import annotations

import pytest

from enginewright.preflight.wording import is_noise, layer_named, plain

TOPK = (
    "IBuilder::buildSerializedNetwork: Error Code 4: API Usage Error (ITopKLayer top: top: K exceeds the maximum value "
    "allowed (3840). In processCheck at /_src/optimizer/shapeof/graphShapeAnalyzer.cpp:1066 In analyzeShapes at "
    "/_src/optimizer/shapeof/graphShapeAnalyzer.cpp:2825)"
)
TRANSPOSE = (
    "Invalid Node - turn\nITensor::getDimensions: Error Code 4: API Usage Error (turn: first input has type UInt8 but "
    "must have type Float, or Bool. In checkType at /_src/optimizer/common/nodeBase.cpp:456)\n"
    "[checkMacros.cpp::catchCudaError::250] Error Code 1: Cuda Runtime (In catchCudaError at /_src/common/dispatch/"
    "checkMacros.cpp:250 (cudaError 35: CUDA driver version is insufficient for CUDA runtime version))"
)
ATTENTION = (
    "IBuilder::buildSerializedNetwork: Error Code 1: Myelin ([myelin_graph.h:1295: attachExceptionMsgToGraph] "
    "MyelinCheckException: decompose_composite_ops.cpp:59: CHECK(composite_op->is_decomposable()) failed. Attention "
    "operation was not supported by a dedicated kernel.  (See https://docs.nvidia.com/x.html#fusion for shapes and "
    "datatypes with dedicated kernels.)  Alternatively, padded attention operation may be marked as decomposable, "
    "using the TensorRT)"
)
RESHAPE = (
    "IBuilder::buildSerializedNetwork: Error Code 4: Internal Error (kOPT values for profile 0 violate shape "
    "constraints: IShuffleLayer rs: reshaping failed for tensor: x Reshape dimension of -1 has no solution. In "
    "executeReshape at /_src/runtime/core/shapeMachine.cpp:340 In evaluateShapeChecks at /_src/x.cpp:1375)"
)
STORED = (
    "Failed to import initializer: In node -1 with name:  and operator:  (importInitializers): UNSUPPORTED_NODE: "
    "Assertion failed: ctx->getWeightsContext().convertOnnxWeights(initializer, &weights): Failed to import "
    "initializer: conv.weight"
)
PLUGIN = "Assertion failed: creator: Plugin not found, are the plugin name, version, and namespace correct?"
UINT8_INSIDE = "Assertion failed: legalUINT8: TensorRT does not support UINT8 types for intermediate tensors."
CAST = 'convertDtype(onnxType, &newType) && "Unsupported data type for the Cast operator!"'
WILDCARD = "reshape wildcard -1 has no integer solution. In operator() at /_src/optimizer/shapeContext.cpp:4633"


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (TOPK, "K exceeds the maximum value allowed (3840)"),
        (TRANSPOSE, "first input has type UInt8 but must have type Float, or Bool"),
        (ATTENTION, "Attention operation was not supported by a dedicated kernel."),
        (STORED, "its stored tensor conv.weight is broken"),
        (PLUGIN, "Plugin not found, are the plugin name, version, and namespace correct?"),
        (UINT8_INSIDE, "TensorRT does not support UINT8 types for intermediate tensors."),
        (CAST, "Unsupported data type for the Cast operator!"),
        (WILDCARD, "reshape wildcard -1 has no integer solution"),
        ("false", "the parser has no way to import this operator"),
        ("Invalid Node - lost", "the node is invalid"),
        ("", "the node is invalid"),
        ("Unsupported reduction type", "Unsupported reduction type"),
    ],
)
def test_a_refusal_in_plain_words(raw: str, wanted: str) -> None:
    assert plain(raw, ("turn", "top")) == wanted


def test_what_is_left_of_a_profile_names_the_constraint() -> None:
    text = plain(RESHAPE)
    assert text.startswith("kOPT values for profile 0 violate shape constraints: ")
    assert text.endswith("Reshape dimension of -1 has no solution")


@pytest.mark.parametrize("raw", [TOPK, TRANSPOSE, ATTENTION, RESHAPE, STORED, PLUGIN, UINT8_INSIDE, CAST, WILDCARD])
def test_no_source_file_and_no_stage_of_the_builder_is_left(raw: str) -> None:
    text = plain(raw)
    for rest in ("/_src", ".cpp", "Error Code", "Assertion", "cudaError", "::", "&&", "https", "\n"):
        assert rest not in text


def test_the_own_name_goes_and_another_ones_stays() -> None:
    assert plain("div: the types differ", ("div",)) == "the types differ"
    assert plain("div: the types differ", ("mul", "")) == "div: the types differ"


def test_a_long_message_ends_with_a_sentence_or_at_the_limit() -> None:
    sentence = "The first sentence of many says enough. "
    assert plain(sentence * 20).endswith("says enough.")
    assert len(plain(sentence * 20)) <= 300
    assert len(plain("x" * 1000)) == 300


@pytest.mark.parametrize(
    ("message", "name"), [(TOPK, "top"), (RESHAPE, "rs"), (ATTENTION, None), (PLUGIN, None), ("", None)]
)
def test_the_layer_that_a_message_is_about(message: str, name: str | None) -> None:
    assert layer_named(message) == name


def test_what_says_nothing_of_the_graph() -> None:
    assert is_noise(TRANSPOSE.splitlines()[-1])
    assert is_noise("Error Code 7: BuildCanceled (Build canceled by user In next at x.cpp:92)")
    assert not is_noise(TRANSPOSE)
    assert not is_noise(TOPK)
