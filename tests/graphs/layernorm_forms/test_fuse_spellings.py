"""Property: whatever the spelling, one operator comes out, and it computes the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms import decompose_layernorms, decomposed_layernorms, fuse_layernorms
from enginewright.graphs.walk import count_ops
from tests.graphs.layernorm_forms.spelling import Spelling, apart, sample

TOLERANCE = 1e-5
WEIGHTS = ("initializer", "constant", "identity", "number", "spread")
ROOTS = ("div", "reciprocal", "half", "minus_half", "one_over")

spellings = st.builds(
    Spelling,
    opset=st.sampled_from([17, 18, 20, 23]),
    count=st.integers(1, 3),
    negative=st.booleans(),
    mean=st.sampled_from(["mean", "squeezed", "sum_mul", "sum_div"]),
    minus=st.sampled_from(["shared", "twice", "negative"]),
    square=st.sampled_from(["pow", "mul", "reversed"]),
    variance=st.sampled_from(["centred", "moments", "clipped"]),
    epsilon=st.sampled_from([(), (1,), (1, 1), (1, 1, 1, 1)]),
    root=st.sampled_from(ROOTS),
    scale=st.sampled_from([None, *WEIGHTS]),
    early=st.booleans(),
    bias=st.sampled_from([None, *WEIGHTS]),
    offset=st.booleans(),
)


@settings(max_examples=250, deadline=None)
@given(spellings)
def test_every_spelling_becomes_one_operator_that_computes_the_same(spelling: Spelling) -> None:
    model = spelling.model()
    assert (layernorm_ops(model), decomposed_layernorms(model)) == (0, 1)
    fused = fuse_layernorms(model)
    assert (fused.changed, fused.left) == (1, ())
    assert (layernorm_ops(fused.model), decomposed_layernorms(fused.model)) == (1, 0)
    assert set(count_ops(fused.model)) <= {"LayerNormalization", "Identity", "Constant"}
    assert apart(model, fused.model, sample()) < TOLERANCE


@settings(max_examples=60, deadline=None)
@given(spellings)
def test_there_and_back_is_a_decomposed_layernorm_again(spelling: Spelling) -> None:
    model = spelling.model()
    back = decompose_layernorms(fuse_layernorms(model).model)
    assert back.changed == 1
    assert (layernorm_ops(back.model), decomposed_layernorms(back.model)) == (0, 1)
    assert apart(model, back.model, sample()) < TOLERANCE
