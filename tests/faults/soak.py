"""A run under the controller with faults all along: `python3 -m tests.faults.soak FOLDER ITERATIONS [SEED]`.

The agent makes edits, better and worse ones, and tries each. Meanwhile the controller, the agent, a trial or git are
killed, a stop and a start come, everything stands still for a second, an agent ends in the middle of its stream, the
disk of the agent's trials is full for a moment (a limit of file size), and the user commits and edits. At the end the
log must be sound, nothing may run or be left, the user's files are as they were, and the tree is the retained state.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from tests.faults.stage import Problem, Stage  # noqa: E402
from tests.lab import running_below  # noqa: E402

AGENT = """#!{python}
import json, os, random, resource, subprocess, sys, time
sys.stdin.read()
dice = random.Random()
for turn in range(dice.randint(1, 12)):
    if dice.random() < 0.04:
        os._exit(1)  # the stream ends in the middle
    print(json.dumps({{"running": "trial"}}), flush=True)
    now = int(open("src/value").read())
    open("src/value", "w").write(f"{{now + dice.choice((-1, -1, 1, 2))}}\\n")
    full = dice.random() < 0.05
    limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (dice.randint(0, 3000),) * 2)) if full else None
    line = [sys.executable, "{scripts}/autoresearch_run_trial.py", "--repo", "."]
    line += ["--description", f"try {{dice.random()}}"]
    done = subprocess.run(line, capture_output=True, text=True, preexec_fn=limit)
    for word in ("Traceback", "unexpected "):
        if word in done.stderr:
            open("{folder}/said", "a").write(done.stderr)
    if done.returncode:
        subprocess.run(["git", "restore", "src"], capture_output=True)
    if "--status drift" in done.stderr:  # the user has committed
        drift = ["{scripts}/autoresearch_record_iteration.py", "--repo", ".", "--status", "drift"]
        subprocess.run([sys.executable, *drift], capture_output=True)
    print(json.dumps({{"running": ""}}), flush=True)
print(json.dumps({{"message": "done", "done": True}}), flush=True)
"""


def main(folder: str, iterations: int, seed: int = 1) -> int:
    """Run until so many iterations are in the log; returns 1 where something did not hold."""
    dice, stage, faults, began = (
        random.Random(seed),
        Stage(Path(folder) / "soak").build(),
        Counter[str](),
        time.monotonic(),
    )
    agent = stage.folder / "agent"
    agent.write_text(AGENT.format(python=sys.executable, scripts=ROOT / "scripts", folder=stage.folder))
    agent.chmod(0o755)
    (stage.repo / "src/value").write_text("100000\n")
    stage.git("commit", "-qm", "user", "src/value")
    flags = (*Stage.setup(), "--salvage-runs", "0", "--agent", "plain", "--agent-bin", str(agent))
    stage.must("runtime_ctl", "launch", *flags, "--max-stagnation", "1000", "--iterations", str(iterations))
    rows = 0
    try:
        while rows < iterations:
            time.sleep(dice.uniform(0.2, 3))
            faults[strike(stage, dice)] += 1
            rows = len(stage.statuses()) - 1
            if not alive(stage):
                stage.run("runtime_ctl", "start")
            if sum(faults.values()) % 20 == 0:
                print(f"{rows} iterations, {dict(faults)}, {time.monotonic() - began:.0f} s", flush=True)
        finished(stage)
    except Problem as problem:
        stage.run("runtime_ctl", "stop")
        print(f"after {rows} iterations and {dict(faults)}: {problem}", flush=True)
        return 1
    print(f"{rows} iterations, {dict(faults)}, {time.monotonic() - began:.0f} s: all held", flush=True)
    return 0


def alive(stage: Stage) -> bool:
    """Whether a controller runs."""
    return '"status": "running"' in stage.run("runtime_ctl", "status").out


def strike(stage: Stage, dice: random.Random) -> str:
    """One fault."""
    kind = dice.choice(("controller", "agent", "trial", "git", "any", "stop", "still", "commit", "edit", "nothing"))
    if kind == "stop":
        stage.run("runtime_ctl", "stop")
    elif kind == "commit":
        (stage.repo / "theirs").write_text(f"{dice.random()}\n")
        try:
            stage.git("add", "theirs")
            stage.git("commit", "-qm", "user", "theirs")
            stage.run("record_iteration", "--status", "drift")
        except Problem:
            return "commit that git declined"
    elif kind == "edit":
        (stage.repo / "draft.txt").write_text("draft\n")
    elif kind != "nothing":
        words = {"controller": "runtime_ctl", "agent": "/agent", "trial": "run_trial", "git": "git"}
        signalled(stage, words.get(kind, ""), dice, kind == "still")
    return kind


def signalled(stage: Stage, word: str, dice: random.Random, still: bool) -> None:
    """Kill one process of the run, or let one stand still for a second."""
    found = [pid for pid in processes(stage) if word in command(pid)]
    if not found:
        return
    pid = dice.choice(found)
    try:
        os.kill(pid, signal.SIGSTOP if still else signal.SIGKILL)
        if still:
            time.sleep(1)
            os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass


def processes(stage: Stage) -> list[int]:
    """Processes that work in the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(entry / "cwd")).is_relative_to(stage.folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def command(pid: int) -> str:
    """The command line of a process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def finished(stage: Stage) -> None:
    """What must hold at the end."""
    stage.run("runtime_ctl", "stop")
    stage.run("record_iteration", "--status", "drift")
    if (stage.folder / "said").exists():
        raise Problem((stage.folder / "said").read_text()[:600])
    stage.sound()
    stage.users_files()
    if running_below(stage.folder):
        raise Problem(f"still runs: {running_below(stage.folder)[:3]}")
    shown, kept = (stage.repo / "src/value").read_text().strip(), str(stage.log().state.current_metric)
    if shown != kept:
        raise Problem(f"{kept} is retained, but src/value is {shown}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), *map(int, sys.argv[3:])))
