"""adopt, and every stage after it, on a small transformer that came as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from enginewright.artifacts import read_json
from enginewright.config.choices import Form, ModelKind
from enginewright.config.models import ModelConfig
from enginewright.config.sections import BuildConfig, CastConfig, CompareConfig, SimplifyConfig
from enginewright.contract import Kind, Rule
from enginewright.errors import ConfigError, EnginewrightError, GraphError, NetworkError
from enginewright.graphs.files import load_graph, save_graph
from enginewright.graphs.io import io_types
from enginewright.graphs.layernorm import Forms, forms_of, layernorm_ops
from enginewright.graphs.metrics import export_metrics
from enginewright.graphs.walk import count_ops, opset_of
from enginewright.reference import load_reference, save_reference
from enginewright.stage import Stage
from stages import adopt, build, cast, compare, simplify
from tests.adopting.files import WIDTH, options, text_inputs, transformer

LAYERNORMS = 5
"""Two in each of two blocks, and the last."""


def adopted(model: onnx.ModelProto | None = None, **given: Any) -> adopt.Adopted:
    data = (model or transformer()).SerializeToString()
    return adopt.run(options(**given), data, "encoder.onnx")


@pytest.mark.parametrize(
    ("form", "opset", "operators", "changed"),
    [
        (Form.native, 17, LAYERNORMS, LAYERNORMS),
        (Form.native, 20, LAYERNORMS, LAYERNORMS),
        (Form.decomposed, 17, 0, 0),
        (Form.decomposed, 20, 0, 0),
        (Form.island, 16, 0, 0),
        (Form.island, 20, 0, 0),
        (Form.scaled, 16, 0, LAYERNORMS),
        (Form.scaled, 17, 0, LAYERNORMS),
        (Form.scaled, 23, 0, LAYERNORMS),
    ],
)
def test_a_decomposed_file_in_each_form_and_opset(form: Form, opset: int, operators: int, changed: int) -> None:
    found = adopted(form=form, opset=opset)
    assert opset_of(found.graph) == opset
    assert layernorm_ops(found.graph) == operators
    scaled = LAYERNORMS if form is Form.scaled else 0
    assert forms_of(found.graph) == Forms(operators, LAYERNORMS - operators - scaled, scaled)
    assert found.metrics["layers_swapped"] == changed
    assert found.metrics["max_abs_diff"] < 1e-5
    assert found.reference.contract.layernorms == LAYERNORMS


@pytest.mark.parametrize("form", [Form.decomposed, Form.island, Form.scaled])
def test_a_file_of_operators_is_spelled_out(form: Form) -> None:
    native = adopted(opset=18).graph
    found = adopted(native, form=form, opset=18)
    assert found.metrics == {"layers_swapped": LAYERNORMS, "max_abs_diff": found.metrics["max_abs_diff"]}
    assert 0 < found.metrics["max_abs_diff"] < 1e-5
    assert layernorm_ops(found.graph) == 0


def test_the_contract_is_the_files_and_the_configurations() -> None:
    contract = adopted(inputs=text_inputs(batch=2, sequence=7)).reference.contract
    assert contract.kind is Kind.network
    assert [(port.name, port.dtype, contract.shape(port), port.rule) for port in contract.ports] == [
        ("input_ids", "int64", (2, 7), Rule.close),
        ("attention_mask", "int64", (2, 7), Rule.close),
        ("features", "float32", (2, 7, WIDTH), Rule.close),
        ("likeliest", "int64", (2, 7), Rule.equal),
    ]


def test_the_reference_is_what_the_original_file_computes() -> None:
    model = transformer()
    reference = adopted(model).reference
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for _, inputs, outputs in reference.samples():
        for found, expected in zip(session.run(None, inputs), outputs.values(), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-5)
    assert len(reference) == 4
    assert len({array.tobytes() for array in reference.inputs["input_ids"]}) == 4, "every sample is another one"


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        found = adopted()
        save_graph(tmp_path / f"{name}.onnx", found.graph)
        save_reference(tmp_path / f"{name}.npz", found.reference)
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_notes_of_the_file_do_not_go_on() -> None:
    model = transformer()
    model.doc_string = model.graph.node[0].doc_string = "made on host seven"
    assert b"host seven" not in adopted(model).graph.SerializeToString()


@pytest.mark.parametrize("known", [0, LAYERNORMS])
def test_a_known_number_of_layernorms_is_checked(known: int) -> None:
    assert adopted(layernorms=known).reference.contract.layernorms == LAYERNORMS
    with pytest.raises(NetworkError, match="does not have the LayerNorms") as caught:
        adopted(layernorms=LAYERNORMS + 1)
    assert (caught.value.expected, caught.value.got) == ("6 (model.layernorms)", LAYERNORMS)


def test_a_graph_that_computes_something_else_is_refused() -> None:
    with pytest.raises(NetworkError, match="computes something else"):
        adopted(max_abs=1e-12)


def test_an_opset_without_the_operator_is_refused_with_the_cure() -> None:
    given = options(opset=17)
    torchscript = type(given.export)(exporter=type(given.export.exporter)["torchscript"], opset=16)
    with pytest.raises(GraphError, match="opset 16 has no LayerNormalization"):
        adopt.run(adopt.Options(given.model, given.data, given.swap, torchscript), transformer().SerializeToString())


def test_metrics_have_the_keys_of_export() -> None:
    graph = adopted().graph
    metrics = export_metrics(graph, 1.26)
    assert metrics == {
        "opset": 17,
        "nodes": count_ops(graph).total(),
        "bytes": len(graph.SerializeToString(deterministic=True)),
        "layernorm_ops": LAYERNORMS,
        "layernorm_decomposed": 0,
        "layernorm_scaled": 0,
        "seconds": 1.3,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which every stage wrote what it writes for the small transformer."""
    folder = tmp_path_factory.mktemp("encoder")
    found = adopted(opset=20, inputs=text_inputs(batch=2))
    save_graph(folder / "exported.onnx", found.graph)
    save_reference(folder / "reference.npz", found.reference)
    graph, _ = simplify.run(SimplifyConfig(), folder / "exported.onnx")
    save_graph(folder / "simplified.onnx", graph)
    graph, _ = cast.run(CastConfig(), folder / "simplified.onnx", load_reference(folder / "reference.npz"))
    save_graph(folder / "typed.onnx", graph)
    return folder


def test_all_stages_take_an_adopted_file_up_to_an_engine(folder: Path) -> None:
    reference = load_reference(folder / "reference.npz")
    graphs = {name: folder / f"{name}.onnx" for name in ("exported", "simplified", "typed")}
    assert len({tuple(io_types(load_graph(path))) for path in graphs.values()}) == 1
    metrics, _, _ = compare.run(CompareConfig(), reference, graphs)
    assert (metrics["verdict"], metrics["reason"]) == ("passed", "")
    assert metrics["typed"]["likeliest"]["max_abs"] == 0
    result = build.run(build.Options({}, CompareConfig(), BuildConfig()), graphs["typed"], metrics, reference)
    assert len(result.engine) > 1000
    assert {binding.name for binding in result.record.inputs} == {"input_ids", "attention_mask"}


def test_a_graph_that_is_not_the_files_is_told_by_compare(folder: Path) -> None:
    reference = load_reference(folder / "reference.npz")
    graph = load_graph(folder / "exported.onnx")
    weight = next(tensor for tensor in graph.graph.initializer if list(tensor.dims) == [WIDTH, WIDTH])
    array = onnx.numpy_helper.to_array(weight) * 1.1
    weight.CopyFrom(onnx.numpy_helper.from_array(array, weight.name))
    save_graph(folder / "changed.onnx", graph)
    metrics, _, _ = compare.run(CompareConfig(), reference, {"exported": folder / "changed.onnx"})
    assert metrics["verdict"] == "failed"


def stage(tmp_path: Path, data: bytes, model: dict[str, Any] | None = None, sha256: str | None = None) -> Stage:
    """Return the stage as params.yaml would have it, for a file on disk."""
    import hashlib

    (tmp_path / "encoder.onnx").write_bytes(data)
    checkpoint = {"source": "file", "path": str(tmp_path / "encoder.onnx")}
    sections = {
        "extractor": "encoder",
        "extractor_adapter": "onnx",
        "model": {"kind": "onnx", "inputs": text_inputs()} | (model or {}),
        "checkpoint": checkpoint | {"sha256": sha256 or hashlib.sha256(data).hexdigest()},
        "data": {},
        "swap": {"form": "native"},
        "export": {"opset": 20},
    }
    names = {"exported": "exported.onnx", "reference": "reference.npz", "swap": "swap.json", "export": "export.json"}
    outputs = {name: tmp_path / "out" / file for name, file in names.items()}
    return Stage("encoder", {"encoder": sections}, adopt.SECTIONS, {}, outputs)


def test_main_writes_what_swap_and_export_write(tmp_path: Path) -> None:
    given = stage(tmp_path, transformer().SerializeToString())
    adopt.main(given)
    assert read_json(given.outputs["swap"])["layers_swapped"] == LAYERNORMS
    assert read_json(given.outputs["export"])["layernorm_ops"] == LAYERNORMS
    assert layernorm_ops(load_graph(given.outputs["exported"])) == LAYERNORMS
    assert load_reference(given.outputs["reference"]).contract.layernorms == LAYERNORMS


def test_main_says_what_was_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = transformer()
    step = next(node.output[0] for node in model.graph.node if node.op_type == "Sqrt")
    model.graph.output.append(onnx.helper.make_tensor_value_info(step, onnx.TensorProto.FLOAT, [None, None, None]))
    given = stage(tmp_path, model.SerializeToString())
    adopt.main(given)
    assert read_json(given.outputs["swap"])["layers_swapped"] == LAYERNORMS - 1
    assert f"{step}, a step of it, is also an output of the graph" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "model"),
    [
        (b"not onnx at all", {}),
        (transformer().SerializeToString()[:-100], {}),
        (transformer().SerializeToString(), {"inputs": {}}),
        (transformer().SerializeToString(), {"layernorms": 1}),
    ],
    ids=["no ONNX", "truncated", "no inputs", "other LayerNorms"],
)
def test_nothing_is_written_before_every_check_has_passed(tmp_path: Path, data: bytes, model: dict[str, Any]) -> None:
    given = stage(tmp_path, data, model)
    with pytest.raises(EnginewrightError):
        adopt.main(given)
    assert not (tmp_path / "out").exists()


def test_a_file_with_another_digest_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(EnginewrightError, match="not the one that was asked for"):
        adopt.main(stage(tmp_path, b"not onnx at all", sha256="0" * 64))


def test_a_network_without_a_file_is_not_adopted(tmp_path: Path) -> None:
    given = stage(tmp_path, b"")
    other = dict(given.networks["encoder"]) | {"checkpoint": {"source": "none"}}
    with pytest.raises(ConfigError, match="an ONNX file has a source"):
        adopt.main(Stage("encoder", {"encoder": other}, adopt.SECTIONS, {}, given.outputs))


def test_a_torch_module_is_not_adopted(tmp_path: Path) -> None:
    given = stage(tmp_path, transformer().SerializeToString())
    other = dict(given.networks["encoder"]) | {"model": {"kind": "network", "adapter": "disk"}}
    with pytest.raises(ConfigError, match="only an ONNX file can be adopted") as caught:
        adopt.main(Stage("encoder", {"encoder": other}, adopt.SECTIONS, {}, given.outputs))
    assert caught.value.got == ModelKind.network.name
    assert isinstance(given.section(ModelConfig), ModelConfig)
