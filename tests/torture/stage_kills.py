"""Every stage, killed and refused at every point: in forks, in lanes that each have a checkout of their own."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tests.torture.cases import ERRORS, REFUSABLE, Case, Outcome, tried
from tests.torture.forks import DEAR, import_dear
from tests.torture.lanes import Say, side_by_side
from tests.torture.pipeline import NETWORKS, small_checkout
from tests.torture.scenes import Point, Scene, scenes_of

PREFERRED = ("foreign", "cells_nearest", "cells_merged", "cells")
"""Of each kind of stage one is tried: that of the first of these networks that has it, the quickest, but for ..."""

OTHERWISE = {"checkpoint": "cells", "swap": "cells", "export": "cells", "cast": "cells", "compare": "cells"}
"""... the stages that do more for another: a network with weights, and one in fp16."""

PROBE_POINTS = 20
"""Points of the probe that are tried: it writes a dozen files, all alike."""


@dataclass(frozen=True)
class Plan:
    """How much to try: processes to kill, writes to refuse, what names of cases contain, how many lanes.

    stages: those to try; none for one of each kind. networks: of the checkout. dear: packages to import before.
    """

    seed: int
    kills: int
    refusals: int
    only: str = ""
    lanes: int = 1
    stages: tuple[str, ...] = ()
    networks: tuple[str, ...] = NETWORKS
    dear: tuple[str, ...] = DEAR


def run(folder: Path, plan: Plan, say: Say) -> None:
    """Build a small pipeline in each lane, then try the lane's share of all cases."""
    import_dear(plan.dear)
    lanes = [partial(_outcomes, folder / f"stages{number}", plan, number) for number in range(plan.lanes)]
    side_by_side(lanes, say)


def _outcomes(folder: Path, plan: Plan, lane: int) -> Iterator[Outcome]:
    """Run every stage once, then yield the outcome of each case of this lane."""
    small_checkout(folder, plan.networks).run("python", "-m", "stages.probe", "probe")
    log = folder / ".cache" / "points.log"
    scenes = {scene.name: scene for scene in scenes_of(folder) if _is_needed(scene.name)}
    stages = plan.stages or chosen(list(scenes))
    learned = {name: scene.learn(log) for name, scene in scenes.items()}
    wanted = cases({name: learned[name] for name in stages}, plan)[lane :: plan.lanes]
    turn: Scene | None = None
    for case in sorted(wanted, key=lambda case: stages.index(case.stage)):
        if scenes[case.stage] is not turn:
            turn = scenes[case.stage]
            turn.learn(log)  # stages before it have run again since, and the report shows how long they took
        if plan.only in str(case):
            yield tried(case, turn)


def _is_needed(name: str) -> bool:
    """Return whether a stage is tried or feeds one: of the merged network only its first."""
    return name == "merge@cells_merged" or not name.endswith("@cells_merged")


def chosen(names: Sequence[str]) -> list[str]:
    """Return one stage of each kind, in the order of the pipeline."""
    networks: dict[str, list[str]] = {}
    for name in names:
        kind, _, network = name.partition("@")
        networks.setdefault(kind, []).append(network)
    return [f"{kind}@{network}" if (network := _network(kind, found)) else kind for kind, found in networks.items()]


def _network(kind: str, there: Sequence[str]) -> str:
    wanted = (OTHERWISE.get(kind, ""), *PREFERRED)
    return next((network for network in wanted if network in there), "")


def cases(learned: dict[str, tuple[list[Point], float]], plan: Plan) -> list[Case]:
    """Return cases that kill, every point once and the rest at random moments, and cases that the system refuses."""
    chance = random.Random(plan.seed)  # noqa: S311 - what is wanted is that it can be repeated
    points = [point for stage, (passed, _) in learned.items() for point in _distinct(stage, passed, chance)]
    killed = [Case(point.stage, "kill", point.name, point.file, by_child=point.by_child) for point in points]
    killed += [replace(case, action="stop") for case in killed if case.by_child]
    refused = [
        replace(case, action=chance.choice(ERRORS))
        for case in killed
        if case.point in REFUSABLE and not case.by_child
    ]  # fmt: skip
    chance.shuffle(killed)
    chance.shuffle(refused)
    stages = sorted(learned)
    for number in range(plan.kills - len(killed)):
        stage = stages[number % len(stages)]
        killed.append(Case(stage, "kill", after=chance.uniform(0.02, 0.9 * learned[stage][1])))
    chosen = (*killed[: plan.kills], *refused[: plan.refusals])
    return [replace(case, old=chance.random() < 0.5) for case in chosen]


def _distinct(stage: str, passed: list[Point], chance: random.Random) -> list[Point]:
    found = list(dict.fromkeys(passed))
    return chance.sample(found, PROBE_POINTS) if stage == "probe" and len(found) > PROBE_POINTS else found
