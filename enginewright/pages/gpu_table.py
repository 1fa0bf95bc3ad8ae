"""Variants that `make gpu` measured: the files of benchmarks/gpu, one for each GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from enginewright.artifacts import read_json
from enginewright.errors import DataError
from enginewright.pages.evidence import evidence_in
from enginewright.pages.run import Run
from enginewright.pages.variant import Kept, Proof, Variant
from enginewright.verdicts import State, Verdict, worst

_HOW = "the typed graph on {device}, by ONNX Runtime"
_NO_ENGINE = ("an engine", "this is the typed graph in ONNX Runtime's CUDA provider; no engine was built from it")


@dataclass(frozen=True)
class Table:
    """What was measured on one GPU. where: device, versions and commit. rows: as `make gpu` wrote them."""

    device: str
    where: tuple[tuple[str, str], ...]
    rows: tuple[Mapping[str, Any], ...]


def read_tables(folder: Path) -> list[Table]:
    """Return the table of every JSON file in a folder, by file name.

    Raises:
        DataError: if a file is no such table.
    """
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Table:
    try:
        raw = read_json(path)
        rows, where = raw["rows"], raw["where"]
        facts = tuple((str(key), str(value)) for key, value in where.items())
        return Table(str(where["device"]), facts, tuple(rows))
    except (AttributeError, DataError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no table of a GPU: {error!r}", expected="what make gpu writes") from error


def variants_of_table(table: Table, networks: Sequence[str] | None = None) -> list[Variant]:
    """Return a variant for each row, of `networks` alone where they are given."""
    try:
        rows = (row for row in table.rows if networks is None or row["network"] in networks)
        return [_variant(row, table.device) for row in rows]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the table of {table.device} has a row that cannot be read: {error!r}", expected="what make gpu writes"
        ) from error


def _variant(row: Mapping[str, Any], device: str) -> Variant:
    gates, refused = _gates(row), row.get("status") == "refused"
    gpu = row.get("gpu", {})
    ran = gpu.get("verdict") == "passed" and gates.state is State.passed
    rehearsed = "rehearsed" in row and gates.state is not State.failed
    return Variant(
        name=f"{row['form']}-{row['precision']}",
        network=str(row["network"]),
        source=device,
        state="refused" if refused else "done" if "common" in gpu else "not_run",
        gates=gates,
        proof=Proof.graph if ran else Proof.rehearsed if rehearsed else Proof.nothing,
        reason=gates.reason,
        opset=str(row.get("cast", {}).get("opset") or ""),
        precision=str(row["precision"]),
        form=str(row["form"]),
        kept=_kept(row, device),
        graph_mb=row["bytes"] / 1e6 if "bytes" in row else None,
        latency_ms=gpu.get("latency_ms"),
        device=device,
        unproven=tuple(_unproven(gpu, gates, ran)),
        checks=sum(name in row for name in ("gpu", "ranges")),
        asked=row.get("matcher_ratio"),
        evidence=evidence_in(row.get("evidence") or {}),
        parts=(str(row["network"]),),
    )


def _unproven(gpu: Mapping[str, Any], gates: Verdict, ran: bool) -> Iterator[tuple[str, str]]:
    if ran:
        yield _NO_ENGINE
    if widened := gpu.get("in_float32"):
        yield "its types", f"computed in float32 on the GPU, for want of a kernel: {', '.join(map(str, widened))}"
    if gates.state is State.not_run:
        yield "a run on the GPU", gates.reason


def _gates(row: Mapping[str, Any]) -> Verdict:
    """Return the worst of the matches on the GPU and of the range gate, which stops a build as they do."""
    if row.get("status") == "refused":
        return Verdict(State.not_run, str(row.get("reason") or "refused"))
    found = [(name, row[name]) for name in ("gpu", "ranges") if name in row]
    return worst(Verdict(State(entry["verdict"]), _reason(name, entry)) for name, entry in found)


def _reason(name: str, entry: Mapping[str, Any]) -> str:
    if entry["verdict"] == State.passed.value:
        return ""
    return ("ranges: " if name == "ranges" else "") + " ".join(str(entry.get("reason") or "no reason given").split())


def _kept(row: Mapping[str, Any], device: str) -> Kept | None:
    gpu, rehearsed = row.get("gpu", {}), row.get("rehearsed")
    if "common" in gpu:
        return Kept(gpu["original"], gpu["common"], _HOW.format(device=device))
    if rehearsed:
        return Kept(rehearsed["original"], rehearsed["common"], "the typed graph, its rounding rehearsed on a CPU")
    return None


def with_latency(variant: Variant, run: Run | None, tables: Sequence[Table]) -> Variant:
    """Return the variant with the latency of the same graph on a GPU, if a table has it.

    The same graph: of the same size to the byte, and with the same types, casts, opset and LayerNorms. Tables hold no
    digests, and a file that agrees in all of these and is another is not to be feared.
    """
    if run is None:
        return variant
    size = run.records.get(variant.network, {}).get("graph", {}).get("size")
    cast = run.metrics.get(variant.network, {}).get("cast")
    for table in tables:
        for row in table.rows:
            same = (row.get("network"), row.get("bytes"), row.get("cast")) == (variant.network, size, cast)
            if same and "latency_ms" in row.get("gpu", {}):
                return _measured(variant, row, table.device)
    return variant


def _measured(variant: Variant, row: Mapping[str, Any], device: str) -> Variant:
    found = replace(
        variant,
        latency_ms=row["gpu"]["latency_ms"],
        device=device,
        kept=_kept(row, device),
        asked=row.get("matcher_ratio"),
        evidence=evidence_in(row.get("evidence") or {}),
    )
    gates = worst([variant.gates, _gates(row)])
    graph = row["gpu"]["verdict"] == "passed" and variant.gates.state is not State.failed
    proof = max(variant.proof, Proof.graph) if graph else variant.proof
    return replace(found, gates=gates, proof=proof)
