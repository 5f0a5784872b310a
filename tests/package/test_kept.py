"""A run keeps the scripts that it began with: its skill is updated, broken or removed in mid-run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.background.conftest import STAND_IN
from tests.conftest import Ran, Repo, require
from tests.unattended import until

NAME = "codex-autoresearch"
WISH = ("--goal", "g", "--scope", "value", "--metric-name", "value", "--verify", "cat value")


def run(script: str, *flags: object, cwd: Path, code: int = 0) -> Any:
    """The answer of a script by its path."""
    command = [sys.executable, script, *map(str, flags)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def script(root: Path, name: str) -> str:
    """The path of a script of the skill at `root`."""
    return str(root / "scripts" / f"autoresearch_{name}.py")


@pytest.fixture
def project(repo: Repo) -> Repo:
    """A project with a number in the file `value`."""
    repo.write("value", "10\n")
    repo.commit("value")
    return repo


@pytest.fixture
def installed(project: Repo, run_script: Callable[..., Ran]) -> Path:
    """The skill in the project's own folder of skills, as INSTALL.md has it."""
    out = project.path / ".agents" / "skills" / NAME
    assert run_script("package", "skill", out).code == 0
    (project.path / ".git" / "info" / "exclude").write_text(f"/.agents/skills/{NAME}/\n")
    return out


def named(answer: Any) -> str:
    """The script of the run's own copy that the answer of a start names."""
    found = re.search(r"then (\S+/autoresearch_run_trial\.py)", answer["message"])
    assert found, answer["message"]
    return found[1]


def broken(root: Path) -> None:
    """An update that does not fit: each script of the skill says so."""
    for path in (root / "scripts" / "autoresearch").rglob("*_command.py"):
        path.write_text('raise SystemExit("the new one")\n')


def test_a_foreground_run_goes_on_with_the_scripts_that_it_began_with(project: Repo, installed: Path):
    kept = named(run(script(installed, "init_run"), *WISH, cwd=project.path))
    assert Path(kept).is_relative_to(Path.home() / ".cache" / "codex-autoresearch" / "skills")
    flow = installed / "scripts" / "autoresearch" / "kernel" / "run" / "trial.py"
    flow.write_text('raise SystemExit("the new one")\n')
    project.write("value", "9\n")
    first = run(script(installed, "run_trial"), "--description", "by the old path", cwd=project.path)
    assert (first["status"], kept.rpartition("/")[0] in first["next"]["unsure"]) == ("keep", True)
    shutil.rmtree(installed)
    project.write("value", "8\n")
    assert run(kept, "--description", "by the copy", cwd=project.path)["status"] == "keep"
    assert project.status() == ""


def test_a_new_run_begins_with_the_new_scripts(project: Repo, installed: Path):
    first = named(run(script(installed, "init_run"), *WISH, cwd=project.path))
    with (installed / "SKILL.md").open("a") as file:
        file.write("\nA newer version.\n")
    second = named(run(script(installed, "init_run"), *WISH, "--force", cwd=project.path))
    assert first != second and Path(second).parents[1].joinpath("SKILL.md").read_text().endswith("A newer version.\n")


def test_a_repository_cannot_say_what_is_run(project: Repo, installed: Path, tmp_path: Path):
    run(script(installed, "init_run"), *WISH, cwd=project.path)
    evil = tmp_path / "evil" / "scripts"
    evil.mkdir(parents=True)
    (evil / "autoresearch_run_trial.py").write_text("open('/dev/null'); raise SystemExit('evil')\n")
    note = project.path / "autoresearch-evidence" / "skill.json"
    for told in (str(evil.parent), "../../../../evil", "", 7):
        note.write_text(json.dumps({"copy": told}))
        project.write("value", f"{9 - len(str(told)) % 7}.{len(str(told))}\n")
        assert "iteration" in run(script(installed, "run_trial"), "--description", f"{told!r}"[:20], cwd=project.path)


def test_without_a_cache_the_skill_works_where_it_is(project: Repo, installed: Path):
    (Path.home() / ".cache").write_text("no folder")
    answer = run(script(installed, "init_run"), *WISH, cwd=project.path)
    assert "then autoresearch_run_trial.py" in answer["message"]
    project.write("value", "9\n")
    assert run(script(installed, "run_trial"), "--description", "x", cwd=project.path)["status"] == "keep"


@pytest.mark.codex
def test_a_foreground_run_outlives_the_update_of_its_plugin(
    run_script: Callable[..., Ran], tmp_path: Path, project: Repo, sealed: Path
):
    codex = require("codex")
    (sealed / ".codex").mkdir()

    def cli(*words: object) -> None:
        done = subprocess.run([codex, "plugin", *map(str, words)], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr

    def place() -> Path:
        (found,) = (sealed / ".codex" / "plugins" / "cache").rglob("SKILL.md")
        return found.parent

    out = tmp_path / "out"
    run_script("package", "plugin", out)
    cli("marketplace", "add", out)
    cli("add", f"{NAME}@autoresearch")
    old = place()
    kept = named(run(script(old, "init_run"), *WISH, cwd=project.path))
    scouted = run(script(old, "scout"), "--goal", "fewer", "--format", "json", cwd=project.path)
    assert str(old) not in json.dumps(scouted["proposals"]), "a check by the plugin's path would go with it"
    manifest = out / ".codex-plugin" / "plugin.json"
    manifest.write_text(manifest.read_text().replace('"version": "', '"version": "99.'))
    broken(out / "skills" / NAME)
    cli("remove", f"{NAME}@autoresearch")
    cli("add", f"{NAME}@autoresearch")
    assert not old.exists() and place().exists()
    project.write("value", "9\n")
    answer = run(kept, "--description", "after the update", cwd=project.path)
    assert answer["status"] == "keep"
    prompt = answer["next"]["unsure"]
    assert subprocess.run(prompt, shell=True, cwd=project.path, capture_output=True, timeout=60).returncode == 0


def test_a_background_run_outlives_its_skill(
    run_script: Callable[..., Ran], tmp_path: Path, project: Repo, monkeypatch: pytest.MonkeyPatch
):
    out, home = tmp_path / "out", tmp_path / "stand-in"
    run_script("package", "plugin", out)
    home.mkdir()
    monkeypatch.setenv("STAND_IN", str(home))
    kept = "~/.cache/codex-autoresearch/skills/*/scripts/autoresearch_run_trial.py"
    work = [f"until [ ! -e {out} ]; do sleep 0.1; done", "echo 9 > value", f"python3 {kept} --description step"]
    (home / "plan.json").write_text(json.dumps([work]))
    launch = script(out / "skills" / NAME, "runtime_ctl")
    flags = ("launch", *WISH, "--iterations", 1, "--codex-bin", STAND_IN)
    assert run(launch, *flags, cwd=project.path)["status"] == "running"
    shutil.rmtree(out)
    record = project.path / "autoresearch-runtime.json"
    assert until(lambda: json.loads(record.read_text())["status"] == "terminal")
    assert json.loads(record.read_text())["terminal_reason"] == "iteration_cap_reached"
    assert project.status() == ""
