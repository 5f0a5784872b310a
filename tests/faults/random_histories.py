"""Random histories: `python3 -m tests.faults.random_histories [--count N] [--seed S]`.

Each is a run of real trials in a real repository with every mechanism mixed in: keeps, discards, guard failures of
whole edits and of parts (salvage), crashes, stored attempts tried again, pairs, tuned constants, recorded steps of the
ladder, side lines begun, adopted and left, pruning, and kills at random instants. After each step the log must fold to
the snapshot and the tree must be the retained state. What was found is in `random_histories.md`.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from autoresearch.kernel.disk import journal, snapshot  # noqa: E402

NAMES = "abcd"
GAP = "".join(f"x {n}\n" for n in range(9))
CHECK = "cat src/*.n | grep -v x | grep -v bad | paste -sd+ - | bc"
GUARD = "! grep -q bad src/*.n"
QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
STEPS = 9


class History:
    """One repository with a run, and what has happened to it."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        self.root, self.dice, self.done = root, dice, Counter[str]()
        (root / "src").mkdir(parents=True)
        for name in NAMES:
            self.put(name, 20, 20)
        for line in ("init -q -b main", "config user.name t", "config user.email t@t", "add .", "commit -qm start"):
            self.git(*line.split(" "))
        flags = ["--goal", "less", "--scope", "src/", "--metric-name", "n", "--direction", "lower", "--verify", CHECK]
        flags += ["--side-lines", "2"]
        made = self.script("init_run", *flags, "--guard", GUARD, "--rollback-policy", dice.choice(("revert", "reset")))
        assert made.returncode == 0, made.stderr
        self.retained = self.tree()

    def put(self, name: str, first: int, last: int, bad: bool = False, text: str = "") -> None:
        """A file's two numbers, some lines apart."""
        body = text or f"{first}\n{GAP}{last}\n" + ("x y\n" * 3 + "bad\n" if bad else "")
        (self.root / "src" / f"{name}.n").write_text(body)

    def git(self, *args: str) -> str:
        """The output of git, which must succeed."""
        env = {**os.environ, **QUIET}
        done = subprocess.run(["git", *args], cwd=self.root, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def script(self, name: str, *args: object, kill: float = 0.0) -> subprocess.CompletedProcess[str]:
        """Run an entry script; `kill` ends it, and all that it started, after so many seconds."""
        command = [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), "--repo", str(self.root), *map(str, args)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
        with subprocess.Popen(command, env={**os.environ, **QUIET}, **pipes) as child:  # type: ignore[call-overload]
            try:
                out, err = child.communicate(timeout=kill or 300)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                out, err = child.communicate()
                assert kill, f"{name} hangs"
        return subprocess.CompletedProcess(command, child.returncode, out, err)

    def tree(self) -> str:
        """What the working tree holds, as git's tree id of HEAD; the tree must equal HEAD."""
        assert self.git("status", "--porcelain") == "", self.git("status", "--porcelain")
        return self.git("rev-parse", "HEAD^{tree}")

    def step(self) -> None:
        """One random step, perhaps killed and mended, and what must hold after it."""
        rows = len(self.log().rows)
        kind = self.dice.choice(("edit", "edit", "edit", "parts", "retry", "pair", "tune", "record", "line"))
        kill = self.dice.uniform(0.05, 0.9) if self.dice.random() < 0.25 else 0.0
        ran = getattr(self, kind)(kill)
        self.done[kind + (" killed" if ran.returncode == -signal.SIGKILL else "")] += 1
        if ran.returncode == -signal.SIGKILL or ran.returncode:
            self.mend()
        else:
            self.done[self.log().rows[-1].status if len(self.log().rows) > rows else "nothing"] += 1
        self.check(rows)

    def mend(self) -> None:
        """The next command finishes or undoes; an edit that came back is thrown away."""
        self.script("run_trial", "--retry", 99999)
        self.git("restore", "--staged", "--worktree", "src")
        self.git("clean", "-fdq", "src")

    def check(self, rows: int) -> None:
        """The log folds to the snapshot, the tree is that of the last keep, its number is the retained one."""
        log, state = self.log(), snapshot.read(self.root / "autoresearch-state.json")
        assert state is not None and snapshot.relation(state, log) in ("equal", "older")
        now = self.tree()
        moved = any(row.status in ("keep", "drift") for row in log.rows[rows:])
        assert moved or now == self.retained, "a row that retains nothing changed the tree"
        self.retained = now
        value = subprocess.run(["sh", "-c", CHECK], cwd=self.root, capture_output=True, text=True).stdout.strip()
        assert value == str(log.state.current_metric), (value, log.state.current_metric)
        assert not list((self.root / "autoresearch-evidence").glob("intent.json"))

    def log(self) -> journal.Log:
        """The results log."""
        return journal.read(self.root / "research-results.tsv")

    def trial(self, kill: float) -> subprocess.CompletedProcess[str]:
        """One experiment on what lies in the tree, killed after so many seconds where `kill` is not 0."""
        return self.script(
            "run_trial", "--inline", "--knowing", "--description", f"try {self.dice.random()}", kill=kill
        )

    def values(self, name: str) -> list[int]:
        """The two numbers of a file."""
        return [int(line) for line in (self.root / "src" / f"{name}.n").read_text().split("\n") if line.isdigit()]

    def edit(self, kill: float) -> subprocess.CompletedProcess[str]:
        """Better, worse, refused by the guard, or no number."""
        name, (first, last) = self.dice.choice(NAMES), (0, 0)
        first, last = self.values(name)
        kind = self.dice.random()
        self.put(name, first + self.dice.choice((-2, -1, -1, 1, 2)), last, kind < 0.2, "(\n" if kind > 0.9 else "")
        return self.trial(kill)

    def parts(self, kill: float) -> subprocess.CompletedProcess[str]:
        """Several hunks, one of which the guard refuses or which is worse."""
        for name in self.dice.sample(NAMES, 2):
            first, last = self.values(name)
            self.put(name, first - self.dice.choice((1, 2)), last + self.dice.choice((-1, 1)), self.dice.random() < 0.3)
        return self.trial(kill)

    def retry(self, kill: float, count: int = 1) -> subprocess.CompletedProcess[str]:
        """Stored attempts on today's state; what cannot be tried is refused."""
        known = [row.iteration for row in self.log().rows if row.is_main and row.status == "discard"]
        chosen = self.dice.sample(known, min(count, len(known))) or [99999]
        return self.script("run_trial", "--retry", ",".join(map(str, chosen)), kill=kill)

    def pair(self, kill: float) -> subprocess.CompletedProcess[str]:
        """Two at once."""
        return self.retry(kill, 2)

    def tune(self, kill: float) -> subprocess.CompletedProcess[str]:
        """The first number of a file, down to a limit near it."""
        name = self.dice.choice(NAMES)
        first = self.values(name)[0]
        constant = [f"src/{name}.n", r"\A(\d+)", max(1, first - 2), first + 2, "linear"]
        return self.script("tune", "--constant", *constant, "--description", "tune", "--runs", 6, kill=2 * kill)

    def record(self, kill: float) -> subprocess.CompletedProcess[str]:
        """A step of the ladder."""
        status = self.dice.choice(("refine", "refine", "pivot"))
        return self.script("record_iteration", "--status", status, "--description", status, kill=kill)

    def line(self, kill: float) -> subprocess.CompletedProcess[str]:
        """What a side line needs next; where nothing is due, pivots that make it due."""
        pivots = 0 if self.log().state.pivot_count >= 3 else 3
        for _ in range(pivots):
            self.script("record_iteration", "--status", "pivot", "--description", "another way")
        return self.script("line", kill=2 * kill)

    def prune(self) -> None:
        """The pruned branch, and no other change."""
        if self.log().state.keeps and not self.log().state.line and self.dice.random() < 0.2:
            before = self.git("rev-parse", "HEAD"), self.tree()
            ran = self.script("finalize", "--prune", "--branch", "pruned")
            self.done["pruned" if ran.returncode == 0 else "prune refused"] += 1
            assert (self.git("rev-parse", "HEAD"), self.tree()) == before
            assert "Traceback" not in ran.stderr


def play(seed: int) -> Counter[str]:
    """One history; raises AssertionError with the seed where something does not hold."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder) / "repo", random.Random(seed))
        try:
            for _ in range(STEPS):
                history.step()
            history.prune()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}\n{dict(history.done)}") from error
        return history.done


def main(argv: list[str]) -> int:
    """Play and count; exit 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    total, failed, began = Counter[str](), 0, time.monotonic()
    for seed in range(args.seed, args.seed + args.count):
        try:
            total += play(seed)
        except AssertionError as error:
            failed += 1
            print(error, flush=True)
        if seed % 5 == 0:
            print(seed, failed, dict(total), round(time.monotonic() - began), flush=True)
    print(f"{args.count} histories, {failed} failed, {dict(total)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
