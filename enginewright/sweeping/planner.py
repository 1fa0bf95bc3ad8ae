"""`python -m enginewright.sweeping.planner` in a clone: composes variants and lists their stages, as DVC sees them.

A line of JSON with overrides in, one with an `Outline` out, for each variant. No stage runs.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from dvc.dependency import ParamsDependency  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc.stage import Stage  # type: ignore[import-untyped]
from omegaconf import DictConfig, OmegaConf

from enginewright.config.composed import composed, params_text
from enginewright.errors import EnginewrightError, NotAllowedError
from enginewright.lineage.order import in_order
from enginewright.lineage.paths import overlap
from enginewright.sweeping.answering import answering
from enginewright.sweeping.outline import Outline, StageOutline
from enginewright.sweeping.paths import ignored_texts

_PROBE = "probe"
_CACHES = ("__pycache__", ".pyc")


def outline_of(repo: Repo, overrides: Sequence[str]) -> Outline:
    """Return the outline of one variant; a configuration that is refused becomes one too, with the reason."""
    try:
        config = composed(list(overrides))
    except EnginewrightError as error:
        return Outline(refused=str(error), typo=isinstance(error, NotAllowedError))
    text = params_text(config)
    Path("params.yaml").write_text(text, encoding="utf-8")
    repo._reset()
    stages = [stage for stage in repo.index.stages if _name_of(stage) != _PROBE]
    return Outline(
        params=text,
        stages=_outlines(stages),
        ignored=ignored_texts(_outs(stages)),
        size=_size(config),
        outside=_outside(stages),
    )


def _outside(stages: Sequence[Stage]) -> bool:
    """Return whether a stage reads a path that neither the tree nor another stage has."""
    outs = _outs(stages)
    paths = [path for stage in stages for path in _plain_deps(stage) if path.parent.name != _PROBE]
    return any(path.is_absolute() or not (path.exists() or _made(path, outs)) for path in paths)


def _made(path: Path, outs: Iterable[str]) -> bool:
    return any(overlap(str(path), out) for out in outs)


def _size(config: DictConfig) -> str:
    models = {name: OmegaConf.to_container(row.model, enum_to_str=True) for name, row in config.networks.items()}
    return hashlib.sha256(json.dumps(models, sort_keys=True).encode()).hexdigest()[:12]


def _outlines(stages: Sequence[Stage]) -> tuple[StageOutline, ...]:
    makers = {path: stage for stage in stages for path in _outs([stage])}
    return tuple(_outline(stage, makers) for stage in _ordered(stages, makers) if stage.cmd)


def _outline(stage: Stage, makers: dict[str, Stage]) -> StageOutline:
    inputs = _inputs(stage, makers)
    return StageOutline(
        name=_name_of(stage),
        own=_own_digest(stage, {path for path in inputs if not makers[path].cmd}, makers),
        probes=tuple(sorted(path.name for path in _plain_deps(stage) if path.parent.name == _PROBE)),
        needs=tuple(dict.fromkeys(_name_of(makers[path]) for path in inputs if makers[path].cmd)),
        inputs=tuple(inputs),
        outs=tuple(_outs([stage])),
        metrics=tuple(out.def_path for out in stage.outs if out.metric),
    )


def _own_digest(stage: Stage, data: Iterable[str], makers: dict[str, Stage]) -> str:
    """Return a digest of what the stage itself is: command, parameters, outputs, code, and data that DVC tracks."""
    params = {dep.def_path: dep.read_params() for dep in stage.deps if isinstance(dep, ParamsDependency)}
    code = {str(path): _content(path) for path in _plain_deps(stage) if path.parent.name != _PROBE}
    tracked = {path: next(str(o.hash_info) for o in makers[path].outs if o.def_path == path) for path in sorted(data)}
    parts = [stage.cmd, params, _outs([stage]), code, tracked]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _plain_deps(stage: Stage) -> Iterator[Path]:
    return (Path(dep.def_path) for dep in stage.deps if not isinstance(dep, ParamsDependency))


def _inputs(stage: Stage, makers: dict[str, Stage]) -> list[str]:
    """Return the outputs of other stages that the stage reads, in the order of the pipeline."""
    deps = [str(path) for path in _plain_deps(stage)]
    return [path for path in makers if makers[path] is not stage and any(overlap(dep, path) for dep in deps)]


def _ordered(stages: Sequence[Stage], makers: dict[str, Stage]) -> list[Stage]:
    """Return the stages, each after those whose outputs it reads, otherwise as they are given."""
    named = {_name_of(stage): stage for stage in stages}
    needs = {name: [_name_of(makers[path]) for path in _inputs(stage, makers)] for name, stage in named.items()}
    return [named[name] for name in in_order(needs)]


def _outs(stages: Iterable[Stage]) -> list[str]:
    return [out.def_path for stage in stages for out in stage.outs]


def _name_of(stage: Stage) -> str:
    return str(getattr(stage, "name", None) or stage.addressing)


@cache
def _content(path: Path) -> str:
    """Return a digest of a file, or of a folder's files and their names, caches left out; empty for what is missing."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    for file in files:
        if file.is_file() and not any(name.endswith(_CACHES) for name in file.parts):
            digest.update(f"{file.relative_to(path)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest() if files else ""


def main() -> None:
    """Answer each message until one says that it is the end."""
    answer, repo = answering(), Repo(".")
    answer({})
    for line in sys.stdin:
        message = json.loads(line)
        answer({} if "end" in message else outline_of(repo, message["overrides"]).as_plain())


if __name__ == "__main__":
    main()
