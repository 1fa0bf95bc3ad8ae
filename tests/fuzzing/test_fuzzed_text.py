"""Readers of text, fed with files that are nearly right: only this project's errors come out."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from enginewright.artifacts import read_json
from enginewright.config.digests import values_sha256
from enginewright.config.params import read_networks
from enginewright.config.typed import typed_network
from enginewright.contract import Contract
from enginewright.engine.loader import check_version, gpu_obstacle
from enginewright.engine.proof import verdict_of
from enginewright.engine.record import read_record, write_record
from enginewright.errors import EnginewrightError
from enginewright.explaining.locked import lock_here
from enginewright.images.folder import folder_pairs
from enginewright.pages.gpu_table import read_tables, variants_of_table
from enginewright.pages.sweep import read_sweep
from enginewright.preflight.report import IN_FP32, refuse_pending
from enginewright.sweeping.ledger import Ledger, Record
from tests.dag import ROOT
from tests.engine.graphs import record
from tests.fuzzing.mutations import fuzzed, json_like, mutated
from tests.pages.sample import entry
from tests.test_reference import CONTRACT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


def valid_record() -> dict[str, Any]:
    path = ROOT / ".pytest_cache" / "engine.json"
    write_record(path, record())
    return dict(json.loads(path.read_text(encoding="utf-8")))


RECORD = valid_record()
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
BLOCKER = {"nodes": ["a"], "operator": "NonZero", "message": "m", "cure": "c", "by": "parser"}
PREFLIGHT = {"verdict": "passed", "reason": "", "blockers": [], "pending": {"fp32": [BLOCKER]}, "notes": [], "nodes": 1}
COMPARE = {"verdict": "failed", "reason": "typed: too far", "typed": {"scores": {"max_abs": 1.0}}}
LEDGER = {"stage": "cast@a", "entry": {"cmd": "x", "outs": [{"path": "y", "md5": "z"}]}, "seconds": 2.0, "peak_mb": 1.0}
LEDGER |= {"size": "s"}
SWEEP = {"format": 1, "name": "x", "commit": "a" * 40, "dirty": False, "seconds": 9.5, "engine": "local", "workers": 2}
SWEEP |= {"variants": [entry("one", "failed", steps=[{"stage": "s", "ran": True, "shared_with": 0, "seconds": 2.5}])]}
ROW = {"network": "n", "form": "native", "precision": "fp16", "status": "ok", "bytes": 9, "cast": {"opset": 20}}
ROW |= {"gpu": {"verdict": "passed", "original": 9, "common": 9, "latency_ms": 1.5, "in_float32": []}}
TABLE = {"where": {"device": "GPU", "commit": "a"}, "rows": [ROW]}


@fuzzed
@given(data=st.data())
def test_engine_json(folder: Path, data: st.DataObject) -> None:
    text = data.draw(json_like(RECORD) | mutated(json.dumps(RECORD).encode()).map(lambda raw: raw.decode("latin-1")))
    (folder / "engine.json").write_text(text, encoding="utf-8")
    with contextlib.suppress(EnginewrightError):
        found = read_record(folder / "engine.json")
        assert gpu_obstacle(found, None)
        check_version(found, "1.7.1.116")
        assert str(found.targets) is not None
        assert found.targets.include("8.9") in (True, False)


@fuzzed
@given(data=st.data())
def test_params_yaml(folder: Path, data: st.DataObject) -> None:
    """Resealed half of the time, as by somebody who knows how its digest is made."""
    values = yaml.safe_load(data.draw(json_like(PARAMS)))
    if isinstance(values, dict) and isinstance(values.get("composed"), dict) and data.draw(st.booleans()):
        plain = {key: found for key, found in values.items() if key != "composed"}
        values["composed"]["values_sha256"] = values_sha256(plain)
        values["composed"]["networks"] = list(values["networks"]) if isinstance(values.get("networks"), dict) else []
    (folder / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    with contextlib.suppress(EnginewrightError):
        for name, network in read_networks(folder / "params.yaml", ROOT / "conf").items():
            typed_network(network, name)


@fuzzed
@given(data=mutated((ROOT / "params.yaml").read_bytes()))
def test_params_yaml_as_bytes(folder: Path, data: bytes) -> None:
    (folder / "params.yaml").write_bytes(data)
    with contextlib.suppress(EnginewrightError):
        read_networks(folder / "params.yaml", ROOT / "conf")


@fuzzed
@given(data=mutated(b"# pairs\nleft.png 'right one.png' homography.txt\nleft.png right.png\n"))
def test_pairs_txt(folder: Path, data: bytes) -> None:
    (folder / "pairs.txt").write_bytes(data)
    with contextlib.suppress(EnginewrightError):
        folder_pairs(folder, 8, 8)


@fuzzed
@given(data=st.data())
def test_preflight_json(folder: Path, data: st.DataObject) -> None:
    (folder / "preflight.json").write_text(data.draw(json_like(PREFLIGHT)), encoding="utf-8")
    with contextlib.suppress(EnginewrightError):
        refuse_pending(folder / "preflight.json", IN_FP32, "the graph")


@fuzzed
@given(data=st.data())
def test_compare_json(folder: Path, data: st.DataObject) -> None:
    (folder / "compare.json").write_text(data.draw(json_like(COMPARE)), encoding="utf-8")
    with contextlib.suppress(EnginewrightError):
        verdict_of(read_json(folder / "compare.json"))


@fuzzed
@given(data=mutated(json.dumps(COMPARE).encode()))
def test_any_json(folder: Path, data: bytes) -> None:
    (folder / "x.json").write_bytes(data)
    with contextlib.suppress(EnginewrightError):
        assert isinstance(read_json(folder / "x.json"), dict)


@fuzzed
@given(data=st.data())
def test_the_contract_in_a_reference(data: st.DataObject) -> None:
    """What it raises is told by load_reference; what passes can be used."""
    text = data.draw(json_like(json.loads(CONTRACT.to_json())))
    try:
        contract = Contract.from_json(text)
    except Exception:  # of many kinds, by design
        return
    for port in contract.ports:
        contract.shape(port)


@fuzzed
@given(data=st.data())
def test_the_ledger_of_a_sweep(folder: Path, data: st.DataObject) -> None:
    """A record that cannot be used is none, and its step is done again."""
    text = data.draw(json_like(LEDGER) | mutated(json.dumps(LEDGER).encode()).map(lambda raw: raw.decode("latin-1")))
    (folder / "ledger" / "ab").mkdir(parents=True, exist_ok=True)
    (folder / "ledger" / "ab" / "abc.json").write_text(text, encoding="utf-8")
    ledger = Ledger(folder / "ledger", lambda found: bool(found.get("outs")))
    assert isinstance(ledger.get("abc"), Record | None)
    ledger.seconds()
    ledger.peak_mb(["s"])


@fuzzed
@given(data=st.data())
def test_the_results_of_a_sweep(folder: Path, data: st.DataObject) -> None:
    (folder / "sweeps" / "x").mkdir(parents=True, exist_ok=True)
    (folder / "sweeps" / "x" / "results.json").write_text(data.draw(json_like(SWEEP)), encoding="utf-8")
    with contextlib.suppress(EnginewrightError):
        for variant in read_sweep(folder, "x", folder / "cache").variants:
            assert isinstance(variant.note, str)


@fuzzed
@given(data=st.data())
def test_the_table_of_a_gpu(folder: Path, data: st.DataObject) -> None:
    (folder / "tables").mkdir(exist_ok=True)
    (folder / "tables" / "gpu.json").write_text(data.draw(json_like(TABLE)), encoding="utf-8")
    with contextlib.suppress(EnginewrightError):
        for table in read_tables(folder / "tables"):
            variants_of_table(table)


@fuzzed
@given(data=st.data())
def test_dvc_lock(folder: Path, data: st.DataObject) -> None:
    lock = {
        "schema": "2.0",
        "stages": {"a@b": {"cmd": "x", "deps": [{"path": "p", "md5": "m"}], "params": {"y": {"k": 1}}}},
    }
    raw = data.draw(json_like(lock).map(str.encode) | mutated(yaml.safe_dump(lock).encode()))
    (folder / "dvc.lock").write_bytes(raw)
    with contextlib.suppress(EnginewrightError):
        lock_here(folder)
