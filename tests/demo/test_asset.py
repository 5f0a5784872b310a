"""The demo's bundled program: measured exactly, guarded by tests that notice, open to every edit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "assets" / "demo"
EDITS = sorted((DEMO / "edits").iterdir())
FOLDERS = {edit: set(re.findall(r"^\+\+\+ b/(\w+)", edit.read_text(), re.M)) for edit in EDITS}
IN_SCOPE = [edit for edit in EDITS if FOLDERS[edit] == {"concord"}]
NAMES = [edit.stem for edit in EDITS]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the program to play with."""
    return Path(shutil.copytree(DEMO / "project", tmp_path / "project"))


def python(folder: Path, *arguments: str, seed: str = "0") -> subprocess.CompletedProcess[str]:
    """Run Python in the program's folder, writing no compiled files, with one hash seed."""
    return subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )


def measure(folder: Path, seed: str = "0") -> int:
    """The number that the program's verify command prints."""
    run = python(folder, "measure.py", seed=seed)
    found = re.fullmatch(r"METRIC lines_run=(\d+)\n", run.stdout)
    assert found, run.stdout + run.stderr
    return int(found[1])


def guard(folder: Path) -> int:
    """The exit code of the program's own tests."""
    return python(folder, "-m", "unittest", "discover", "tests").returncode


def apply(folder: Path, edit: Path) -> None:
    """Make one of the scripted edits."""
    subprocess.run(["git", "apply", str(edit)], cwd=folder, check=True)


def test_metric_is_exact(project: Path) -> None:
    assert measure(project, seed="1") == measure(project, seed="2") > 500_000


def test_guard_passes_and_nothing_is_written(project: Path) -> None:
    before = sorted(project.rglob("*"))
    assert guard(project) == 0
    measure(project)
    assert sorted(project.rglob("*")) == before


def test_switching_the_counter_off_is_no_measurement(project: Path) -> None:
    with (project / "concord" / "report.py").open("a") as file:
        file.write("\n\nimport sys\n\nwhole = summary\n\n\ndef summary(paths):\n")
        file.write("    sys.settrace(None)\n    return whole(paths)\n")
    run = python(project, "measure.py")
    assert (run.returncode, run.stdout) == (1, "")
    assert "counter" in run.stderr


@pytest.mark.parametrize("edit", EDITS, ids=NAMES)
def test_edit_says_what_and_why_and_applies_alone(edit: Path, project: Path) -> None:
    title, blank, hypothesis = edit.read_text().splitlines()[:3]
    assert title and not blank and re.fullmatch(r"Hypothesis: .+\.", hypothesis)
    apply(project, edit)


@pytest.mark.parametrize("order", [1, -1], ids=["listed", "reversed"])
def test_edits_in_scope_apply_on_top_of_each_other(order: int, project: Path) -> None:
    assert len(IN_SCOPE) > 12
    for edit in IN_SCOPE[::order]:
        apply(project, edit)


def test_keeping_what_measures_better_divides_the_number_by_four(project: Path) -> None:
    first = retained = measure(project)
    for edit in IN_SCOPE:
        before = Path(shutil.copytree(project, project.with_name(edit.stem)))
        apply(project, edit)
        run = python(project, "measure.py")
        value = int(run.stdout.rpartition("=")[2]) if run.returncode == 0 else retained
        if value < retained and guard(project) == 0:
            retained = value
        else:
            project = before
    assert retained * 4 < first
