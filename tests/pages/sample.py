"""Variants, runs, tables and a whole repository with a sweep, for tests of the page that is made of them."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from enginewright.artifacts import write_json
from enginewright.pages.variant import Kept, Proof, Variant
from enginewright.verdicts import PASSED, Verdict, failed, not_run
from tests.report.sample import metrics

HOSTILE = '</script><img src=x onerror="alert(1)">\'"&'
"""Text that must stay text, wherever it stands."""
NO_GPU = not_run("the engine was not executed: no NVIDIA GPU with a driver")
DEVICE = "NVIDIA Example"


def variant(name: str, *, kept: int | None = 100, gates: Verdict = NO_GPU, **values: Any) -> Variant:
    """Return a variant of disk_lightglue that keeps `kept` of 100 matches."""
    usual = {"network": "disk_lightglue", "source": "sweep", "state": "done", "proof": Proof.graph, "precision": "fp32"}
    count = None if kept is None else Kept(100, kept, "the typed graph")
    return Variant(name=name, gates=gates, **{**usual, "form": "native", "kept": count, **values})


def measured(name: str, latency: float, kept: int = 100, **values: Any) -> Variant:
    """Return a variant that was measured on a GPU."""
    return variant(name, kept=kept, gates=PASSED, source=DEVICE, latency_ms=latency, device=DEVICE, **values)


def broken(name: str, reason: str = "scores: max_abs is 2, 0.001 is allowed", **values: Any) -> Variant:
    """Return a variant that breached a gate."""
    usual = {"state": "failed", "proof": Proof.nothing}
    return variant(name, gates=failed(reason), reason=reason, **{**usual, **values})


def gpu_row(form: str, precision: str, **gpu: Any) -> dict[str, Any]:
    """Return a row as `make gpu` writes it."""
    ran = {"common": 2700, "found": 2750, "original": 2755, "latency_ms": 3.5, "verdict": "passed", "reason": ""}
    return {
        "network": "disk_lightglue",
        "form": form,
        "precision": precision,
        "status": "built",
        "bytes": 23_400_000,
        "cast": {"precision": precision, "opset": 20, "casts": 3},
        "gpu": {**ran, **gpu},
    }


def write_table(folder: Path, *rows: dict[str, Any]) -> Path:
    """Write a table of a GPU into `folder` and return the file."""
    path = folder / "example.json"
    write_json(path, {"where": {"device": DEVICE, "commit": "0123456789"}, "rows": list(rows)})
    return path


def record(status: str = "graph_proven", size: int = 23_400_000) -> dict[str, Any]:
    """Return an engine.json."""
    return {
        "status": status,
        "reason": "the engine was not executed: no NVIDIA GPU with a driver",
        "builder": "tensorrt_rtx",
        "versions": {"tensorrt_rtx": "1.7.1"},
        "options": {"tf32": False, "strongly_typed": True},
        "targets": {"compute_capabilities": ["8.0", "8.9"], "and_later": True},
        "layer_types": {"float32": 100, "int32": 3},
        "engine": {"sha256": "ab" * 32, "size": 48_250_000},
        "graph": {"sha256": "cd" * 32, "size": size},
        "inputs": [{"name": "image", "dtype": "float32", "shape": [1, 3, 8, 8]}],
        "outputs": [{"name": "scores", "dtype": "float32", "shape": [1, 64]}],
    }


def params(precision: str = "fp32", form: str = "native") -> dict[str, Any]:
    """Return a params.yaml of DISK and its LightGlue."""
    gate = {"common_ratio": 1.0 if precision == "fp32" else 0.9}
    network = {"swap": {"form": form}, "cast": {"precision": precision}, "export": {"opset": 20}, "match": gate}
    sizes = {"height": 512, "width": 640, "keypoints": 1024}
    pairs = {"source": "scikit_image", "stereo": True, "photographs": ["brick"]}
    return {
        "matchers": {"disk_lightglue": {"extractor": "disk", "features": "disk"}},
        "composed": {"networks": ["disk", "disk_lightglue"]},
        "networks": {
            "disk": {**network, "extractor": "disk", "model": sizes},
            "disk_lightglue": {**network, "extractor": "disk", "data": pairs, "model": {"keypoints": 1024}},
        },
    }


def png(colour: str = "red") -> bytes:
    """Return a picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(buffer, "PNG")
    return buffer.getvalue()


def run_files(precision: str = "fp32", form: str = "native", share: float = 1.0) -> dict[str, bytes]:
    """Return what DVC tracks of a run, by path."""
    files: dict[str, bytes] = {}
    for network, stages in metrics().items():
        stages["cast"]["precision"] = precision
        if "match" in stages:
            matched = {**stages["match"]["exported"], "common": round(1351 * share), "common_ratio": share}
            stages["match"]["typed" if precision == "fp32" else "rehearsed"] = matched
        files |= {f"metrics/{network}/{stage}.json": _json(entry) for stage, entry in stages.items()}
        status = "graph_proven" if precision == "fp32" else "unproven"
        files[f"weights/{network}/engine.json"] = _json(record(status))
        files[f"plots/{network}/errors.json"] = _json(_curve())
        files[f"plots/{network}/ranges.json"] = _json([] if precision == "fp32" else _ranges())
    return files | {"plots/disk_lightglue/matches/motorcycle.png": png()}


def _curve() -> list[dict[str, Any]]:
    points = [(graph, at) for graph in ("exported", "typed") for at in range(5)]
    return [{"series": f"{graph} scores", "quantile": at / 4, "error": at * 1e-6} for graph, at in points]


def _ranges() -> list[dict[str, Any]]:
    one = {"node": "n", "operator": "Mul", "module": "layers.8", "format": "float16", "noise": 0.0, "note": ""}
    faults = ["", "", "overflow: reaches 3e+06"]
    return [
        {
            **one,
            "tensor": f"/unet/path_up.{at}/conv/conv.0/ReduceMean_3_output_0_cast_to_fp16",
            "position": at,
            "over": 10.0**at / 10,
            "magnitude": 1e4,
            "fault": fault,
        }
        for at, fault in enumerate(faults)
    ]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


class Repository:
    """A git repository with a DVC cache, in which runs are committed without DVC, as DVC would leave them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / ".dvc").mkdir(parents=True)
        (path / ".dvc" / "config").touch()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "test@example.com")
        self.git("config", "user.name", "test")

    @property
    def cache(self) -> Path:
        """The folder of objects by MD5."""
        return self.path / ".dvc" / "cache" / "files" / "md5"

    def git(self, *words: str) -> str:
        """Run git and return what it prints."""
        done = subprocess.run(["git", *words], cwd=self.path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, values: Mapping[str, Any], files: Mapping[str, bytes], name: str = "") -> str:
        """Commit params.yaml and a dvc.lock of `files`, pictures as a folder; return the commit.

        name: of an experiment, which then has a ref of its own.
        """
        (self.path / "params.yaml").write_text(yaml.safe_dump(dict(values)))
        (self.path / "dvc.lock").write_text(yaml.safe_dump({"stages": {"all": {"outs": list(self._outs(files))}}}))
        self.git("add", "params.yaml", "dvc.lock")
        self.git("commit", "-q", "--allow-empty", "-m", name or "run")
        commit = self.git("rev-parse", "HEAD")
        if name:
            self.git("update-ref", f"refs/exps/ab/{'c' * 38}/{name}", commit)
        return commit

    def check_out(self, files: Mapping[str, bytes]) -> None:
        """Write files into the checkout, as `dvc checkout` does."""
        for path, data in files.items():
            (self.path / path).parent.mkdir(parents=True, exist_ok=True)
            (self.path / path).write_bytes(data)

    def _outs(self, files: Mapping[str, bytes]) -> list[dict[str, str]]:
        folders: dict[str, list[dict[str, str]]] = {}
        outs = []
        for path, data in files.items():
            folder, _, name = path.rpartition("/")
            if folder.endswith("/matches"):
                folders.setdefault(folder, []).append({"md5": self.store(data), "relpath": name})
            else:
                outs.append({"path": path, "md5": self.store(data)})
        for folder, entries in folders.items():
            outs.append({"path": folder, "md5": self.store(_json(entries), ".dir")})
        return outs

    def store(self, data: bytes, suffix: str = "") -> str:
        """Put an object into the cache and return its name."""
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest() + suffix
        file = self.cache / md5[:2] / md5[2:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return md5

    def sweep(self, name: str, *variants: dict[str, Any]) -> Path:
        """Write the results of a sweep and return its folder."""
        return write_sweep(self.path, name, *variants)


def write_sweep(repository: Path, name: str, *variants: dict[str, Any]) -> Path:
    """Write the results of a sweep and return its folder."""
    raw = {"format": 1, "name": name, "commit": "a" * 40, "dirty": False, "workers": 2, "engine": "local"}
    folder = repository / "sweeps" / name
    write_json(folder / "results.json", {**raw, "seconds": 90.0, "variants": list(variants)})
    return folder


def entry(name: str, state: str = "done", **values: Any) -> dict[str, Any]:
    """Return a variant as results.json has it."""
    usual: dict[str, Any] = {"overrides": [], "reason": None, "experiment": None, "seconds": 12.5, "steps": []}
    return {"name": name, "state": state, **usual, **values}


def swept_repository(path: Path) -> Repository:
    """Return a repository with a sweep in which every state occurs, a hostile reason, and a table of a GPU."""
    repository = Repository(path)
    made = {
        name: repository.commit(params(precision, form), run_files(precision, form, share), name)
        for name, precision, form, share in (
            ("native-fp32", "fp32", "native", 1.0),
            ("scaled-fp32", "fp32", "scaled", 1.0),
            ("native-fp16", "fp16", "native", 0.997),
        )
    }
    folder = repository.sweep(
        "example",
        entry("native-fp32", experiment=made["native-fp32"], overrides=["precision=fp32"]),
        entry(
            "scaled-fp32",
            "cached",
            experiment=made["scaled-fp32"],
            overrides=["networks.disk_lightglue.swap.form=scaled"],
        ),
        entry("native-fp16", experiment=made["native-fp16"], overrides=["precision=fp16"]),
        entry("decomposed-fp16", "failed", reason=f"compare@disk_lightglue: {HOSTILE}", overrides=["precision=fp16"]),
        entry("native-fp8", "refused", reason="fp8 needs compute capability 8.9", overrides=["precision=fp8"]),
        entry("native-bf16", "not_run", reason="interrupted", seconds=None, overrides=["precision=bf16"]),
    )
    for file, data in run_files("fp16", "decomposed", 0.2).items():
        if file.startswith("metrics/"):
            left = folder / "failed" / "decomposed-fp16" / file
            left.parent.mkdir(parents=True, exist_ok=True)
            left.write_bytes(data)
    rows = (
        gpu_row("native", "fp16", common=2755, latency_ms=3.2),
        gpu_row("native", "fp32", common=2755, latency_ms=5.8),
    )
    lost = gpu_row("decomposed", "fp16", common=887, verdict="failed", reason=HOSTILE)
    write_table(path / "benchmarks" / "gpu", *rows, lost)
    experiment = path / "conf" / "experiment" / "example.yaml"
    experiment.parent.mkdir(parents=True)
    experiment.touch()
    return repository
