#!/usr/bin/env python3
"""The demo's scripted agent, a plain one: the prompt on stdin, one JSON object a line on stdout.

Called as `agent.py NOTES` in the repository, it makes one prepared edit after the other, runs a
trial on each, and does what the answer says comes next. It never decides what becomes of an edit, and between
sessions it knows only what the file NOTES holds: which edits were made, one name a line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parents[1] / "scripts"
TRIALS = 7  # in one session; then it ends, as a session whose context is full does


def main(arguments: list[str]) -> int:
    """Run one session; exit code 0, as of a session that ended by itself."""
    sys.stdin.buffer.read()  # the prompt; the agent has its list
    said = _session(Path.cwd(), Path(arguments[0]))
    tell(message=said, done=True)
    return 0


def tell(**said: object) -> None:
    """One line for the controller."""
    print(json.dumps(said), flush=True)


def _session(repo: Path, notes: Path) -> str:
    """Make edits until the session is full, the list is empty, or the answer says that it is over."""
    done = notes.read_text(encoding="utf-8").split("\n") if notes.exists() else []
    left = [edit for edit in sorted((HERE / "edits").glob("*.patch")) if edit.stem not in done]
    trials = 0
    for edit in left:
        if trials == TRIALS:
            return f"{trials} trials; what was learned is in the log"
        with notes.open("a", encoding="utf-8") as file:
            file.write(edit.stem + "\n")
        if _git(repo, "apply", str(edit)):
            trials += 1
            action = _try(repo, edit)
            if action in ("stop", "needs_human"):
                return f"told to end: {action}"
    return "no idea is left"


def _try(repo: Path, edit: Path) -> str:
    """One trial; returns the next action of its answer. A refused edit is taken back by the agent itself."""
    title, _, hypothesis = edit.read_text(encoding="utf-8").splitlines()[:3]
    about = ["--description", title, "--hypothesis", hypothesis.partition(": ")[2]]
    answer = _script(repo, "run_trial", *about)
    if not answer:
        _git(repo, "apply", "--reverse", str(edit))
        return "continue"
    action = str(answer["next"]["action"])
    if action in ("refine", "pivot"):
        _script(repo, "record_iteration", "--status", action, "--description", f"{action}: take the next idea")
    return action


def _script(repo: Path, name: str, *arguments: str) -> dict[str, dict[str, str]]:
    """Run one of the tool's commands and return its answer, {} when it refused."""
    command = [sys.executable, "-B", str(SCRIPTS / f"autoresearch_{name}.py"), *arguments]
    tell(running=f"autoresearch_{name}.py")
    ran = subprocess.run(command, cwd=repo, capture_output=True, check=False)
    tell(running="")
    return {} if ran.returncode else dict(json.loads(ran.stdout))


def _git(repo: Path, *arguments: str) -> bool:
    """Run git in `repo`, whatever repository the environment may name; whether it succeeded."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", *arguments], cwd=repo, env=env, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
