"""What batches gain and what kills leave.

    python -m tests.benchmarks.batches {serial,batches} [PROPOSALS] [SECONDS] [GAINS]
    python -m tests.benchmarks.batches kills [BATCHES] [SEED]

`serial` and `batches` (3 workers) finish proposals whose check sleeps, some of them better than what is retained.
`kills` runs batches; each is killed at a random instant, the whole close or one measuring process, and closed again.
What is wrong afterwards (a row that lacks, a worktree, branch, note or process that is left) ends it with a traceback.
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

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
WORKERS = 3


class Project:
    """A run in a repository: the number in `n` is to fall from 1000."""

    def __init__(self, home: Path, check: str) -> None:
        """Measure the baseline."""
        self.path = home / "repo"
        self.path.mkdir()
        (home / ".gitconfig").write_text("[user]\nname = Test Person\nemail = person@example.invalid\n")
        os.environ.update(HOME=str(home), GIT_CONFIG_GLOBAL=str(home / ".gitconfig"), GIT_CONFIG_NOSYSTEM="1")
        (self.path / "n").write_text("1000\n")
        self.git("init", "-q")
        self.git("add", "n")
        self.git("commit", "-qm", "begin")
        flags = ("--scope", "n", "--metric-name", "n", "--direction", "lower", "--verify", check, "--calibrate", "2")
        self.call("init_run", "--goal", "less", *flags, "--parallel-mode", "parallel", "--salvage-runs", "0")

    def git(self, *args: str, where: Path | None = None) -> str:
        """What git says."""
        done = subprocess.run(["git", *args], cwd=where or self.path, capture_output=True, text=True, check=True)
        return done.stdout

    def start(self, script: str, *args: str) -> subprocess.Popen[str]:
        """A script in a process group of its own."""
        command = [sys.executable, str(SCRIPTS / f"autoresearch_{script}.py"), *args, "--repo", str(self.path)]
        return subprocess.Popen(command, stdout=-1, stderr=-1, text=True, start_new_session=True)

    def call(self, script: str, *args: str) -> dict[str, object]:
        """A script to its end; its answer."""
        child = self.start(script, *args)
        out, err = child.communicate()
        assert child.returncode == 0, err
        answer: dict[str, object] = json.loads(out)
        return answer

    def rows(self) -> list[str]:
        """The iterations of the log."""
        lines = (self.path / "research-results.tsv").read_text().split("\n")
        return [line.split("\t")[0] for line in lines if line[:1].isdigit()]

    def opened(self) -> list[Path]:
        """The folders of a batch that is opened."""
        answer = self.call("run_batch", "open", "--workers", str(WORKERS), "--oversubscribe")
        return [Path(worker["path"]) for worker in answer["workers"]]  # type: ignore[attr-defined]

    def edit(self, folders: list[Path], numbers: list[int]) -> None:
        """One edit in each folder, committed there."""
        for folder, number in zip(folders, numbers):
            (folder / "n").write_text(f"{number}\n")
            self.git("commit", "-qam", f"to {number}", where=folder)


def proposals(count: int, gains: int) -> list[int]:
    """Numbers to try, those that gain spread evenly; every one is new."""
    better = {round((index + 0.5) * count / gains) for index in range(gains)}
    return [999 - index if index in better else 2000 + index for index in range(count)]


def serial(project: Project, numbers: list[int]) -> None:
    """One trial after the other."""
    for number in numbers:
        (project.path / "n").write_text(f"{number}\n")
        project.call("run_trial", "--description", f"to {number}")


def batches(project: Project, numbers: list[int]) -> None:
    """Batches of three in the same worktrees."""
    folders = project.opened()
    for start in range(0, len(numbers), WORKERS):
        project.edit(folders, numbers[start : start + WORKERS])
        project.call("run_batch", "close", *(["--reopen"] if start + WORKERS < len(numbers) else []))


def timed(way: str, count: int, seconds: float, gains: int) -> None:
    """Print what it took."""
    with tempfile.TemporaryDirectory(prefix="batches-") as folder:
        project = Project(Path(folder), f"sleep {seconds}; cat n")
        start = time.monotonic()
        {"serial": serial, "batches": batches}[way](project, proposals(count, gains))
        took = time.monotonic() - start
        state = json.loads((project.path / "autoresearch-state.json").read_text())["state"]
        print(
            f"{way}: {count} proposals, {gains} gain, check {seconds} s: {took:.1f} s; kept {state['keeps']}, "
            f"retained {state['current_metric']}"
        )


def killed(project: Project, draw: random.Random, number: int) -> str:
    """One batch whose close is killed; what was killed."""
    retained = 1000 - number
    project.edit(project.opened(), [draw.choice([retained - 1, 3000]) + index * 1000 * 3 for index in range(WORKERS)])
    child = project.start("run_batch", "close")
    time.sleep(draw.uniform(0, 3.0))
    what = draw.choice(["the close", "one"])
    if what == "the close":
        os.killpg(child.pid, signal.SIGKILL)
    else:
        measuring = subprocess.run(["pgrep", "-f", f"measure --repo {project.path}"], capture_output=True, text=True)
        found = measuring.stdout.split()[:1]
        for pid in found:
            os.kill(int(pid), signal.SIGKILL)
        what = "a measuring process" if found else "nothing in time"
    child.communicate()
    if (project.path / "autoresearch-evidence" / "batch.json").exists():
        project.call("run_batch", "close")
    elif what == "the close":
        what = "nothing in time"
    return what


def whole(project: Project, count: int) -> None:
    """Nothing lacks and nothing is left after so many batches."""
    expected = ["0"] + [f"{n}{letter}" for n in range(1, count + 1) for letter in ("a", "b", "c", "")]
    assert project.rows() == expected, project.rows()[-8:]
    assert project.git("worktree", "list").count("\n") == 1
    assert project.git("branch", "--list", "autoresearch/*") == ""
    assert [path.name for path in project.path.parent.iterdir() if "autoresearch" in path.name] == []
    assert not {"batch", "batch.json", "intent.json"} & set(os.listdir(project.path / "autoresearch-evidence"))
    assert project.git("status", "--porcelain") == ""
    left = subprocess.run(["pgrep", "-f", f"repo {project.path}"], capture_output=True, text=True, check=False).stdout
    assert not left, left


def kills(count: int, seed: int) -> None:
    """Kill so many batches and count what was hit."""
    draw = random.Random(seed)
    hit: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="batches-") as folder:
        project = Project(Path(folder), "sleep 0.3; cat n")
        for number in range(count):
            what = killed(project, draw, number)
            hit[what] = hit.get(what, 0) + 1
            whole(project, number + 1)
            print(number + 1, hit, flush=True)


if __name__ == "__main__":
    way, rest = sys.argv[1], sys.argv[2:]
    if way == "kills":
        kills(int((rest or ["200"])[0]), int((rest[1:] or ["1"])[0]))
    else:
        timed(way, int((rest or ["30"])[0]), float((rest[1:] or ["6"])[0]), int((rest[2:] or ["3"])[0]))
