"""What a user can do about each blocker. The builder says what is wrong; only this table is kept by hand."""

from __future__ import annotations

import re

_SIZES = "the number of results must not depend on values: keep every slot and mark the real ones with a validity mask"
_WHERE = "torch.where(mask) and x[mask] export as NonZero, torch.where(mask, a, b) does not"
_MISFIT = "must match|no integer solution|must be in the range|broadcast|check failed|divide by zero|invalid"

CURES: tuple[tuple[str, str, str], ...] = (
    (".*", "process dies", "look at its attributes and stored values: a division by a constant zero kills a builder"),
    ("NonZero", "", f"{_SIZES}; {_WHERE}"),
    ("Unique|Compress", "", _SIZES),
    ("NonMaxSuppression", "", "suppress by max pooling and choose by TopK, as networks/disk.py does"),
    ("TopK", "exceeds the maximum", "ask for no more than that maximum: model.keypoints=3840 or fewer"),
    (
        "TopK",
        "smaller than K",
        "choose K no larger than the axis: fewer model.keypoints, or larger images, in model.ranges too",
    ),
    ("DeformConv", "", "rewrite it with grid_sample, one sample for each kernel tap: see networks/parts/deformable.py"),
    ("Attention", "kernel", "export.opset=22 or lower writes it as MatMul and Softmax; precision=fp16 has a kernel"),
    ("Dropout", "training", "export the module in eval mode: module.eval()"),
    ("MaxPool", "outputs", "leave the indices out (return_indices=False), and find them by TopK or ArgMax"),
    ("Scatter.*", "reduction", "scatter without a reduction, or sum with a one-hot MatMul"),
    ("Sequence.*|ConcatFromSequence|SplitToSequence", "", "return tensors, not lists: torch.stack or torch.cat"),
    ("(Deq|Q)uantizeLinear", "", "quantise symmetrically, to int8 or fp8 with zero point 0"),
    ("Det|Inverse", "", "write it out for its size with products and sums"),
    (".*", "Plugin not found", "rewrite it with ONNX operators, or choose another exporter: the builder has no plugin"),
    (".*", "(?i)uint8", "uint8 may enter or leave a graph, no more: Cast to float32 right after the input"),
    (".*", "(?i)int16|uint(16|32|64)|string|complex|data type", "use float32, float16, int32, int64 or bool"),
    (".*", "same (input )?types?", "Cast both sides to one type: a typed graph converts nothing by itself"),
    (".*", "FP8|not produced by", "quantise with pairs of QuantizeLinear and DequantizeLinear, not with Cast"),
    (".*", "profile", "mend model.ranges, or export.dynamic=false"),
    (".*", "is broken", "export it again: the file is damaged"),
    (".*", _MISFIT, "its attributes or sizes do not fit its inputs: run the module in torch at these sizes"),
    ("graph", "", "export it again; onnx.checker may say more of a file from elsewhere"),
)
"""Operator (a pattern), message (a pattern that is searched for) and cure; the first that fits counts."""


FILE_CURES: tuple[tuple[str, str, str], ...] = (
    ("Attention", "kernel", "precision=fp16 has a kernel; or export the file again from its source, opset 22 or lower"),
)
"""The same where the graph came as an ONNX file and the cure is another one: export options do not reach its operators,
and ONNX has no way from Attention to what stood for it before opset 23."""


def cure_for(operator: str, message: str, *, file: bool = False) -> str:
    """Return what to do about a refused operator; "graph" stands for a refusal that names none.

    file: the graph came as an ONNX file, not from a module in networks/.
    """
    for pattern, says, cure in (*FILE_CURES * file, *CURES):
        if re.fullmatch(pattern, operator) and re.search(says, message):
            return cure
    if file:
        return f"export the file again from its source, written so that it exports without this {operator}"
    return f"rewrite the module so that it exports without this {operator}, or try another export.opset or exporter"
