"""A feature that no other one names can be deleted: experiments go on without it, and the kernel's tests pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ran, run_program
from tests.house.source import modules, uses
from tests.lab import Lab

PARTS = (
    "scripts",
    "tests/kernel",
    "tests/__init__.py",
    "tests/conftest.py",
    "tests/forks.py",
    "tests/lab.py",
    "tests/unattended.py",
    "pyproject.toml",
)
UNNAMED = sorted(set(uses()) - {name for named in uses().values() for name in named})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project; one for all tests, for in a new folder each time everything would be compiled anew."""
    place: Path = tmp_path_factory.mktemp("project")
    for part in PARTS:
        source, target = ROOT / part, place / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    return place


def files_of(feature: str) -> Iterator[str]:
    """A feature's folder and its entry scripts."""
    yield f"scripts/autoresearch/{feature}"
    for module in modules():
        if module.room == feature and module.parts[-1].endswith("_command.py"):
            yield f"scripts/autoresearch_{module.parts[-1].replace('_command.py', '')}.py"


@contextmanager
def without(features: Iterable[str], place: Path) -> Iterator[None]:
    """The copy with these features gone, for as long as the block lasts."""
    gone = place / "gone"
    gone.mkdir()
    names = [name for feature in features for name in files_of(feature)]
    for name in names:
        (place / name).rename(gone / Path(name).name)
    yield
    for name in names:
        (gone / Path(name).name).rename(place / name)
    gone.rmdir()


def test_there_are_features_to_delete():
    assert {"doctor", "demo", "modes", "salvage", "scout"} <= set(UNNAMED)


@pytest.mark.parametrize("feature", UNNAMED)
def test_an_experiment_needs_no_feature_that_no_other_names(feature: str, project: Path, lab: Lab):
    def run_script(name: str, *args: object, env: object = None) -> Ran:
        script = project / "scripts" / f"autoresearch_{name}.py"
        return run_program([sys.executable, str(script), *map(str, args)], project, "", dict(os.environ))

    there = Lab(lab.repo, run_script)
    with without([feature], project):
        there.init()
        assert there.trial(8)["status"] == "keep"
        assert there.trial(12)["status"] == "discard"
        assert there.recorded("refine", "--description", "think")["status"] == "refine"
        assert there.call("resume_check").json["decision"] == "full_resume"
    assert (lab.repo.read("src/value"), lab.repo.status()) == ("8\n", "")


def test_rows_and_outcomes_of_the_kernel_need_none_of_them(project: Path):
    """Its tests of rules and files are only imported: they reach a feature in no other way."""
    with without(UNNAMED, project):
        run_tests(project, "--collect-only", "tests/kernel/core", "tests/kernel/disk", "tests/kernel/system")
        run_tests(project, *(f"tests/kernel/run/test_{name}.py" for name in ("outcomes", "lock")))


def run_tests(place: Path, *names: str) -> None:
    """Run tests of the copy, which must pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *names]
    ran = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]
