"""What several sessions at once gain over one, and what kills leave.

    python -m tests.benchmarks.crews timed [WORKERS] [PROPOSALS] [THINK] [MEASURE] [GAINS]
    python -m tests.benchmarks.crews turns [ROUNDS] [WORKERS] [PROPOSALS] [THINK] [MEASURE] [GAINS]
    python -m tests.benchmarks.crews slurm [NODES] [PROPOSALS] [MEASURE] [GAINS]
    python -m tests.benchmarks.crews kills [KILLS] [SEED]

`timed` runs one background run on the plain agent, whose sessions think (sleep) and propose; some proposals gain, and
the check sleeps. With 1 worker it is the usual run, one session that makes trial after trial. `turns` does so with
one and with many in turns, each time with the machine's load, and prints the share of the time. `slurm` does so with
as many workers as emulated nodes, then with one, on a Slurm that it starts (root, slurm-wlm, munge). `kills` kills the
controller, a session, or what measures, at random instants, and starts the run again. What is wrong afterwards ends it
with a traceback.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.batches import Project
from tests.executors.slurm_here import Slurm

# One proposal after the other, each a new file with or without a gain; which is next is a counter under a lock.
AGENT = """#!/usr/bin/env python3
import fcntl, json, os, re, subprocess, sys, time
from pathlib import Path
home, think = Path(os.environ["CREW_HOME"]), float(os.environ["THINK"])
gains, total = map(int, os.environ["MIX"].split())
prompt = sys.stdin.read()
print(json.dumps({"thread": "t"}), flush=True)
def number():
    with open(home / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = home / "count"
        found = int(path.read_text()) + 1 if path.exists() else 0
        path.write_text(str(found))
        return found
command = re.search(r"^    (python3 .*autoresearch_run_(?:trial|batch).*?) --description", prompt, re.MULTILINE)[1]
for _ in range(10 if "run_trial" in command else 1):
    time.sleep(think)
    here = number()
    better = any(here % total == round((k + 0.5) * total / gains) for k in range(gains)) if gains else False
    Path(f"g-{here}").write_text("better\\n" if better else "same\\n")
    way = " --inline" if "run_trial" in command else ""
    said = f"{command}{way} --description proposal-{here}"
    done = subprocess.run(said, shell=True, capture_output=True, text=True)
    if done.returncode or '"stop"' in done.stdout:
        break
print(json.dumps({"tokens": {"input": 100, "output": 10}, "done": True}))
"""
CHECK = "sleep {}; echo $((1000 - $(cat g-* | grep -c better)))"


class Crewed(Project):
    """A repository with a background run on the scripted agent."""

    def __init__(self, home: Path, think: float, mix: str) -> None:
        """Nothing is launched yet."""
        self.path, self.home = home / "repo", home
        self.path.mkdir()
        (home / ".gitconfig").write_text("[user]\nname = Test Person\nemail = person@example.invalid\n")
        os.environ.update(HOME=str(home), GIT_CONFIG_GLOBAL=str(home / ".gitconfig"), GIT_CONFIG_NOSYSTEM="1")
        os.environ.update(CREW_HOME=str(home), THINK=str(think), MIX=mix)
        (home / "agent").write_text(AGENT)
        (home / "agent").chmod(0o755)
        (self.path / "g-x").write_text("same\n")
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-qm", "begin")

    def launch(self, workers: int, count: int, measure: float, executor: str = "local") -> None:
        """Start the run."""
        wish = ("--goal", "less", "--scope", "g-*", "--metric-name", "n", "--direction", "lower", "--calibrate", "2")
        crew = ("--workers", str(workers), "--oversubscribe", "--parallel-mode", "parallel") if workers > 1 else ()
        agent: tuple[str, ...]
        agent = ("--agent", "plain", "--agent-bin", str(self.home / "agent"), "--salvage-runs", "0", "--retries", "0")
        # Many sessions are killed before they have proposed anything: here that is no sign of being stuck.
        agent += ("--executor", executor, "--max-stagnation", "0")
        self.call(
            "runtime_ctl", "launch", *wish, *agent, *crew, "--verify", CHECK.format(measure), "--iterations", str(count)
        )

    def record(self) -> dict[str, Any]:
        """The controller's record."""
        found: dict[str, Any] = json.loads((self.path / "autoresearch-runtime.json").read_text())
        return found

    def state(self) -> dict[str, Any]:
        """The snapshot's state."""
        found: dict[str, Any] = json.loads((self.path / "autoresearch-state.json").read_text())["state"]
        return found

    def wait(self) -> str:
        """Until no controller works; its reason."""
        while self.record()["status"] == "running":
            time.sleep(0.2)
        return str(self.record()["terminal_reason"])


def timed(workers: int, count: int, times: tuple[float, float], gains: int, executor: str = "local") -> float:
    """Print what it took and return it; `times` are the seconds to think and to measure."""
    think, measure = times
    with tempfile.TemporaryDirectory(prefix="crews-") as folder:
        project = Crewed(Path(folder), think, f"{gains} {count}")
        project.launch(workers, count, measure, executor)
        start, loads = time.monotonic(), [os.getloadavg()[0]]
        while len(project.rows()) <= count and project.record()["status"] == "running":
            time.sleep(0.1)
            loads.append(os.getloadavg()[0])
        took = time.monotonic() - start  # to the last row; then the true total is measured
        reason = project.wait()
        state = project.state()
        whole(project, count)
        print(
            f"{workers} workers: {count} proposals, {gains} gain, think {think} s, measure {measure} s: {took:.1f} s, "
            f"{3600 * state['iteration'] / took:.0f} an hour; kept {state['keeps']}, {reason}; "
            f"load {min(loads):.1f} to {max(loads):.1f}",
            flush=True,
        )
    return took


def turns(rounds: int, workers: int, count: int, times: tuple[float, float], gains: int) -> None:
    """Many and one in turns, so that both meet the same machine; the share of the time after each round."""
    for _ in range(rounds):
        many, one = (timed(number, count, times, gains) for number in (workers, 1))
        print(f"share {many / one:.3f}", flush=True)


def on_slurm(nodes: int, count: int, measure: float, gains: int) -> None:
    """As many workers as nodes, then one."""
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, Slurm(Path(folder) / "s", nodes) as slurm:
        os.environ.update({name: slurm.environment[name] for name in ("PATH", "SLURM_CONF")})
        for workers in (nodes, 1):
            timed(workers, count, (0, measure), gains, "slurm")
            assert slurm.jobs() == []


def whole(project: Crewed, count: int) -> None:
    """Every iteration is there once, the tree is the retained state, and nothing is left."""
    assert project.rows() == [str(number) for number in range(count + 1)], project.rows()[-8:]
    better = sum((path.read_text() == "better\n") for path in project.path.glob("g-*"))
    assert 1000 - better == project.state()["current_metric"], (better, project.state())
    assert project.git("worktree", "list").count("\n") == 1
    assert project.git("branch", "--list", "autoresearch/*") == ""
    assert [path.name for path in project.path.parent.iterdir() if "-autoresearch-" in path.name] == []
    assert not {"batch", "batch.json", "intent.json"} & set(os.listdir(project.path / "autoresearch-evidence"))
    assert project.git("status", "--porcelain") == ""
    until = time.monotonic() + 30  # the controller itself is on its way out
    while left := subprocess.run(["pgrep", "-f", f"{project.path}"], capture_output=True, text=True).stdout:
        assert time.monotonic() < until, left
        time.sleep(0.2)


def victim(project: Crewed, draw: random.Random) -> tuple[str, int]:
    """What is to be killed: the controller, an agent, or a process that settles; its pid, 0 where none runs."""
    what = draw.choice(["controller", "agent", "settle"])
    if what == "controller":
        return what, int(project.record().get("pid") or 0)
    pattern = str(project.home / "agent") if what == "agent" else f"(settle|record|prove) --repo {project.path}"
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False).stdout.split()
    return what, int(draw.choice(found)) if found else 0


def kills(count: int, seed: int) -> None:
    """Kill so many times and count what was hit; the run is started again after each death of its controller."""
    draw, hit = random.Random(seed), {"controller": 0, "agent": 0, "settle": 0}
    with tempfile.TemporaryDirectory(prefix="crews-") as folder:
        project = Crewed(Path(folder), 0.2, "100 300")
        project.launch(3, 100000, 0.3)
        while sum(hit.values()) < count:
            time.sleep(draw.uniform(0.2, 2.5))
            what, pid = victim(project, draw)
            if pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                hit[what] += 1
            if what == "controller" and pid:
                project.call("runtime_ctl", "start")
            assert project.record()["status"] == "running", project.record()
            if sum(hit.values()) % 20 == 0:
                print(hit, len(project.rows()), "rows", flush=True)
        project.call("runtime_ctl", "pause")
        project.wait()
        whole(project, len(project.rows()) - 1)
        print(f"{hit}: {len(project.rows())} rows, nothing lacks, nothing is left", flush=True)


if __name__ == "__main__":
    way, rest = sys.argv[1], sys.argv[2:]
    if way == "kills":
        kills(int((rest or ["200"])[0]), int((rest[1:] or ["1"])[0]))
    elif way == "slurm":
        given = [*rest, *["8", "32", "30", "3"][len(rest) :]]
        on_slurm(int(given[0]), int(given[1]), float(given[2]), int(given[3]))
    elif way == "turns":
        given = [*rest, *["3", "3", "30", "0", "30", "3"][len(rest) :]]
        rounds, workers, count, think, measure, gains = given
        turns(int(rounds), int(workers), int(count), (float(think), float(measure)), int(gains))
    else:
        given = [*rest, *["3", "30", "0", "15", "3"][len(rest) :]]
        timed(int(given[0]), int(given[1]), (float(given[2]), float(given[3])), int(given[4]))
