"""Experiments that DVC itself has made: what a sweep leaves, read from their commits and from DVC's cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from enginewright.pages.gather import dvc_cache, gather
from enginewright.pages.page import page
from tests.pages.sample import entry, params, png, record, write_sweep
from tests.report.sample import metrics, written

pytestmark = pytest.mark.xdist_group("dvc_pages")

_STAGE = """
import json, pathlib, shutil, yaml
values = yaml.safe_load(pathlib.Path("params.yaml").read_text())
precision = values["networks"]["disk_lightglue"]["cast"]["precision"]
for folder in ("metrics", "weights", "plots"):
    shutil.copytree(f"source/{folder}", folder, dirs_exist_ok=True)
for path in pathlib.Path("metrics").glob("*/cast.json"):
    path.write_text(json.dumps({**json.loads(path.read_text()), "precision": precision}))
"""


def run(folder: Path, *words: str) -> str:
    """Run a command as a user does, with DVC's own state in the folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("DVC_")}
    env |= {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(folder / ".site")}
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def dvc(folder: Path, *words: str) -> str:
    return run(folder, sys.executable, "-m", "dvc", *words)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with a pipeline of one quick stage, two experiments, and a cache that lies elsewhere."""
    folder = tmp_path_factory.mktemp("dvc") / "repository"
    folder.mkdir()
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "git", "config", "user.email", "test@example.com")
    run(folder, "git", "config", "user.name", "test")
    dvc(folder, "init", "-q")
    dvc(folder, "cache", "dir", str(folder.parent / "cache elsewhere"))
    _write_pipeline(folder)
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "a pipeline")
    for precision in ("fp32", "fp16"):
        changed = f"networks.disk_lightglue.cast.precision={precision}"
        dvc(folder, "exp", "run", "-q", "-n", f"native-{precision}", "-S", changed)
    return folder


def _write_pipeline(folder: Path) -> None:
    source = folder / "source"
    written(source / "metrics", metrics())
    for network in metrics():
        (source / "weights" / network).mkdir(parents=True)
        (source / "weights" / network / "engine.json").write_text(json.dumps(record()))
    (source / "plots" / "disk_lightglue" / "matches").mkdir(parents=True)
    (source / "plots" / "disk_lightglue" / "matches" / "motorcycle.png").write_bytes(png())
    (folder / "make.py").write_text(_STAGE)
    (folder / "params.yaml").write_text(yaml.safe_dump(params("bf16")))
    outs = {"deps": ["make.py", "source"], "outs": ["weights", "plots"], "metrics": ["metrics"]}
    stage = {"cmd": f"{sys.executable} make.py", "params": ["networks"], **outs}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"all": stage}}))


def commits(folder: Path) -> dict[str, str]:
    """Return the commit of each experiment by its name."""
    lines = run(folder, "git", "for-each-ref", "--format=%(refname:lstrip=-1) %(objectname)", "refs/exps").splitlines()
    return dict(line.split() for line in lines if line.startswith("native"))


def test_the_cache_is_where_dvc_has_it(repository: Path) -> None:
    assert dvc_cache(repository) == repository.parent / "cache elsewhere" / "files" / "md5"


def test_a_sweep_of_experiments_is_a_page(repository: Path) -> None:
    write_sweep(repository, "real", *(entry(name, experiment=commit) for name, commit in commits(repository).items()))
    content = gather(repository, "real", "", "")
    assert {one.name: one.precision for one in content.variants} == {"native-fp16": "fp16", "native-fp32": "fp32"}
    assert all(one.engine_mb for one in content.variants)
    html = page(content)
    assert "data:image/" in html
    assert "SHA-256" in html


def test_two_experiments_are_compared_by_name(repository: Path) -> None:
    content = gather(repository, "", "native-fp32", "native-fp16")
    assert content.comparison is not None
    assert [(one.name, one.old, one.new) for one in content.comparison.parameters] == [
        ("cast.precision", "fp32", "fp16")
    ]


def test_nothing_in_the_checkout_was_touched(repository: Path) -> None:
    before = run(repository, "git", "status", "--porcelain")
    gather(repository, "", "native-fp32", "workspace")
    assert run(repository, "git", "status", "--porcelain") == before
