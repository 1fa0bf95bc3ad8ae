"""Entering a stage. DVC passes `--network`, `--in` and `--out`; a person passes Hydra overrides instead."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from enginewright.artifacts import storing
from enginewright.config.params import read_networks
from enginewright.errors import ConfigError, exit_with
from enginewright.heap import keep_freed
from enginewright.lifeline import end_with_dvc
from enginewright.stage.commands import paths_of
from enginewright.stage.offline import no_network
from enginewright.stage.own_process import in_own_process
from enginewright.stage.stage import Stage
from enginewright.temporaries import clear_leftovers, working_folder
from enginewright.warm import hand_over


def enter(
    main: Callable[[Stage], None],
    sections: tuple[str, ...],
    heavy: Callable[[Stage], Sequence[str]] | None = None,
    *,
    foreign: str = "",
) -> None:
    """Run `main` with the stage that the command line describes; a user's error is printed and exits with 1.

    heavy: the packages that the stage imports and that stages of one `dvc repro` share (enginewright/warm).
    foreign: what the stage fetches that somebody else made. It alone may use the network, since it checks a digest, and
    it runs in a process of its own.
    """
    if foreign:
        exit_with(lambda: _run(lambda stage: _apart(main, stage, foreign), sections, heavy))
    else:
        with no_network():
            exit_with(lambda: _run(main, sections, heavy))


def _apart(main: Callable[[Stage], None], stage: Stage, foreign: str) -> None:
    sys.exit(in_own_process(lambda: exit_with(lambda: main(stage)), foreign))


def _run(
    main: Callable[[Stage], None], sections: tuple[str, ...], heavy: Callable[[Stage], Sequence[str]] | None
) -> int | None:
    end_with_dvc()
    stage = _stage(sys.argv, sections)
    status = hand_over(heavy(stage)) if heavy else None
    if status is None:
        keep_freed()
        _clear(stage)
        with storing(), working_folder():
            main(stage)
    return status


def _clear(stage: Stage) -> None:
    """Remove what killed stages left beside the outputs of this one."""
    for folder in {path.parent for path in stage.outputs.values()}:
        clear_leftovers(folder)


def _stage(argv: Sequence[str], sections: tuple[str, ...]) -> Stage:
    options, overrides = _parser().parse_known_args(list(argv[1:]))
    if not options.outputs:
        from enginewright.stage.by_hand import stage_by_hand

        return stage_by_hand(Path(argv[0]).stem, overrides, sections)
    if overrides:
        raise ConfigError("Hydra overrides do not go with --out", got=overrides, cure="leave --out out")
    inputs, outputs = paths_of(options.inputs), paths_of(options.outputs)
    refuse_missing(inputs)
    return Stage(options.network, read_networks(Path("params.yaml"), Path("conf")), sections, inputs, outputs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--network", default="")
    parser.add_argument("--in", dest="inputs", nargs="*", default=[], metavar="NAME=PATH")
    parser.add_argument("--out", dest="outputs", nargs="*", default=[], metavar="NAME=PATH")
    return parser


def refuse_missing(inputs: dict[str, Path]) -> None:
    """Refuse to start while an input is missing, naming each that is.

    Raises:
        ConfigError: naming every missing input and where it was looked for.
    """
    missing = {name: str(path) for name, path in inputs.items() if not path.exists()}
    if missing:
        raise ConfigError("inputs are missing", expected="files of earlier stages", got=missing, cure="dvc repro")
