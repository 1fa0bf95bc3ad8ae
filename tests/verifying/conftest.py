"""A repository that looks built: the project's own pipeline, stand-ins for its files, DVC's own lock and cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

from enginewright.artifacts import write_json
from enginewright.attesting.source import source_of
from enginewright.attesting.statement import made_of, statement_of
from enginewright.stage.commands import files_in
from enginewright.verdicts import State
from enginewright.verifying.chain import Request, checks_of
from enginewright.verifying.checks import Check
from enginewright.verifying.pipeline import Step, steps_of
from tests.attesting.engine_files import write_file
from tests.e2e.workspace import Workspace


@dataclass(frozen=True)
class Built:
    """The repository, and faults that are planted in it and taken out again."""

    root: Path
    steps: dict[str, Step]

    def checks(self, request: Request | None = None) -> list[Check]:
        """Return all checks but the last ones, of the packages that happen to be installed here."""
        return [*takewhile(lambda check: check.group != "packages", checks_of(self.root, request or Request()))]

    def failures(self, request: Request | None = None) -> dict[str, str]:
        """Return reason by "group: name" of the checks that failed."""
        failed = [check for check in self.checks(request) if check.verdict.state is State.failed]
        return {f"{check.group}: {check.name}": f"{check.verdict.reason}; {check.cure}" for check in failed}

    @contextmanager
    def planted(self, path: str, data: bytes | None) -> Iterator[None]:
        """Let a file hold other bytes, or be gone, while the block runs; its mode stays."""
        place = self.root / path
        before, mode = place.read_bytes(), place.stat().st_mode
        place.chmod(0o644)
        try:
            if data is None:
                place.unlink()
            else:
                place.write_bytes(data)
                place.chmod(mode)
            yield
        finally:
            if place.exists():
                place.chmod(0o644)
            place.write_bytes(before)
            place.chmod(mode)

    @contextmanager
    def flipped(self, path: str, at: int | None = None) -> Iterator[None]:
        """Flip one bit of a file, in its middle by default."""
        data = bytearray((self.root / path).read_bytes())
        data[len(data) // 2 if at is None else at] ^= 1
        with self.planted(path, bytes(data)):
            yield

    @contextmanager
    def replaced(self, path: str, old: str, new: str) -> Iterator[None]:
        """Replace the first place of a text in a file."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, f"{old} is not in {path}"
        with self.planted(path, text.replace(old, new, 1).encode()):
            yield


MADE = ("probe/", "weights/", "metrics/", "plots/", "report/")
"""Where the pipeline writes."""


def build(root: Path) -> dict[str, Step]:
    """Make the checkout at `root` look built, and return its stages."""
    space = Workspace.copied_to(root)
    space.run("python", "-m", "enginewright.config.compose")
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    steps = steps_of(root / "dvc.yaml", params)
    for path in sorted({path for step in steps.values() for path in (*step.deps, *step.outs)}):
        if path.startswith(("probe/", "weights/", "metrics/", "plots/", "report/")) and not path.endswith(
            "intoto.json"
        ):
            write_file(root, f"{path}/pair.png" if path.endswith("matches") else path)
    space.commit("as it is built")
    for step in steps.values():
        if step.name.startswith("attest@"):
            names = [key.removeprefix("networks.") for key in step.params]
            made = made_of(
                step.network,
                files_in(step.cmd)[0],
                {name: params["networks"][name] for name in names},
                source_of(root),
                root,
            )
            write_json(root / step.outs[0], statement_of(made))
    space.run("dvc", "commit", "-q", "--force")
    space.commit("built")
    return steps


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the repository. Tests leave it as they found it."""
    root = tmp_path_factory.mktemp("verified") / "checkout"
    return Built(root, build(root))
