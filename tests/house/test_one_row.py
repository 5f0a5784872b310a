"""A status, a setting, a budget and a threshold are a row of a table each, a source of numbers and an agent a module
with a row of the wiring: a copy of the project with one more works whole."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SCRIPTS, Repo
from tests.unattended import until


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the scripts; one for all tests, for in a new folder each time everything would be compiled anew."""
    return Path(shutil.copytree(SCRIPTS, tmp_path_factory.mktemp("skill") / "scripts"))


@pytest.fixture
def scripts(copied: Path) -> Iterator[Path]:
    """The copy, which a test may change; afterwards it is what it was."""
    yield copied
    for path in (copied / "autoresearch").rglob("*.py"):
        original = SCRIPTS / path.relative_to(copied)
        if not original.exists():
            path.unlink()
        elif path.read_bytes() != original.read_bytes():
            shutil.copy2(original, path)


def change(scripts: Path, name: str, old: str, new: str) -> None:
    path = scripts / "autoresearch" / name
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def call(scripts: Path, name: str, repo: Repo, *flags: object, verb: str = "") -> subprocess.CompletedProcess[str]:
    script = scripts / f"autoresearch_{name}.py"
    command = [sys.executable, script, *([verb] if verb else []), "--repo", repo.path, *flags]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def start_flags(repo: Repo, *flags: object, verify: str = "cat value") -> tuple[object, ...]:
    repo.write("value", "10\n")
    repo.commit("value")
    return ("--goal", "less", "--scope", "value", "--metric-name", "value", "--verify", verify, *flags)


def start(scripts: Path, repo: Repo, *flags: object, verify: str = "cat value") -> None:
    ran = call(scripts, "init_run", repo, "--environment-summary", "x", *start_flags(repo, *flags, verify=verify))
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


def test_a_new_budget_ends_the_run_and_is_shown(scripts: Path, repo: Repo):
    row = '    max_epoch: int | None = budget("at", "seconds since 1970 at which it ends")\n    isolation: str'
    change(scripts, "kernel/core/settings.py", "    isolation: str", row)
    start(scripts, repo, "--max-epoch", 100)
    repo.write("value", "9\n")
    refused = call(scripts, "run_trial", repo, "--description", "try 9")
    assert refused.returncode == 1 and "the run is over (budget_exhausted: " in refused.stderr, refused.stderr
    assert " of 100 at are used" in refused.stderr
    repo.git("restore", "value")
    extended = call(scripts, "init_run", repo, "--extend", "--max-epoch", 2**40)
    assert extended.returncode == 0, extended.stderr
    assert json.loads(extended.stdout)["left"]["at"] > 0
    assert "- at most: 110" in call(scripts, "resume_prompt", repo).stdout
    assert call(scripts, "report", repo).returncode == 0


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


SPELT = '''"""Numbers that a check prints in words."""

from __future__ import annotations

from decimal import Decimal

from ..kernel.run.measure import VerifyRun

WORDS = {"ten": 10, "nine": 9}


def around(bench, start, rest):
    """Run verify, and read its last word."""
    done, cleaned = start(bench.config.verify)
    return VerifyRun(done, cleaned, Decimal(WORDS[done.stdout.decode().split()[-1]]), "", {}, {"kind": "word"})
'''


def test_a_new_source_of_numbers_is_a_folder_and_a_row(scripts: Path, repo: Repo):
    folder = scripts / "autoresearch" / "spelt"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Numbers in words."""\n\nUSES = ("kernel",)\n')
    (folder / "words.py").write_text(SPELT)
    row = '        "spelt.words": ("around",),\n'
    change(scripts, "wiring.py", '        "gauges.gauge"', row + '        "gauges.gauge"')
    start(
        scripts, repo, "--prepare", "echo ten > .word; test $(cat value) = 10 || echo nine > .word", verify="cat .word"
    )
    repo.write("value", "9\n")
    ran = call(scripts, "run_trial", repo, "--description", "try 9")
    assert (json.loads(ran.stdout)["status"], json.loads(ran.stdout)["metric"]) == ("keep", 9), ran.stderr


AGENT = '''"""Another program as an agent, called with a flag of its own."""

from __future__ import annotations

from ..background.agent import Call
from ..background.plain_agent import confined, context, ending, find, read, telling, tokens

NAME = "other"
__all__ = ["NAME", "argv", "confined", "context", "ending", "find", "read", "telling", "tokens"]


def argv(call: Call) -> tuple[str, ...]:
    """The program with its flag."""
    return (find(call.program), "--unattended")
'''
WORKER = """#!/bin/sh
test "$1" = --unattended && cat > /dev/null
echo 9 > value
{python} {script} --repo . --description "try 9" > /dev/null
echo '{{"done": true}}'
"""


def test_a_second_agent_is_a_module_and_a_row(scripts: Path, repo: Repo, tmp_path: Path):
    folder = scripts / "autoresearch" / "other"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Another agent."""\n\nUSES = ("background",)\n')
    (folder / "other_agent.py").write_text(AGENT)
    row = '        "other.other_agent": ("agent",),\n'
    change(scripts, "wiring.py", '        "background.plain_agent"', row + '        "background.plain_agent"')
    program = tmp_path / "worker"
    program.write_text(WORKER.format(python=sys.executable, script=scripts / "autoresearch_run_trial.py"))
    program.chmod(0o755)
    wanted = start_flags(repo, "--iterations", 1, "--agent", "other", "--agent-bin", program)
    launched = call(scripts, "runtime_ctl", repo, *wanted, verb="launch")
    assert launched.returncode == 0, launched.stderr
    assert until(lambda: json.loads(call(scripts, "runtime_ctl", repo, verb="status").stdout)["status"] != "running")
    state = json.loads((repo.path / "autoresearch-state.json").read_text())["state"]
    assert (state["iteration"], state["keeps"], repo.read("value")) == (1, 1, "9\n")
