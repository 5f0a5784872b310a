"""A feature that no other one names can be deleted: the kernel's tests pass without it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.source import modules, uses

PARTS = (
    "scripts",
    "tests/kernel",
    "tests/__init__.py",
    "tests/conftest.py",
    "tests/lab.py",
    "tests/unattended.py",
    "pyproject.toml",
)
UNNAMED = sorted(set(uses()) - {name for named in uses().values() for name in named})
# One kept experiment on the real scripts; more of the kernel's tests run once below, without all of them.
KEPT = "tests/kernel/run/test_outcomes.py::test_a_gain_is_kept"


def without(features: Iterable[str], place: Path) -> Path:
    """A copy of the project with these features and their entry scripts gone."""
    for part in PARTS:
        source, target = ROOT / part, place / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    for feature in features:
        for module in modules():
            if module.room == feature and module.parts[-1].endswith("_command.py"):
                name = module.parts[-1].replace("_command.py", "")
                (place / "scripts" / f"autoresearch_{name}.py").unlink()
        shutil.rmtree(place / "scripts" / "autoresearch" / feature)
    return place


def run_tests(place: Path, *names: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *names]
    ran = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]


def test_there_are_features_to_delete():
    assert {"report", "doctor", "demo", "modes", "salvage", "scout"} <= set(UNNAMED)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("feature", UNNAMED)
def test_an_experiment_needs_no_feature_that_no_other_names(feature: str, tmp_path: Path):
    run_tests(without([feature], tmp_path / "project"), KEPT)


@pytest.mark.timeout(900)
def test_rules_files_rows_and_outcomes_of_the_kernel_need_none_of_them(tmp_path: Path):
    run = [f"tests/kernel/run/test_{name}.py" for name in ("outcomes", "lock")]
    run_tests(without(UNNAMED, tmp_path / "project"), "tests/kernel/core", "tests/kernel/disk", *run)
