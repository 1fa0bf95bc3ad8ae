"""A graph in ONNX Runtime: inputs and outputs bound to fixed addresses, and one CUDA graph of all kernels."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.latency.contestant import Spec
from benchmarks.latency.samples import Arrays
from benchmarks.latency.style import Style

_TYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32, "tensor(int64)": np.int64}


class OrtContestant:
    """Options: `style`, or `graph` (a file of the bundle); `cuda_graph`; `provider`, options of the CUDA provider;
    `without`, ONNX Runtime's own optimizers to leave out."""

    def __init__(self, spec: Spec, bundle: Path, cuda: bool) -> None:
        import onnxruntime

        self._ort, self._device = onnxruntime, "cuda" if cuda else "cpu"
        if cuda:
            import torch  # its CUDA libraries are those that ONNX Runtime takes

            torch.zeros(1, device="cuda")
            onnxruntime.preload_dlls()
        with tempfile.TemporaryDirectory(prefix="latency-") as folder:
            self._session = self._opened(spec, bundle, cuda, Path(folder) / "optimised.onnx")
        self._binding = self._session.io_binding()
        self._inputs: dict[str, Any] = {}
        self._outputs = {item.name: self._empty(item) for item in self._session.get_outputs()}
        for name, value in self._outputs.items():
            self._binding.bind_ortvalue_output(name, value)

    def _opened(self, spec: Spec, bundle: Path, cuda: bool, optimised: Path) -> Any:
        options = self._ort.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = str(optimised)
        chosen: list[Any] = ["CPUExecutionProvider"]
        if cuda:
            settings = {"use_tf32": "0", "enable_skip_layer_norm_strict_mode": "1"} | spec.options.get("provider", {})
            settings["enable_cuda_graph"] = str(int(spec.options.get("cuda_graph", True)))
            chosen.insert(0, ("CUDAExecutionProvider", settings))
        model, self._bytes = self._model(spec, bundle, cuda)
        without = spec.options.get("without", [])
        session = self._ort.InferenceSession(model, options, providers=chosen, disabled_optimizers=without)
        if cuda and "CUDAExecutionProvider" not in session.get_providers():
            raise RuntimeError("ONNX Runtime cannot start its CUDA provider here")
        graph = onnx.load(optimised, load_external_data=False).graph
        self._ops = Counter(f"{node.domain}.{node.op_type}".lstrip(".") for node in graph.node)
        return session

    def _model(self, spec: Spec, bundle: Path, cuda: bool) -> tuple[Any, int]:
        if "graph" in spec.options:
            path = bundle / spec.options["graph"]
            return str(path), path.stat().st_size
        from benchmarks.latency.lightglue_graph import lightglue_graph
        from benchmarks.latency.weights import read_weights

        style = Style(**{"keypoints": spec.keypoints, "pairs": spec.pairs} | spec.options["style"])
        if not cuda:  # no CPU kernels in half precision for most of it
            style = replace(style, dtype="float32")
        data = lightglue_graph(read_weights(bundle / "matcher.safetensors"), style).SerializeToString()
        return data, len(data)

    def _empty(self, item: Any) -> Any:
        return self._ort.OrtValue.ortvalue_from_shape_and_type(item.shape, _TYPES[item.type], self._device, 0)

    def put(self, inputs: Arrays) -> None:
        """Copy inputs to the addresses that the CUDA graph reads."""
        for name, value in inputs.items():
            if name in self._inputs:
                self._inputs[name].update_inplace(value)
            else:
                self._inputs[name] = self._ort.OrtValue.ortvalue_from_numpy(value, self._device, 0)
                self._binding.bind_ortvalue_input(name, self._inputs[name])

    def call(self) -> None:
        """Run once; ONNX Runtime itself waits for its stream at the end of a run."""
        self._session.run_with_iobinding(self._binding)

    def outputs(self) -> Arrays:
        """Return what the last call gave."""
        return {name: value.numpy() for name, value in self._outputs.items()}

    def facts(self) -> dict[str, Any]:
        """Return ONNX Runtime's version, the graph's bytes, and the operators that it runs after its own fusions."""
        ops = dict(sorted(self._ops.items(), key=lambda pair: (-pair[1], pair[0])))
        return {"runtime": f"onnxruntime {self._ort.__version__}", "bytes": self._bytes, "operators": ops}
