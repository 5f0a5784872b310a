#!/usr/bin/env python3
"""The demo's scripted agent: it stands where the Codex CLI stands and understands `exec --json … -` enough.

Called as `agent.py NOTES exec --json -C REPO -o LAST …`, it makes one prepared edit after the other, runs a
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
USAGE = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")


def main(arguments: list[str]) -> int:
    """Run one session; exit code 0, as of a session that ended by itself."""
    if "--version" in arguments:
        print("codex-cli 0.0.0 (the demo's scripted agent)")
        return 0
    sys.stdin.buffer.read()  # the prompt; the agent has its list
    folder = Path(_option(arguments, "-C") or os.getcwd())
    emit("thread.started", thread_id=f"scripted-{os.getpid()}")
    emit("turn.started")
    said = _session(folder, Path(arguments[0]))
    emit("item.completed", item={"id": "item_0", "type": "agent_message", "text": said})
    emit("turn.completed", usage=dict.fromkeys(USAGE, 0))
    last = _option(arguments, "-o") or _option(arguments, "--output-last-message")
    if last:
        Path(last).write_text(said + "\n", encoding="utf-8")
    return 0


def _option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1] if name in arguments[:-1] else ""


def emit(kind: str, **fields: object) -> None:
    """One event of the stream."""
    print(json.dumps({"type": kind, **fields}), flush=True)


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
    """Run one of the tool's commands and return its answer, {} when it refused; shown as a shell call would be."""
    command = [sys.executable, "-B", str(SCRIPTS / f"autoresearch_{name}.py"), *arguments]
    item = {"id": "item_1", "type": "command_execution", "command": f"autoresearch_{name}.py", "status": "in_progress"}
    emit("item.started", item=item)
    ran = subprocess.run(command, cwd=repo, capture_output=True, check=False)
    text = (ran.stdout or ran.stderr).decode("utf-8", "replace")
    status = "failed" if ran.returncode else "completed"
    emit("item.completed", item={**item, "status": status, "exit_code": ran.returncode, "aggregated_output": text})
    return {} if ran.returncode else dict(json.loads(text))


def _git(repo: Path, *arguments: str) -> bool:
    """Run git in `repo`, whatever repository the environment may name; whether it succeeded."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", *arguments], cwd=repo, env=env, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
