"""A signal at a random instant of every long command: it ends, nothing runs on, and the next command works.

    python3 -m tests.faults signals FOLDER [TRIES [FIRST]]

tries the commands in turn, and writes how it went, by command, to `signals.tsv` in FOLDER.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import SCRIPTS
from tests.faults import steps
from tests.faults.stage import Problem, Stage

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OVER = "over before"
LIMIT = 300.0  # seconds in which whoever was asked to end has ended, however busy the machine is
# Says when it has begun, and has no end while it is told to have none.
ENDLESS = "if test -e .git/endless; then touch .git/began; sleep 977; fi; cat src/value"
BASE = (*Stage.setup(ENDLESS), "--calibrate", "3", "--guard", "sleep 0.05", "--run-tag", "x")
ALONE = ("--codex-bin", "true", "--max-sessions", "1", "--max-stagnation", "1", "--backoff-seconds", "0.1")
TEST = "import time\n\n\ndef test_it():\n    time.sleep(0.3)\n    assert open('src/value').read() == '0'\n"


@dataclass(frozen=True)
class Case:
    """A command that is struck: on which stage, what is done before, the seconds that it takes on an idle machine."""

    name: str
    command: str
    flags: tuple[str, ...]
    seconds: float = 0.6
    stage: str = "begun"
    prepare: Callable[[Stage], object] = steps.nothing

    @property
    def starts(self) -> bool:
        """Whether the run that may be there afterwards is the command's own."""
        return self.command in ("init_run", "exec", "runtime_ctl")


def edited(stage: Stage) -> None:
    """An edit to try."""
    stage.edit(8)


def tested(stage: Stage) -> None:
    """A project in which a check of tests can be measured."""
    (stage.repo / "tests").mkdir()
    (stage.repo / "tests/test_it.py").write_text(TEST)
    stage.git("add", "tests")
    stage.git("commit", "-qm", "user")


def planned(stage: Stage) -> None:
    """A launch that was agreed and not begun."""
    stage.must("runtime_ctl", "create-launch", *BASE, *ALONE)


def ended(stage: Stage) -> None:
    """A background run whose sessions are spent."""
    stage.must("runtime_ctl", "launch", *BASE, *ALONE)
    while stage.must("runtime_ctl", "status")["status"] == "running":
        time.sleep(0.05)


CASES = (
    Case("trial", "run_trial", ("--description", "struck"), prepare=edited),
    Case("init", "init_run", BASE, stage="bare"),
    Case("rehearsal", "init_run", (*BASE, "--dry-run"), stage="bare"),
    Case("force", "init_run", (*BASE, "--force")),
    Case("drift", "record_iteration", ("--status", "drift")),
    Case("exec", "exec", (*BASE, "--iterations", "1", "--codex-bin", "true"), stage="bare"),
    Case("finalize", "finalize", ("--branch", "done"), 0.8),
    Case("open", "run_batch", ("open", "--workers", "2"), 1.0, "parallel"),
    Case("close", "run_batch", ("close",), 1.5, "parallel", steps.opened),
    Case("launch", "runtime_ctl", ("launch", *BASE, *ALONE), 0.9, "bare"),
    Case("launch apart", "runtime_ctl", ("launch", *BASE, *ALONE, "--isolation", "worktree"), 0.9, "bare"),
    Case("first start", "runtime_ctl", ("start",), 0.9, "bare", planned),
    Case("start again", "runtime_ctl", ("start", "--max-sessions", "+1"), 0.5, "bare", ended),
    Case("demo", "demo", (), 2.0, "bare"),
    Case("tune", "tune", ("--constant", "src/value", r"(\d+)", "1", "20", "linear", "--description", "struck"), 1.5),
    Case("total", "total", (), 1.0),
    Case("first look", "scout", ("--goal", "the tests fail", "--measure"), 1.5, "bare", tested),
    Case("report", "report", ("--worth", "--total"), 1.5),
    Case("doctor", "doctor", (), 0.5),
    Case("resume", "resume_check", (), 0.2),
)


class Signals:
    """Tries in one folder, on stages that are set up once each."""

    def __init__(self, folder: Path) -> None:
        """Set up where there is no run yet, one run with a kept experiment, and one that may have workers."""
        self.stages = {
            "bare": Stage(folder / "bare").build().keep(),
            "begun": Stage(folder / "begun").begun("--guard", "sleep 0.05", verify=ENDLESS).keep(),
            "parallel": Stage(folder / "parallel").begun("--parallel-mode", "parallel", verify=ENDLESS).keep(),
        }

    def strike(self, seed: int) -> tuple[Case, str, float]:
        """One try: the command, what came of it, and the seconds from the signal to its end.

        A command that was over already is struck anew, earlier.
        """
        chance, case = random.Random(seed), CASES[seed % len(CASES)]
        for number in range(6):
            said, took = self._strike(chance, case, 1.3 * 0.6**number)
            if said:
                break
        return case, said or OVER, took

    def _strike(self, chance: random.Random, case: Case, share: float) -> tuple[str, float]:
        """Strike once, within this share of the time that the command takes; "" where it was over already."""
        stage = self.stages[case.stage].again()
        for left in stage.folder.glob("repo-autoresearch-*"):
            stage.remove(left)
        case.prepare(stage)
        before = len(stage.statuses()) if self._has_run(stage) else 0
        head, endless = stage.git("rev-parse", "HEAD"), stage.repo / ".git/endless"
        if chance.random() < 0.4:
            endless.touch()
        child = stage.spawn(self._line(stage, case))
        if endless.exists() and chance.random() < 0.5:  # just when the check has started, if it comes to one
            self._until(lambda: (stage.repo / ".git/began").exists() or child.poll() is not None)
        else:
            time.sleep(chance.uniform(0, share * case.seconds))
        number, over = chance.choice(NUMBERS), child.poll() is not None
        struck = time.monotonic()
        child.send_signal(number)
        in_time = self._until(lambda: child.poll() is not None, LIMIT)
        took = time.monotonic() - struck
        endless.unlink(missing_ok=True)
        code = child.wait() if self._before_ours(stage) else stage.ended(child).code
        if not in_time:
            raise Problem(f"took {took:.0f} s to take notice of {number.name}")
        self._after(stage, case, before, head, code)
        return "" if over else f"{number.name} {code}", took

    @staticmethod
    def _before_ours(stage: Stage) -> bool:
        """Whether the interpreter was struck while it started, before a line of ours was run."""
        said = (stage.folder / "err").read_text("utf-8", "replace")
        return "KeyboardInterrupt" in said and f"{SCRIPTS}/autoresearch/" not in said

    @staticmethod
    def _line(stage: Stage, case: Case) -> list[str]:
        line = steps.line_of(stage, case.command, case.flags)
        where = line.index("--repo") if case.command == "demo" else len(line)
        return line[:where]  # the demo makes a repository of its own

    @staticmethod
    def _until(true: Callable[[], bool], seconds: float = 300.0) -> bool:
        end = time.monotonic() + seconds
        while not true() and time.monotonic() < end:
            time.sleep(0.005)
        return true()

    @staticmethod
    def _has_run(stage: Stage) -> bool:
        return (stage.repo / "research-results.tsv").exists()

    def _after(self, stage: Stage, case: Case, before: int, head: str, code: int) -> None:
        if code not in (0, 1, 2, 130, *(-number for number in NUMBERS)):
            raise Problem(f"exit code {code}")
        if case.command == "runtime_ctl":
            stage.run("runtime_ctl", "stop")
        if case.stage == "parallel" and (stage.repo / "autoresearch-evidence/batch.json").exists():
            said = steps.batch(stage, "abort")
            if said[0]:
                raise Problem(f"the batch cannot be aborted: {said[1]}")
        if not self._has_run(stage):
            if before:
                raise Problem("the log is gone")
            if case.command != "exec" and stage.git("rev-parse", "HEAD") != head:
                raise Problem("HEAD moved though nothing was set up")
        else:
            stage.sound()
        if case.starts:  # the sessions or iterations that it had may be spent, its worktree is its own
            stage.git("worktree", "prune")
            for path in stage.git("worktree", "list", "--porcelain").split("\n"):
                if path.startswith("worktree ") and path[9:] != str(stage.repo):
                    stage.git("worktree", "remove", "--force", path[9:])
            before = 0
            stage.must("init_run", *stage.setup(), *(("--force",) if self._has_run(stage) else ()))
        elif not self._has_run(stage):
            stage.must("init_run", *stage.setup())
        for name in ("report.html", "report.md"):
            (stage.repo / name).unlink(missing_ok=True)
        stage.goes_on(before)


def tries(signals: Signals, count: int, first: int) -> Iterator[tuple[str, str, float, str]]:
    """Each try: command, what came of it, seconds to its end, the problem."""
    for seed in range(first, first + count):
        try:
            case, said, took = signals.strike(seed)
            yield case.name, said, took, ""
        except Problem as problem:
            yield CASES[seed % len(CASES)].name, "", 0.0, f"{seed} {CASES[seed % len(CASES)].name}: {problem}"


def main(count: int, first: int, folder: str) -> list[str]:
    """Run tries, write how each went, and return the problems."""
    found: list[str] = []
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "signals.tsv"), "a", encoding="utf-8") as told:
        for name, said, took, problem in tries(Signals(Path(folder)), count, first):
            print(name, said, f"{took:.2f}", problem, sep="\t", file=told, flush=True)
            if problem:
                found.append(problem)
                print(problem, flush=True)
    return found


if __name__ == "__main__":
    print(len(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])), "problems")
