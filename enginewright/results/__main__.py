"""`make exps` and `make diff A=rev B=rev`: what DVC's own tables hold, on one screen.

python -m enginewright.results exps [--all]
python -m enginewright.results diff [A] [B] [--all]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dvc.repo import Repo  # type: ignore[import-untyped]

from enginewright.errors import exit_with
from enginewright.explaining.revisions import commit_of
from enginewright.results.difference import as_mapping, difference
from enginewright.results.figures import figures_of
from enginewright.results.listing import Line, listing
from enginewright.results.origins import leading

WORKSPACE = "workspace"


def main(arguments: Sequence[str]) -> None:
    """Print what was asked for.

    Raises:
        ConfigError: for a commit or an experiment that is not there.
    """
    options = _parser().parse_args(arguments)
    with Repo() as repo:
        if options.what == "exps":
            lines = listing(list(_experiments(repo)), options.all)
        else:
            lines = _difference(repo, options.a, options.b, options.all)
    print("\n".join(lines))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m enginewright.results", description="Results on one screen.")
    kinds = parser.add_subparsers(dest="what", required=True)
    exps, diff = kinds.add_parser("exps", help="all experiments"), kinds.add_parser("diff", help="two revisions")
    diff.add_argument("a", nargs="?", default="HEAD", help="a commit or an experiment")
    diff.add_argument("b", nargs="?", default=WORKSPACE, help="another one; the working tree by default")
    for kind in (exps, diff):
        kind.add_argument("--all", action="store_true", help="more than fits on a screen")
    return parser


def _difference(repo: Repo, a: str, b: str, everything: bool) -> list[str]:
    revs = [rev if rev == WORKSPACE else commit_of(repo, rev) for rev in (a, b)]
    metrics = repo.metrics.show(revs=revs, hide_workspace=False)
    params = repo.params.show(revs=revs, hide_workspace=False)
    old, new = (_content(params, rev) for rev in revs)
    sides = [figures_of(_content(metrics, rev)) for rev in revs]
    empty = [name for name, side in zip((a, b), sides, strict=True) if not side]
    notes = [f"{name} has no metrics here: dvc fetch or make pull may have them" for name in empty]
    parameters = leading(as_mapping(old), as_mapping(new))
    return [
        f"{_named(a, revs[0])} -> {_named(b, revs[1])}",
        *notes,
        "",
        *difference(parameters, sides[0], sides[1], everything),
    ]


def _content(shown: Mapping[str, Any], rev: str) -> Mapping[str, Any]:
    """Return DVC's {path: {"data": ...}} of a revision, which it leaves out where nothing is known of it."""
    found: Mapping[str, Any] = shown.get(rev, {}).get("data", {})
    return found


def _named(given: str, rev: str) -> str:
    return given if rev == WORKSPACE or rev.startswith(given) else f"{given} ({rev[:10]})"


def _experiments(repo: Repo) -> Iterator[Line]:
    """Yield the working tree, then each commit with its experiments, newest first."""
    states = repo.experiments.show()
    base: Mapping[str, Any] = next((state.data.params for state in states if state.data and state.rev != WORKSPACE), {})
    for state in states:
        yield _line(state, base, indent=False)
        for found in state.experiments or []:
            if found.revs:
                yield _line(found.revs[0], state.data.params if state.data else base, indent=True)


def _line(state: Any, base: Mapping[str, Any], indent: bool) -> Line:
    name = state.name or state.rev[:10]
    if state.data is None:
        return Line(name, {}, indent=indent, note="failed to run" if state.error else "queued or unread")
    changed = leading(as_mapping(base), as_mapping(state.data.params))
    return Line(name, figures_of(state.data.metrics), changed, indent)


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
