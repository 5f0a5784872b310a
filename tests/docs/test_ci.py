"""The pipelines of docs/ci.md: their own lines are run here, in the order and under the conditions of their services.

The services themselves are not here: a checkout, an artifact and the other end of a push are folders, `npm` and `gh`
are stand-ins, and so is the Codex that `npm` installs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import HANG, ROOT, Repo
from tests.unattended import TRIAL

# What the pipeline installs under the name codex is a plain agent here.
PLAIN = {"AUTORESEARCH_AGENT": "plain", "AUTORESEARCH_AGENT_BIN": "stand-in"}
STAND_IN = ROOT / "tests" / "background" / "stand_in.py"
COUNT = "import pathlib\nprint(sum('warn' in line for line in pathlib.Path('src/app.py').open()))\n"
TESTS = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertTrue(True)\n"
KEY = "sk-very-secret-4711"


def pipeline(title: str) -> Any:
    """The pipeline that the page shows for one service."""
    _, found, text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found, f"docs/ci.md has no section {title!r}"
    return yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])


def plain(variables: Mapping[str, object]) -> dict[str, str]:
    """The values of a map of variables, without those that the service fills in."""
    return {name: str(value) for name, value in variables.items() if "${{" not in str(value)}


@dataclass
class Service:
    """A machine of a service: what is on PATH, and the two ends of a push."""

    home: Path
    origin: Repo
    env: dict[str, str] = field(default_factory=dict)

    def checkout(self, name: str) -> Repo:
        """A fresh, shallow checkout of a commit, as services make it."""
        made = Repo(self.home / name)
        self.origin.git("clone", "--quiet", "--depth", "1", f"file://{self.origin.path}", str(made.path))
        made.git("checkout", "--quiet", "--detach")
        return made

    def sh(self, where: Repo, script: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run lines as a job does."""
        merged = {**os.environ, **self.env, **env}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=where.path, env=merged, capture_output=True, text=True, timeout=HANG)

    def plan(self, *values: Sequence[int]) -> None:
        """How many warnings each edit of each session leaves."""
        sessions = [[part for n in one for part in (f"yes warn | head -n {n} > src/app.py", TRIAL)] for one in values]
        (self.home / "plan.json").write_text(json.dumps(sessions))

    def pushed(self) -> str:
        """The branch that came to the origin, "" without one."""
        return self.origin.git("for-each-ref", "--format=%(refname:short)", "refs/heads/autoresearch/")


@pytest.fixture
def service(tmp_path: Path, repo: Repo) -> Service:
    """Return a machine, with a project that has four warnings as the origin."""
    repo.write("src/app.py", "warn\n" * 4)
    repo.write("tools/count_warnings.py", COUNT)
    repo.write("test_app.py", TESTS)
    repo.write(".gitignore", "__pycache__/\n")
    repo.commit("project")
    home = tmp_path / "machine"
    programs = {"npm": f"ln -sf {STAND_IN} {home}/bin/stand-in", "gh": "echo opened"}
    for name, line in programs.items():
        path = home / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> {home}/calls\n{line}\n')
        path.chmod(0o755)
    software = Repo(home / "software")
    for part in ("scripts", "references", "assets"):
        shutil.copytree(ROOT / part, software.path / part, ignore=shutil.ignore_patterns("__pycache__"))
    software.git("init", "--quiet")
    software.commit("software")
    programs_first = f"{home}/bin{os.pathsep}{os.environ['PATH']}"
    url = f"file://{software.path}"
    return Service(
        home, repo, {"PATH": programs_first, **PLAIN, "STAND_IN": str(home), "REPO": url, "AUTORESEARCH_REPO": url}
    )


def artifact(source: Repo, target: Repo) -> None:
    """What a job leaves for the next one."""
    shutil.copy(source.path / "research-results.tsv", target.path)
    shutil.copytree(source.path / "autoresearch-evidence", target.path / "autoresearch-evidence")


def told(out: str) -> list[object]:
    """The status of each JSON line."""
    return [json.loads(line)["status"] for line in out.splitlines() if line.startswith('{"')]


def on_github(service: Service) -> tuple[str, subprocess.CompletedProcess[str]]:
    """Run the workflow; the step output `code`, and how the experiments went."""
    jobs, files = pipeline("GitHub Actions")["jobs"], service.home / "files"
    files.mkdir()
    tree = service.checkout("work")
    env = {"GITHUB_RUN_ID": "7", "GITHUB_SHA": tree.git("rev-parse", "HEAD"), "RUNNER_TEMP": str(files)}
    env |= {"GITHUB_OUTPUT": str(files / "output"), "GITHUB_STEP_SUMMARY": str(files / "summary")}
    ran, code = {}, ""
    for step in jobs["research"]["steps"]:
        name = step.get("name")
        if not name or (name == "Branch" and code != "0"):
            continue
        own = {**plain(step["env"]), "CODEX_API_KEY": KEY} if name == "Experiments" else {}
        ran[name] = service.sh(tree, step["run"], {**env, **own})
        if name == "Experiments":
            code = (files / "output").read_text().partition("code=")[2].strip()
        else:
            assert ran[name].returncode == 0, ran[name].stderr
    if code == "0":
        other = service.checkout("second")
        artifact(tree, other)
        (step,) = (step for step in jobs["request"]["steps"] if "name" in step)
        done = service.sh(other, step["run"], env)
        assert done.returncode == 0, done.stderr
    assert tree.status() == "" and (files / "summary").read_text()
    return code, ran["Experiments"]


def test_github_makes_a_pull_request_of_an_improvement(service: Service):
    service.plan([3, 5, 1])
    code, ran = on_github(service)
    assert (code, ran.returncode, told(ran.stdout)) == ("0", 0, ["keep", "discard", "keep", "completed"])
    assert service.pushed() == "autoresearch/7"
    assert service.origin.git("show", "autoresearch/7:src/app.py") == "warn"
    calls = (service.home / "calls").read_text()
    assert "npm install --global @openai/codex@" in calls and "gh pr create --head autoresearch/7" in calls


def test_github_takes_no_improvement_for_no_failure(service: Service):
    service.plan([5, 6, 7])
    code, ran = on_github(service)
    assert (code, ran.returncode, service.pushed()) == ("1", 0, "")


def test_github_fails_on_a_hard_blocker(service: Service):
    service.plan([])
    code, ran = on_github(service)
    assert (code, ran.returncode, service.pushed()) == ("2", 1, "")
    assert json.loads(ran.stderr)["error"].startswith("stagnated: ")


def on_gitlab(service: Service) -> subprocess.CompletedProcess[str]:
    """Run the pipeline; how the first job went."""
    jobs = pipeline("GitLab")
    first, second = jobs["research"], jobs["request"]
    assert first["allow_failure"] == {"exit_codes": 1}
    tree = service.checkout("work")
    (tree.path / ".npm").mkdir()
    (tree.path / ".npm" / "cached").write_text("x")  # the cache of the pipeline before
    env = {"CI_PROJECT_DIR": str(tree.path), "CI_COMMIT_SHA": tree.git("rev-parse", "HEAD"), "CI_PIPELINE_ID": "7"}
    env |= {"CODEX_API_KEY": KEY, **plain(first["variables"])}
    ran = service.sh(tree, lines(first["before_script"] + first["script"]), env)
    after = service.sh(tree, lines(first["after_script"]), env)
    assert after.returncode == 0, after.stderr
    other = service.checkout("second")
    artifact(tree, other)
    address = "https://oauth2:t0ken@gitlab.example/group/project.git"
    other.git("config", f"url.file://{service.origin.path}.insteadOf", address)
    service.origin.git("config", "receive.advertisePushOptions", "true")
    env |= {"PUSH_TOKEN": "t0ken", "CI_SERVER_HOST": "gitlab.example", "CI_PROJECT_PATH": "group/project"}
    if ran.returncode in (0, 1):
        done = service.sh(other, lines(second["script"]), env)
        assert done.returncode == 0, done.stderr
    assert tree.status() == ""
    return ran


def lines(commands: Sequence[str]) -> str:
    """The commands of a list, as a job runs them."""
    return "\n".join(commands)


def test_gitlab_pushes_an_improvement(service: Service):
    service.plan([3, 5, 1])
    ran = on_gitlab(service)
    assert (ran.returncode, told(ran.stdout)) == (0, ["keep", "discard", "keep", "completed"]), ran.stderr
    assert service.pushed() == "autoresearch/7"
    assert service.origin.git("show", "autoresearch/7:src/app.py") == "warn"


def test_gitlab_pushes_nothing_else(service: Service):
    service.plan([5, 6, 7])
    ran = on_gitlab(service)
    assert (ran.returncode, service.pushed()) == (1, "")
