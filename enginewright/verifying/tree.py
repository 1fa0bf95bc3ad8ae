"""What lies in the working tree against what dvc.lock says was written and read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from enginewright.verifying.checks import Check, failed, missing, passed
from enginewright.verifying.hashing import Tree
from enginewright.verifying.locks import Entry, Locked

OUTPUTS, INPUTS = "working tree", "code and tools"
_PROBE = "probe/"


def check_outputs(entries: Mapping[str, Entry], tree: Tree) -> Iterator[Check]:
    """Yield a check for each output. Where none is there, nothing was built or fetched here, and nothing is wrong."""
    outs = [out for entry in entries.values() for out in entry.outs]
    tree.hash_all(out.path for out in outs)
    if outs and all(tree.hash(out.path) is None for out in outs):
        yield missing(OUTPUTS, "all outputs", "none was built or fetched here", "make repro, or make pull")
        return
    yield from (_output(out, tree) for out in outs)


def _output(out: Locked, tree: Tree) -> Check:
    found = tree.hash(out.path)
    restore = f"rm -rf {out.path} && dvc checkout {out.path}; if the cache lacks it too, make repro"
    if found is None:
        return failed(OUTPUTS, out.path, f"it is not there; dvc.lock says that {out.stage} wrote it", restore)
    if found != out.md5:
        reason = f"its MD5 is {found}; dvc.lock says that {out.stage} wrote {out.md5}"
        return failed(OUTPUTS, out.path, reason, f"{restore}. If only dvc.lock changed: git checkout dvc.lock")
    return _sized(OUTPUTS, out, tree)


def check_inputs(entries: Mapping[str, Entry], tree: Tree) -> Iterator[Check]:
    """Yield a check for each input that no stage writes, once for all stages that read it alike: code, data, versions.

    Outputs are left to `check_outputs`; that every reader read them as they were written is checked here.
    """
    written = {out.path: out for entry in entries.values() for out in entry.outs}
    items: dict[tuple[str, str, int], list[Locked]] = {}
    for entry in entries.values():
        for dep in entry.deps:
            items.setdefault((dep.path, dep.md5, dep.size or 0), []).append(dep)
    tree.hash_all(path for path, *_ in items if path not in written and not _covers(path, written))
    for (path, *_), readers in sorted(items.items()):
        if path in written:
            yield _passed_on(written[path], readers)
        elif not _covers(path, written):
            yield _input(readers, tree)


def _covers(path: str, written: Iterable[str]) -> bool:
    """Return whether a folder holds outputs, each of which is checked."""
    return any(out.startswith(f"{path}/") for out in written)


def _passed_on(out: Locked, readers: list[Locked]) -> Check:
    names, read = ", ".join(sorted({dep.stage for dep in readers})), readers[0]
    if (read.md5, read.size) == (out.md5, out.size):
        return passed(INPUTS, f"{out.path} as {names} read it")
    reason = f"{names} read {read.md5}, {read.size} bytes; {out.stage} wrote {out.md5}, {out.size} bytes"
    return failed(INPUTS, out.path, reason, "git checkout dvc.lock if nobody meant that, else make repro")


def _input(readers: list[Locked], tree: Tree) -> Check:
    dep = readers[0]
    names, found = ", ".join(sorted({reader.stage for reader in readers})), tree.hash(dep.path)
    if found is None and dep.path.startswith(_PROBE):
        return missing(INPUTS, dep.path, "what this machine has was not probed yet", "make repro")
    if found == dep.md5:
        return _sized(INPUTS, dep, tree)
    state = "it is not there" if found is None else f"its MD5 is {found}"
    return failed(INPUTS, dep.path, f"{state}; {names} ran with {dep.md5}", "make repro, or undo the change")


def _sized(group: str, item: Locked, tree: Tree) -> Check:
    """Return whether the size is the recorded one too: DVC shows it, and skips what it thinks too large by it."""
    size = tree.size(item.path)
    if item.size in (None, size):
        return passed(group, item.path)
    return failed(group, item.path, f"it has {size} bytes; dvc.lock says {item.size}", "git checkout dvc.lock")
