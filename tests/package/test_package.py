"""The two forms of the package: as Codex itself installs and removes them."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Callable

from tests.conftest import Ran, Repo, require

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
