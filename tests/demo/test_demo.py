"""The demo as a user runs it: every kind of outcome, on machines of every kind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, SCRIPTS, Ran, Repo

HOSTILE = """[user]
\tuseConfigOnly = true
[init]
\ttemplateDir = {template}
\tdefaultObjectFormat = sha1
[core]
\tautocrlf = true
\thooksPath = {template}/hooks
[commit]
\tgpgSign = true
[apply]
\twhitespace = error
"""


@pytest.fixture
def read_only_skill(tmp_path: Path) -> Iterator[Path]:
    """A copy of what the demo needs of the skill, in folders and files that nobody may write to."""
    skill = tmp_path / "skill"
    for name in ("scripts", "assets"):
        shutil.copytree(ROOT / name, skill / name, ignore=shutil.ignore_patterns("__pycache__"))
    _chmod(skill, ~0o222)
    yield skill
    _chmod(skill, -1, 0o200)


def _chmod(top: Path, kept: int, added: int = 0) -> None:
    for path in [*top.rglob("*"), top]:
        path.chmod(path.stat().st_mode & kept | added)


def statuses(result: dict[str, str]) -> list[str]:
    """The status of each row of the log."""
    lines = Path(result["results_path"]).read_text(encoding="utf-8").split("\n")
    return [line.split("\t")[5] for line in lines if line[:1].isdigit()]


def tried(text: str) -> list[tuple[str, str]]:
    """Number and description of each experiment that the demo's table tells; its figures depend on the Python."""
    lines = re.findall(r"^ {0,3}(\d+)  \S+ +\S+ +\S+  ([^(…\n]+)", text, re.MULTILINE)
    return [(number, what.strip()) for number, what in lines if number != "0"]


@pytest.mark.timeout(600)
def test_every_kind_of_outcome_is_told_as_it_happens(run_script, tmp_path: Path) -> None:
    ran: Ran = run_script("demo", "--keep", tmp_path / "kept", timeout=500)
    result = ran.json
    assert ran.code == 0
    assert result["retained_metric"] * 4 < result["baseline_metric"]
    assert result["clean"] is True and Repo(Path(result["repo"])).status() == ""
    assert (result["ended"], result["sessions"]) == ("budget_exhausted", 3)
    assert Path(result["report_path"]).stat().st_size > 10_000
    found = statuses(result)
    assert {"baseline", "keep", "discard", "crash"} == set(found)
    assert len(found) == result["iterations"] + 1 > 12
    told = [line.split()[:2] for line in ran.err.splitlines()]
    assert [status for number, status in told if number.isdigit()] == found
    for reason in ("measure.py: part of the evaluator", "README.md: outside the scope"):
        assert reason in ran.err
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]
    assert tried(readme) == tried(ran.err), "README shows another demo"
    assert "\tfail\tdiscard\t" in Path(result["results_path"]).read_text(encoding="utf-8")
    trial = json.loads((Path(result["evidence_path"]) / "0001" / "trial.json").read_text())
    assert trial["status"] == found[1]


@pytest.mark.timeout(600)
def test_it_needs_nothing_of_the_machine_and_leaves_the_skill_alone(read_only_skill: Path, tmp_path: Path) -> None:
    hook = tmp_path / "template" / "hooks" / "pre-commit"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(HOSTILE.format(template=hook.parent.parent))
    (tmp_path / "empty").mkdir()
    environment = {
        "HOME": str(tmp_path / "empty"),
        "PATH": os.environ["PATH"],
        "TMPDIR": os.environ["TMPDIR"],
        "LC_ALL": "en_US.ISO-8859-1",
        "PYTHONIOENCODING": "latin-1",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_DIR": "/nowhere",
    }
    before = sorted(read_only_skill.rglob("*"))
    command = [sys.executable, str(read_only_skill / "scripts" / "autoresearch_demo.py"), "--format", "text"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"kept of 15 trials" in ran.stdout
    assert sorted(read_only_skill.rglob("*")) == before
    made = next((Path(environment["TMPDIR"])).glob("autoresearch-demo-*")) / "concord"
    assert all(path.stat().st_mode & 0o200 for path in made.rglob("*.py"))
    assert not (made / ".git" / "hooks").exists()


def test_a_folder_with_something_in_it_is_refused(run_script, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep me")
    ran: Ran = run_script("demo", "--keep", tmp_path)
    assert (ran.code, ran.out) == (1, "")
    assert "is not empty" in ran.err


def test_an_interrupt_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPTS / "autoresearch_demo.py"), "--keep", str(tmp_path / "kept")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, start_new_session=True) as child:
        assert child.stderr
        assert any(b" keep " in line for line in child.stderr)
        child.send_signal(signal.SIGTERM)
        _, err = child.communicate()
    assert child.returncode == 130
    assert b"Traceback" not in err
    assert _eventually_alone(tmp_path)


def _eventually_alone(folder: Path) -> bool:
    """Whether no process has the folder in its command line any more."""
    for _ in range(6000):
        listed = subprocess.run(["ps", "-axww", "-o", "args="], capture_output=True, text=True, check=True).stdout
        if str(folder) not in listed:
            return True
        time.sleep(0.05)
    return False
