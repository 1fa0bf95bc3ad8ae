"""The contract of a graph: shapes from named axes, and one text that says all of it."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.contract import Contract, Kind, Port, Rule
from tests.dag import ROOT

IMAGE = Port("image", ("batch", "channels", "height", "width"), dynamic=("batch",))
MATCHES = Port("matches", ("batch", "keypoints"), dtype="int32", rule=Rule.equal)
CONTRACT = Contract(
    Kind.matcher,
    inputs=(IMAGE,),
    outputs=(MATCHES, Port("xy", ("batch", "keypoints", "two"), rule=Rule.aligned)),
    sizes={"batch": 2, "channels": 3, "height": 16, "width": 32, "keypoints": 8, "two": 2},
    layernorms=4,
    fp32_nodes=("/norm/.*", "a|b"),
)

WORDS = st.text(max_size=6)
PORTS = st.builds(
    Port,
    name=WORDS,
    axes=st.lists(WORDS, max_size=4).map(tuple),
    dynamic=st.lists(WORDS, max_size=2).map(tuple),
    dtype=st.sampled_from(["float32", "int32", "float16"]),
    rule=st.sampled_from(Rule),
)
CONTRACTS = st.builds(
    Contract,
    kind=st.sampled_from(Kind),
    inputs=st.lists(PORTS, max_size=3).map(tuple),
    outputs=st.lists(PORTS, max_size=3).map(tuple),
    sizes=st.dictionaries(WORDS, st.integers(1, 10**6), max_size=4),
    layernorms=st.integers(0, 100),
    fp32_nodes=st.lists(WORDS, max_size=3).map(tuple),
)


def test_a_shape_follows_the_order_of_the_ports_axes() -> None:
    assert CONTRACT.shape(IMAGE) == (2, 3, 16, 32)
    assert CONTRACT.shape(MATCHES) == (2, 8)
    assert CONTRACT.shape(Port("scalar", ())) == ()


def test_one_axis_may_stand_twice() -> None:
    assert CONTRACT.shape(Port("scores", ("batch", "keypoints", "keypoints"))) == (2, 8, 8)


def test_an_axis_without_a_size_is_not_guessed() -> None:
    with pytest.raises(KeyError, match="depth"):
        CONTRACT.shape(Port("volume", ("batch", "depth")))


def test_ports_are_inputs_then_outputs_in_graph_order() -> None:
    assert [port.name for port in CONTRACT.ports] == ["image", "matches", "xy"]


def test_a_port_is_float32_static_and_close_unless_said() -> None:
    port = Port("x", ("batch",))
    assert (port.dtype, port.dynamic, port.rule) == ("float32", (), Rule.close)


@given(CONTRACTS)
def test_a_contract_comes_back_from_its_text(contract: Contract) -> None:
    assert Contract.from_json(contract.to_json()) == contract


def test_what_comes_back_has_tuples_and_enums_again() -> None:
    back = Contract.from_json(CONTRACT.to_json())
    assert type(back.outputs) is tuple
    assert type(back.outputs[0].axes) is tuple
    assert back.outputs[0].rule is Rule.equal
    assert back.kind is Kind.matcher


def test_the_text_is_the_same_for_the_same_contract() -> None:
    other = dataclasses.replace(CONTRACT, sizes=dict(reversed(CONTRACT.sizes.items())))
    assert other.to_json() == CONTRACT.to_json()


def test_the_text_is_one_line_of_json() -> None:
    assert "\n" not in CONTRACT.to_json()
    assert json.loads(CONTRACT.to_json())["kind"] == "matcher"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": Kind.network},
        {"layernorms": 5},
        {"fp32_nodes": ()},
        {"inputs": ()},
        {"sizes": CONTRACT.sizes | {"batch": 3}},
        {"outputs": tuple(reversed(CONTRACT.outputs))},
    ],
)
def test_every_part_stands_in_the_text(change: dict[str, object]) -> None:
    assert dataclasses.replace(CONTRACT, **change).to_json() != CONTRACT.to_json()  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["{}", '{"kind": "nosuch"}', "not json", ""])
def test_what_is_no_contract_is_refused(text: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        Contract.from_json(text)


def test_an_unknown_rule_is_refused_not_taken_for_close() -> None:
    text = CONTRACT.to_json().replace('"equal"', '"roughly"')
    with pytest.raises(ValueError, match="roughly"):
        Contract.from_json(text)


def test_a_contract_costs_no_torch() -> None:
    code = "import sys, enginewright.contract; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "onnx", "omegaconf"} & set(done.stdout.split())
