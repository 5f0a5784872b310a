"""Random histories: `python3 -m tests.faults.random_histories [--count N] [--seed S] [--jobs N]`.

Each is a run of real trials in a real repository with every mechanism mixed in: keeps, discards, guard failures of
whole edits and of parts (salvage), crashes, trials without an edit, stored attempts tried again, pairs, tuned
constants, recorded steps of the ladder, side lines begun, adopted and left, pruning and other branches for review,
commits and edits by hand, drift, keeps that the user takes back, logs and snapshots that are torn or gone and repaired,
and kills at random instants. One in six has a noisy number. After each step the log must fold to the snapshot and the
tree must be the retained state. What was found is in `random_histories.md`.
"""

from __future__ import annotations

import argparse
import atexit
import functools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests import forks

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from autoresearch.kernel.disk import journal, snapshot  # noqa: E402

NAMES = "abcd"
GAP = "".join(f"x {n}\n" for n in range(9))
SUM = "cat src/*.n | grep -v x | grep -v bad | paste -sd+ - | bc"
NOISY = f'n=$({SUM}) && test -n "$n" && echo $((1000 * n + $(od -An -N1 -tu1 /dev/urandom)))'
GUARD = "! grep -q bad src/*.n"
QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
STEPS = 9
# Each kind of step as often as it stands here.
KINDS = (
    *("edit",) * 6,
    *("parts",) * 3,
    *("retry", "pair", "tune", "line") * 2,
    *("record", "empty", "drift", "by_hand", "repair", "take_back", "prune"),
)
BAD = ("Traceback", "unexpected ", "Exception ignored")


class History:
    """One repository with a run, and what has happened to it."""

    def __init__(self, root: Path, dice: random.Random, made: forks.Forks) -> None:
        self.root, self.dice, self.forks, self.done = root, dice, made, Counter[str]()
        (root / "src").mkdir(parents=True)
        for name in NAMES:
            self.put(name, 20, 20)
        (root / "notes.txt").write_text("one\n")
        for line in ("init -q -b main", "config user.name t", "config user.email t@t", "add .", "commit -qm start"):
            self.git(*line.split(" "))
        (root / "notes.txt").write_text("the user's\n")  # never to be touched
        self.noisy = dice.random() < 1 / 6
        flags = ["--goal", "less", "--scope", "src/", "--metric-name", "n", "--direction", "lower"]
        flags += ["--verify", NOISY, "--max-runs", "12", "--min-delta", "300"] if self.noisy else ["--verify", SUM]
        flags += ["--side-lines", "2", "--environment-summary", "x"]
        made_run = self.script(
            "init_run", *flags, "--guard", GUARD, "--rollback-policy", dice.choice(("revert", "reset"))
        )
        assert made_run.returncode == 0, made_run.stderr
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
        command = [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), *map(str, args)]
        command[2:2] = [] if args[:1] == ("take-back",) else ["--repo", str(self.root)]
        command += ["--repo", str(self.root)] if args[:1] == ("take-back",) else []
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root.parent), **QUIET}
        ran = self._killed(command, env, kill) if kill else self.forks.run(command, self.root.parent, "", env, 300)
        code, out, err = ran[0], *(part.decode("utf-8", "replace") for part in ran[1:])
        assert not any(word in err for word in BAD), err
        return subprocess.CompletedProcess(command, code, out, err)

    def _killed(self, command: list[str], env: dict[str, str], seconds: float) -> tuple[int, bytes, bytes]:
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, start_new_session=True) as child:
            try:
                out, err = child.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                out, err = child.communicate()
        return child.returncode, out, err

    def tree(self) -> str:
        """What the working tree holds, as git's tree id of HEAD; but for the user's file the tree must equal HEAD."""
        status = self.git("status", "--porcelain")
        assert status == "M notes.txt", status
        assert (self.root / "notes.txt").read_text() == "the user's\n"
        return self.git("rev-parse", "HEAD^{tree}")

    def step(self) -> None:
        """One random step, perhaps killed and mended, and what must hold after it."""
        rows = len(self.log().rows)
        kind = self.dice.choice(KINDS)
        kill = self.dice.uniform(0.05, 1.2) if self.dice.random() < 0.25 else 0.0
        ran = getattr(self, kind)(kill)
        said = {0: "", -signal.SIGKILL: " killed"}.get(ran.returncode, " refused")
        if os.environ.get("REASONS") and said == " refused":
            print(kind, ran.stderr.strip()[-200:], flush=True)
        self.done[kind + said] += 1
        if said:
            self.mend()
        for row in self.log().rows[rows:]:
            self.done[row.status] += 1
            self.done["salvaged"] += "(salvaged " in row.description
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
        assert [row.iteration for row in log.rows if row.is_main] == list(range(log.state.iteration + 1))
        now = self.tree()
        moved = any(row.status in ("keep", "drift") for row in log.rows[rows:])
        assert moved or now == self.retained, "a row that retains nothing changed the tree"
        self.retained = now
        value = subprocess.run(["sh", "-c", SUM], cwd=self.root, capture_output=True, text=True).stdout.strip()
        retained = log.state.current_metric
        near = abs(float(retained) / 1000 - int(value)) < 0.5 + 0.2 * log.state.keeps
        assert near if self.noisy else value == str(retained), (value, retained)
        assert not list((self.root / "autoresearch-evidence").glob("intent.json"))
        left = [path for path in (self.root / ".git").rglob("*.lock") if "objects" not in path.parts]
        assert not left, left

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
        name = self.dice.choice(NAMES)
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

    def empty(self, kill: float) -> subprocess.CompletedProcess[str]:
        """A trial without an edit."""
        return self.trial(kill)

    def retry(self, kill: float, count: int = 1) -> subprocess.CompletedProcess[str]:
        """Stored attempts on today's state; what cannot be tried is refused."""
        known = [row.iteration for row in self.log().rows if row.is_main and row.status == "discard"]
        if len(known) < count:
            return self.parts(kill)
        chosen = self.dice.sample(known, count)
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
        state = self.log().state
        if not state.keeps:  # no state to go back to: the run would be over
            return self.edit(kill)
        for _ in range(0 if state.pivot_count >= 3 or state.line else 3):
            self.script("record_iteration", "--status", "pivot", "--description", "another way")
        return self.script("line", kill=2 * kill)

    def drift(self, kill: float) -> subprocess.CompletedProcess[str]:
        """The retained state measured again."""
        return self.script("record_iteration", "--status", "drift", "--description", "again", kill=kill)

    def by_hand(self, kill: float) -> subprocess.CompletedProcess[str]:
        """The user commits a change of the program; trials are refused until it is measured."""
        name = self.dice.choice(NAMES)
        first, last = self.values(name)
        self.put(
            name, first, last + self.dice.choice((-1, 0, 1)), text=f"{first}\n{GAP}{last}\nx {self.dice.random()}\n"
        )
        self.git("commit", "-qm", "by hand", "--", "src")
        self.put(name, first - 1, last)
        refused = self.trial(0.0)
        assert refused.returncode == 1, "a commit by hand was not seen"
        self.git("restore", "src")
        ran = self.drift(kill)
        if ran.returncode:
            self.script("run_trial", "--retry", 99999)
            self.git("restore", "--staged", "--worktree", "src")
            again = self.drift(0.0)
            if again.returncode:  # a drift of a noisy number waits for a calm machine; the user takes the commit back
                assert self.noisy and "calm" in again.stderr, again.stderr
                self.git("reset", "-q", "--keep", "HEAD~1")
        return ran

    def repair(self, kill: float) -> subprocess.CompletedProcess[str]:
        """The snapshot is gone or broken, or the log has an unfinished line; then the run is taken up."""
        state, log = self.root / "autoresearch-state.json", self.root / "research-results.tsv"
        kind = self.dice.choice(("gone", "broken", "torn"))
        if kind == "gone":
            state.unlink()
        elif kind == "broken":
            state.write_bytes(state.read_bytes()[: self.dice.randint(0, 300)])
        else:
            with open(log, "ab") as file:
                file.write(b"77\tabc\t1")
        ran = self.script("resume_check", "--write-repaired-state", kill=kill)
        if ran.returncode:
            again = self.script("resume_check", "--write-repaired-state")
            assert again.returncode == 0, again.stderr
        return self.empty(0.0) if kind == "torn" else ran

    def take_back(self, kill: float) -> subprocess.CompletedProcess[str]:
        """The user does not want a kept experiment."""
        kept = [row.iteration for row in self.log().rows if row.is_main and row.status == "keep"]
        number = self.dice.choice(kept or [99999])
        ran = self.script("runtime_ctl", "take-back", number, "--why", "api", kill=kill)
        if ran.returncode == -signal.SIGKILL:
            self.script("runtime_ctl", "take-back", number, "--why", "api")
        return ran

    def prune(self, kill: float) -> subprocess.CompletedProcess[str]:
        """A branch for review, pruned or not, and no other change; the one that leaves nothing out holds all."""
        before = self.git("rev-parse", "HEAD"), self.tree()
        name = f"branch-{self.dice.random()}"
        ran = self.script("finalize", "--branch", name, *self.dice.choice(((), ("--prune",), ("--squash",))), kill=kill)
        assert (self.git("rev-parse", "HEAD"), self.tree()) == before
        assert self.git("worktree", "list").count("\n") == 0 or ran.returncode
        if ran.returncode == 0 and '"left_out"' not in ran.stdout:
            assert self.git("rev-parse", f"{name}^{{tree}}") == before[1]
        return ran


@functools.cache
def _forks() -> forks.Forks:
    made = forks.Forks(SCRIPTS)
    atexit.register(made.close)
    return made


def play(seed: int) -> Counter[str]:
    """One history; raises AssertionError with the seed where something does not hold."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder) / "repo", random.Random(seed), _forks())
        try:
            for _ in range(STEPS):
                history.step()
            history.prune(0.0)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}\n{dict(history.done)}") from error
        return history.done


def _played(seed: int) -> tuple[int, Counter[str], str]:
    try:
        return seed, play(seed), ""
    except AssertionError as error:
        return seed, Counter(), str(error)


def main(argv: list[str]) -> int:
    """Play and count; exit 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    total, failed, done, began = Counter[str](), 0, 0, time.monotonic()
    with multiprocessing.Pool(args.jobs) as pool:
        for _, counts, problem in pool.imap_unordered(_played, range(args.seed, args.seed + args.count)):
            total, done, failed = total + counts, done + 1, failed + bool(problem)
            if problem:
                print(problem, flush=True)
            if done % 20 == 0:
                print(done, failed, dict(total), round(time.monotonic() - began), flush=True)
    print(f"{args.count} histories, {failed} failed, {dict(total)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
