"""What .gitignore has to say of outputs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def ignored_texts(outs: Iterable[str]) -> dict[str, str]:
    """Return the content of each .gitignore that DVC would write for these outputs, as it would find them here.

    DVC appends a line when a stage first runs, so their order is that of running. The report hashes these files too,
    with the folders that they lie in: they are written before, in the order of the pipeline, the same on every worker.
    """
    names: dict[Path, list[str]] = {}
    for out in outs:
        names.setdefault(Path(out).parent / ".gitignore", []).append(f"/{Path(out).name}")
    return {str(path): _completed(path, lines) for path, lines in names.items()}


def _completed(path: Path, wanted: list[str]) -> str:
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    missing = [line for line in wanted if line not in found.splitlines()]
    head = found if not found or found.endswith("\n") else f"{found}\n"
    return head + "".join(f"{line}\n" for line in missing)
