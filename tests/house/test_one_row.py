"""A status, a budget and a threshold are one row of a table each: a copy of the project with one more works whole."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS, Repo


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Return a copy of the scripts that a test may change."""
    return Path(shutil.copytree(SCRIPTS, tmp_path / "skill" / "scripts"))


def change(scripts: Path, name: str, old: str, new: str) -> None:
    path = scripts / "autoresearch" / name
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def call(scripts: Path, name: str, repo: Repo, *flags: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, scripts / f"autoresearch_{name}.py", "--repo", repo.path, *flags]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def start(scripts: Path, repo: Repo, *flags: object) -> None:
    repo.write("value", "10\n")
    repo.commit("value")
    wanted = ("--goal", "less", "--scope", "value", "--metric-name", "value", "--verify", "cat value", *flags)
    ran = call(scripts, "init_run", repo, "--environment-summary", "x", *wanted)
    assert ran.returncode == 0, ran.stderr


def test_a_new_status_is_recorded_folded_and_shown(scripts: Path, repo: Repo):
    row = '    Status("audit", ("tick", "step", "audited")),\n'
    change(scripts, "kernel/core/statuses.py", '    Status("search"', row + '    Status("search"')
    start(scripts, repo)
    ran = call(scripts, "record_iteration", repo, "--status", "audit", "--description", "looked through")
    assert ran.returncode == 0, ran.stderr
    for name, flags in {"report": (), "watch": ("--once",), "resume_check": (), "supervisor_status": ()}.items():
        ran = call(scripts, name, repo, *flags)
        assert ran.returncode == 0, ran.stderr
    assert "audited" in (repo.path / "autoresearch-evidence" / "report.html").read_text()


def test_a_new_setting_travels_from_the_flag_to_the_log_and_back(scripts: Path, repo: Repo):
    row = '    patience: int | None = setting(None, "how long to wait", metavar="N", above="0")\n    isolation: str'
    change(scripts, "kernel/core/settings.py", "    isolation: str", row)
    start(scripts, repo, "--patience", 7)
    assert json.loads((repo.path / "autoresearch-state.json").read_text())["config"]["patience"] == 7
    assert call(scripts, "report", repo).returncode == 0
    assert "--patience 7" in (repo.path / "autoresearch-evidence" / "report.html").read_text()
    refused = call(scripts, "init_run", repo, "--dry-run", "--verify", "cat value", "--patience", 0)
    assert (refused.returncode, "patience is 0, expected more than 0" in refused.stderr) == (1, True)


def test_a_threshold_of_the_ladder_stands_in_one_place(scripts: Path, repo: Repo):
    change(
        scripts,
        "kernel/core/choices.py",
        "SEARCH_AFTER, HAND_OVER_AT = 3, 5, 2, 3",
        "SEARCH_AFTER, HAND_OVER_AT = 2, 5, 2, 3",
    )
    start(scripts, repo)
    for value in (11, 12):
        repo.write("value", f"{value}\n")
        ran = call(scripts, "run_trial", repo, "--description", f"try {value}")
        assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["next"]["action"] == "refine"
