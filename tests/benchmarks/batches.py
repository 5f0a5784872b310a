"""What batches gain and what kills leave.

    python -m tests.benchmarks.batches {serial,batches} [PROPOSALS] [SECONDS] [GAINS]
    python -m tests.benchmarks.batches kills [BATCHES] [SEED] [NODES]
    python -m tests.benchmarks.batches full [BATCHES] [SEED]

`serial` and `batches` (3 workers) finish proposals whose check sleeps, some of them better than what is retained.
`kills` runs batches with labels; something of each is killed at a random instant: its `open`, its `close`, that with
all that measures, one measuring process, the check itself (with NODES the Slurm job that it runs in), or its `close`
before an `abort`. It is then closed again, or aborted. What is wrong afterwards (a row that lacks, or a label; a
worktree, branch, note, process or job that is left) ends it with a traceback.
`full` does so on a file system of its own (root), which gets full at a random instant, but for a few blocks; then there
is room again, and the command is repeated.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.executors.slurm_here import Slurm

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
WORKERS = 3


class Project:
    """A run in a repository: the number in `n` is to fall from 1000."""

    def __init__(self, home: Path, check: str, executor: str = "local") -> None:
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
        self.call(
            "init_run",
            "--goal",
            "less",
            *flags,
            *("--parallel-mode", "parallel", "--salvage-runs", "0", "--executor", executor),
        )

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

    def edit(self, folders: list[Path], numbers: list[int], said: str = "") -> None:
        """One edit in each folder, committed there."""
        for folder, number in zip(folders, numbers):
            (folder / "n").write_text(f"{number}\n")
            self.git("commit", "-qam", f"{said}to {number}", where=folder)


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


def _pids(pattern: str, below: Path | None = None) -> list[int]:
    """Processes whose command line holds `pattern`, and that work in a folder `below` where one is given."""
    said = subprocess.run(["pgrep", "-f", "--", pattern], capture_output=True, text=True, check=False).stdout.split()
    found = [int(pid) for pid in said if int(pid) != os.getpid()]
    return [pid for pid in found if below is None or str(_folder(pid)).startswith(str(below))]


def _folder(pid: int) -> Path:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return Path()


def _shot(pids: list[int], draw: random.Random) -> bool:
    """Kill one of them; whether there was one."""
    try:
        os.kill(draw.choice(pids), signal.SIGKILL)
    except (IndexError, ProcessLookupError):
        return False
    return True


class Killer:
    """Batches of one run, each with something of it killed at a random instant."""

    def __init__(self, project: Project, draw: random.Random, slurm: Slurm | None) -> None:
        """Nothing is killed yet."""
        self.project, self.draw, self.slurm = project, draw, slurm
        self.crashed = 0  # workers' rows that a killed check has made crashes

    def opened(self) -> tuple[str, list[Path]]:
        """The folders of the next batch; now and then its `open` is killed, and the batch given up and opened again."""
        if self.draw.random() > 0.2:
            return "", self.project.opened()
        child = self.project.start("run_batch", "open", "--workers", str(WORKERS), "--oversubscribe")
        time.sleep(self.draw.uniform(0, 3.0))
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        note = self.project.path / "autoresearch-evidence" / "batch.json"
        hit = note.exists()
        if hit:
            self.project.call("run_batch", "abort")
        return "open" if hit else "", self.project.opened()

    def killed(self, number: int) -> list[str]:
        """One batch, from open to its record; what was killed of it."""
        what, folders = self.opened()
        retained, draw = 1000 - number, self.draw
        numbers = [draw.choice([retained - 1, 3000]) + index * 3000 for index in range(WORKERS)]
        self.project.edit(folders, numbers, "[labels: night] ")
        child = self.project.start("run_batch", "close")
        how = draw.choice(["close", "close with all", "worker", "job", "abort"])
        hit = self._aimed(how, child) if how in ("worker", "job") else self._blind(how, child)
        child.communicate()
        note = self.project.path / "autoresearch-evidence" / "batch.json"
        if how == "abort" and note.exists():
            self.project.call("run_batch", "abort")
        elif note.exists():
            self.project.call("run_batch", "close")
        return [name for name in (what, how if hit else "") if name]

    def _aimed(self, how: str, child: subprocess.Popen[str]) -> bool:
        """Kill one process that measures, or one check, a moment after there are any."""
        pause = self.draw.uniform(0, 0.5)
        while child.poll() is None:
            if self._targets(how):
                time.sleep(pause)
                found = self._targets(how)
                if found and how == "job" and self.slurm:
                    return self.slurm.ask("scancel", "--signal=KILL", str(self.draw.choice(found))) == ""
                return _shot(found, self.draw)
            time.sleep(0.02)
        return False

    def _targets(self, how: str) -> list[int]:
        if how == "worker":
            return _pids(f"measure --repo {self.project.path}")
        if self.slurm:
            return [int(line.split()[0]) for line in self.slurm.jobs() if "RUNNING" in line]
        return _pids("sleep", self.project.path.parent)

    def _blind(self, how: str, child: subprocess.Popen[str]) -> bool:
        """Kill the `close` at any instant, with all that measures where that is asked."""
        time.sleep(self.draw.uniform(0, 4.0))
        measuring, runs = self._targets("worker"), child.poll() is None
        if runs:
            os.killpg(child.pid, signal.SIGKILL)
        for pid in measuring if how == "close with all" else ():
            _shot([pid], self.draw)
        return runs

    def check(self) -> None:
        """Every batch has its four rows with their labels, or was aborted and has none; nothing is left."""
        project = self.project
        lines = [line.split("\t") for line in (project.path / "research-results.tsv").read_text().split("\n")]
        rows = [line for line in lines if line[0][:1].isdigit()]
        last = int(rows[-1][0])
        expected = ["0"] + [f"{n}{letter}" for n in range(1, last + 1) for letter in ("a", "b", "c", "")]
        assert [row[0] for row in rows] == expected, rows[-8:]
        bare = [row for row in rows[1:] if "[labels: night]" not in row[6] and "no winner among" not in row[6]]
        assert not bare, bare
        state = json.loads((project.path / "autoresearch-state.json").read_text())["state"]
        assert state["iteration"] == last and project.path.joinpath("n").read_text() == f"{state['current_metric']}\n"
        self.crashed = sum(row[5] == "crash" for row in rows)
        whole(project)
        assert not (self.slurm and self.slurm.jobs()), self.slurm and self.slurm.jobs()


class Filler(Killer):
    """Batches of one run on a file system that gets full at a random instant of each."""

    def _full(self, child: subprocess.Popen[str], seconds: float) -> bool:
        """Fill it in mid-command, but for a few blocks; whether the command failed of it. There is room again after."""
        time.sleep(self.draw.uniform(0, seconds))
        path, left = self.project.path.parent / "filler", self.draw.choice([0, 0, 4096, 16384, 65536])
        with open(path, "wb", buffering=0) as file:
            while child.poll() is None:
                room = os.statvfs(path)
                size = file.seek(0, os.SEEK_END) + max(0, room.f_bavail * room.f_frsize - left)
                try:
                    os.posix_fallocate(file.fileno(), 0, max(1, size))
                except OSError:
                    continue
                time.sleep(0.01)
        _, err = child.communicate()
        path.unlink()
        assert "Traceback" not in err, err
        return child.returncode != 0

    def killed(self, number: int) -> list[str]:
        """One batch, from open to its record; which commands failed of a full disk."""
        child = self.project.start("run_batch", "open", "--workers", str(WORKERS), "--oversubscribe")
        failed = ["open"] if self._full(child, 3.0) else []
        note = self.project.path / "autoresearch-evidence" / "batch.json"
        if failed:
            if note.exists():
                self.project.call("run_batch", "abort")
                failed = ["open, then aborted"]
            whole(self.project)
            self.project.opened()
        folders = [Path(place["path"]) for place in json.loads(note.read_text())["places"]]
        retained, draw = 1000 - number, self.draw
        numbers = [draw.choice([retained - 1, 3000]) + index * 3000 for index in range(WORKERS)]
        self.project.edit(folders, numbers, "[labels: night] ")
        for _ in range(3):
            if not note.exists() or not self._full(self.project.start("run_batch", "close"), 4.0):
                break
            failed.append("close")
        if note.exists():
            self.project.call("run_batch", draw.choice(["close", "abort"]))
        return failed


def whole(project: Project) -> None:
    """No worktree, branch, note or process is left."""
    assert project.git("worktree", "list").count("\n") == 1
    assert project.git("branch", "--list", "autoresearch/*") == ""
    assert [path.name for path in project.path.parent.iterdir() if "autoresearch" in path.name] == []
    assert not {"batch", "batch.json", "intent.json"} & set(os.listdir(project.path / "autoresearch-evidence"))
    assert project.git("status", "--porcelain") == ""
    left = [
        pid for pid in _pids("sleep", project.path.parent) + _pids(f"repo {project.path}") if _folder(pid) != Path()
    ]
    assert not left, left


@contextmanager
def cluster(folder: Path, nodes: int) -> Iterator[Slurm | None]:
    """A Slurm with so many nodes, None for none."""
    if not nodes:
        yield None
        return
    with Slurm(folder, nodes) as slurm:
        os.environ.update({name: slurm.environment[name] for name in ("PATH", "SLURM_CONF")})
        yield slurm


def kills(count: int, seed: int, nodes: int) -> None:
    """Kill something of so many batches and count what was hit; on a Slurm with so many nodes where there are any."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="batches-") as folder, cluster(Path(folder) / "s", nodes) as slurm:
        home = Path(folder) / "home"
        home.mkdir()
        killer = Killer(Project(home, "sleep 0.5; cat n", "slurm" if slurm else "local"), draw, slurm)
        counted(killer, count, "killed of them", "nothing in time")


def counted(killer: Killer, count: int, title: str, nothing: str) -> None:
    """Go through so many batches, look after each that nothing is lost or left, and print what was hit so far."""
    hit = dict[str, int]()
    for number in range(count):
        for what in killer.killed(number) or [nothing]:
            hit[what] = hit.get(what, 0) + 1
        killer.check()
        told = ", ".join(f"{name} {times}" for name, times in sorted(hit.items()))
        print(f"{number + 1} batches, {title}: {told}; {killer.crashed} crashes", flush=True)


def full(count: int, seed: int) -> None:
    """Fill the disk in so many batches and count what failed of it."""
    with tempfile.TemporaryDirectory(prefix="batches-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", folder], check=True)
        try:
            filler = Filler(Project(Path(folder), "sleep 0.5; cat n"), random.Random(seed), None)
            counted(filler, count, "failed of a full disk", "nothing")
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


if __name__ == "__main__":
    way, rest = sys.argv[1], sys.argv[2:]
    if way == "full":
        full(int((rest or ["60"])[0]), int((rest[1:] or ["1"])[0]))
    elif way == "kills":
        given = [*rest, *["200", "1", "0"][len(rest) :]]
        kills(*map(int, given))
    else:
        timed(way, int((rest or ["30"])[0]), float((rest[1:] or ["6"])[0]), int((rest[2:] or ["3"])[0]))
