"""`make gpu`: builds the variants of both axes, runs them on the GPU here and writes the table. Each half goes alone:

python -m enginewright.gpu build --networks disk_lightglue --forms native,island --precisions fp16
python -m enginewright.gpu pack --out bundle        for a machine that has a GPU and no exporter
python -m enginewright.gpu run --variants bundle    there
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from enginewright.artifacts import read_json, write_bytes, write_json
from enginewright.engine.gpu import find_gpu
from enginewright.errors import exit_with
from enginewright.gpu.variants import Variant, variants_of
from enginewright.probing import versions

VARIANTS = Path("scratch/gpu/variants")
RESULTS = Path("benchmarks/gpu")
NETWORKS = "disk_lightglue,aliked_n16_lightglue"
_RUNTIMES = ("onnxruntime-gpu", "onnxruntime")


def main(arguments: list[str]) -> int:
    """Run what was asked for and return the exit code: 1 where a variant failed on the GPU."""
    options = _parser().parse_args(arguments)
    networks = options.networks.split(",")
    if options.what in ("all", "build"):
        _build(variants_of(networks, _listed(options.forms), _listed(options.precisions)), options.variants)
    if options.what == "pack":
        _pack(networks, options)
    if options.what in ("all", "run"):
        _run(options)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m enginewright.gpu", description="Variants on a GPU.")
    parser.add_argument("what", choices=("all", "build", "pack", "run"))
    parser.add_argument("--networks", default=NETWORKS, help="matchers, comma-separated")
    parser.add_argument("--forms", default="", help="LayerNorm forms, comma-separated; all of them by default")
    parser.add_argument("--precisions", default="", help="precisions, comma-separated; all of them by default")
    parser.add_argument("--variants", type=Path, default=VARIANTS, help="folder of the variants")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the table, or of the bundle")
    parser.add_argument("--commit", default="", help="commit that the variants were built from, where git cannot say")
    return parser


def _listed(text: str) -> list[str]:
    return [item for item in text.split(",") if item]


def _build(variants: list[Variant], folder: Path) -> None:
    from enginewright.gpu.build import build

    for number, variant in enumerate(variants, start=1):
        done = folder / f"{variant.name}.json"
        facts = read_json(done) if done.is_file() else build(variant, folder)
        print(f"{number} of {len(variants)}: {variant.name}: {facts['status']}", flush=True)


def _pack(networks: list[str], options: argparse.Namespace) -> None:
    from enginewright.gpu.bundle import pack
    from enginewright.stage.chain import needed

    pack(options.variants, [(network, needed(network, "reference.npz")) for network in networks], options.out)


def _run(options: argparse.Namespace) -> None:
    from enginewright.gpu.measure import measured
    from enginewright.gpu.table import table

    rows = measured(options.variants)
    where = _where(options.commit) | {"modelopt": ", ".join(sorted({row["modelopt"] for row in rows}))}
    name = str(where["device"]).lower().replace(" ", "-")
    write_json(options.out / f"{name}.json", {"where": where, "rows": rows})
    text = table(rows, where)
    write_bytes(options.out / f"{name}.md", text.encode())
    print(text)


def _where(commit: str) -> dict[str, Any]:
    gpu = find_gpu()
    return {
        "device": gpu.name if gpu else "no GPU",
        "driver": gpu.driver if gpu else "none",
        "commit": commit or _commit(),
        "onnxruntime": next(filter(None, versions(_RUNTIMES).values()), "none"),
    }


def _commit() -> str:
    from enginewright.report.table import commit

    return commit()


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
