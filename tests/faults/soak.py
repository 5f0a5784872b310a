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
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from autoresearch.background import runtime_file  # noqa: E402
from autoresearch.kernel.disk.layout import standard  # noqa: E402

from tests.faults.stage import Problem, Stage  # noqa: E402
from tests.lab import running_below  # noqa: E402

AGENT = """#!{python}
import importlib, json, os, random, resource, runpy, subprocess, sys
sys.stdin.read()
sys.path.insert(0, "{scripts}")
from autoresearch import wiring
for port in wiring.WIRES.values():
    for name in port:
        importlib.import_module("autoresearch." + name)
import autoresearch.cli.run_trial_command
dice = random.Random()


def script(name, *flags, full=False):  # as a fork: most of what a trial costs is the start of an interpreter
    pid = os.fork()
    if not pid:
        for number, end in ((1, "out"), (2, "err")):
            os.dup2(os.open("{folder}/agent." + end, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
        if full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (dice.randint(0, 3000),) * 2)
        sys.argv = ["{scripts}/autoresearch_" + name + ".py", "--repo", ".", *flags]
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            os._exit(end.code or 0)
        os._exit(9)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    said = open("{folder}/agent.err", errors="replace").read()
    if "Traceback" in said or "unexpected " in said:
        open("{folder}/said", "a").write(said)
    return code, said


for turn in range(dice.randint(1, 60)):
    if dice.random() < 0.02:
        os._exit(1)  # the stream ends in the middle
    print(json.dumps({{"running": "trial"}}), flush=True)
    now = int(open("src/value").read())
    open("src/value", "w").write(f"{{now + dice.choice((-1, -1, 1, 2))}}\\n")
    code, said = script("run_trial", "--description", f"try {{dice.random()}}", full=dice.random() < 0.05)
    if code:
        subprocess.run(["git", "restore", "src"], capture_output=True)
    if "--status drift" in said:  # the user has committed
        script("record_iteration", "--status", "drift")
    if "the run is over" in said:
        break
    print(json.dumps({{"running": ""}}), flush=True)
print(json.dumps({{"message": "done", "done": True}}), flush=True)
"""
WAIT = ("--backoff-seconds", "0.1", "--max-stagnation", "1000")


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
    stage.must("runtime_ctl", "launch", *flags, *WAIT, "--iterations", str(iterations))
    rows = 0
    try:
        while rows < iterations:
            calm(stage, rows + dice.randint(0, 10))
            time.sleep(dice.uniform(0, 2))
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


def calm(stage: Stage, rows: int) -> None:
    """Wait for so many iterations, so that a slow machine has some between two faults; for two minutes at most."""
    end = time.monotonic() + 120
    while time.monotonic() < end and len(stage.statuses()) - 1 < rows:
        time.sleep(0.2)


def alive(stage: Stage) -> bool:
    """Whether a controller runs."""
    return runtime_file.is_running(standard(stage.repo))


def strike(stage: Stage, dice: random.Random) -> str:
    """One fault."""
    kind = dice.choice(("controller", "agent", "trial", "git", "any", "stop", "still", "commit", "edit", "nothing"))
    if kind == "stop":
        stage.run("runtime_ctl", "stop")
    elif kind == "commit":
        (stage.repo / "theirs").write_text(f"{dice.random()}\n")
        return committed(stage)  # the agent is told so by its next trial
    elif kind == "edit":
        (stage.repo / "draft.txt").write_text("draft\n")
    elif kind != "nothing":
        words = {"controller": "runtime_ctl", "agent": "/agent", "trial": "/agent", "git": "git"}
        found = [pid for pid in processes(stage) if words.get(kind, "") in command(pid)]
        if kind == "trial":  # a fork of the agent
            found = [pid for pid in found if parent(pid) in found]
        signalled(found, dice, kind == "still")
    return kind


def committed(stage: Stage) -> str:
    """The user commits, again where a git of the run holds the lock: a staged file would refuse every later trial."""
    for again in range(100):
        try:
            stage.git("add", "theirs")
            stage.git("commit", "-qm", "user", "theirs")
            return "commit at the second try" if again else "commit"
        except Problem:
            time.sleep(0.1)
    raise Problem("the user cannot commit within ten seconds")


def signalled(found: Sequence[int], dice: random.Random, still: bool) -> None:
    """Kill one of these processes, or let one stand still for a second."""
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


def parent(pid: int) -> int:
    """The parent of a process."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


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
