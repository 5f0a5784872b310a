"""The two forms of the package: as Codex itself installs and removes them, and a run that outlives its plugin."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Callable

from tests.background.conftest import STAND_IN
from tests.conftest import Ran, Repo, require
from tests.unattended import until

NAME = "codex-autoresearch"


def script(root: Path, name: str, *flags: object, cwd: Path) -> Any:
    """The answer of a script of the package at `root`."""
    command = [sys.executable, str(root / "scripts" / f"autoresearch_{name}.py"), *map(str, flags)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_the_plain_bundle_works_and_has_no_tests(run_script: Callable[..., Ran], tmp_path: Path, repo: Repo):
    out = tmp_path / "out"
    assert run_script("package", "skill", out).json["path"] == str(out)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["SKILL.md", "LICENSE", "agents", "references", "scripts", "assets"]
    )
    assert not list(out.rglob("__pycache__"))
    assert script(out, "resume_check", cwd=repo.path)["decision"] == "fresh_start"
    again = run_script("package", "skill", out)
    assert again.code == 1 and "exists, expected a new name" in again.err


def test_codex_installs_lists_and_removes_the_plugin(
    run_script: Callable[..., Ran], tmp_path: Path, repo: Repo, sealed: Path
):
    codex = require("codex")

    def cli(*words: object) -> str:
        done = subprocess.run([codex, *map(str, words)], capture_output=True, text=True, cwd=repo.path, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (sealed / ".codex").mkdir()
    out = tmp_path / "out"
    answer = run_script("package", "plugin", out).json
    with zipfile.ZipFile(answer["zip"]) as archive:
        assert {".codex-plugin/plugin.json", f"skills/{NAME}/SKILL.md"} <= set(archive.namelist())
    cli("plugin", "marketplace", "add", out)
    cli("plugin", "add", f"{NAME}@autoresearch")
    assert f"{NAME}:{NAME}: " in cli("debug", "prompt-input", "go")
    (place,) = (sealed / ".codex" / "plugins").rglob("SKILL.md")
    hooks = json.loads((place.parents[2] / "hooks" / "hooks.json").read_text())["hooks"]
    assert sorted(hooks) == ["Interrupt", "SessionStart", "Stop"]
    found = script(place.parent, "doctor", "--format", "json", cwd=repo.path)["findings"]
    assert [item["severity"] for item in found if item["area"] == "skill"] == ["ok"]
    cli("plugin", "remove", f"{NAME}@autoresearch")
    assert f"{NAME}:{NAME}: " not in cli("debug", "prompt-input", "go")


def test_a_hook_of_the_plugin_answers_and_is_silent_without_it(run_script: Callable[..., Ran], tmp_path: Path):
    out = tmp_path / "out"
    run_script("package", "plugin", out)
    (hook,) = json.loads((out / "hooks" / "hooks.json").read_text())["hooks"]["Stop"][0]["hooks"]
    call = json.dumps({"cwd": str(tmp_path), "session_id": "x"})
    for root in (out, tmp_path / "gone"):
        line = ["sh", "-c", hook["command"]]
        env = {"PLUGIN_ROOT": str(root), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(line, input=call, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (0, "")


def test_a_background_run_outlives_its_plugin(
    run_script: Callable[..., Ran], tmp_path: Path, repo: Repo, monkeypatch: Any
):
    out, home = tmp_path / "out", tmp_path / "stand-in"
    run_script("package", "plugin", out)
    home.mkdir()
    repo.write("value", "10\n")
    repo.commit("value")
    monkeypatch.setenv("STAND_IN", str(home))
    kept = "autoresearch-evidence/skill/scripts/autoresearch_run_trial.py"
    work = [f"until [ ! -e {out} ]; do sleep 0.1; done", "echo 9 > value", f"python3 {kept} --description step"]
    (home / "plan.json").write_text(json.dumps([work]))
    root = out / "skills" / NAME
    flags = ("launch", "--goal", "g", "--scope", "value", "--verify", "cat value", "--iterations", 1)
    assert script(root, "runtime_ctl", *flags, "--codex-bin", STAND_IN, cwd=repo.path)["status"] == "running"
    shutil.rmtree(out)
    record = repo.path / "autoresearch-runtime.json"
    assert until(lambda: json.loads(record.read_text())["status"] == "terminal")
    assert json.loads(record.read_text())["terminal_reason"] == "iteration_cap_reached"
    assert repo.status() == ""
