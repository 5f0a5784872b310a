"""A signal at a random instant of every long command: it ends, nothing runs on, and the next command works."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

from tests.faults.stage import Problem, Stage

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SLOW = "sleep 0.05; cat src/value"
ENDLESS = "if test -e .git/endless; then touch .git/began; sleep 977; fi; cat src/value"
BASE = (*Stage.setup(SLOW), "--calibrate", "3", "--guard", "sleep 0.05", "--run-tag", "x")
EXEC = (*Stage.setup(ENDLESS), "--iterations", "1", "--codex-bin")
# command, flags, seconds that it takes on an idle machine, whether there is a run before it
COMMANDS: tuple[tuple[str, tuple[str, ...], float, bool], ...] = (
    ("run_trial", ("--description", "struck"), 0.6, True),
    ("init_run", BASE, 0.6, False),
    ("init_run", (*BASE, "--dry-run"), 0.6, False),
    ("init_run", (*BASE, "--force"), 0.6, True),
    ("record_iteration", ("--status", "drift"), 0.6, True),
    ("finalize", ("--branch", "done"), 0.8, True),
    ("doctor", (), 0.5, True),
    ("report", (), 0.4, True),
    ("resume_check", (), 0.2, True),
    ("health_check", (), 0.3, True),
    ("exec", (*EXEC, "true"), 0.6, False),
    ("runtime_ctl", ("launch", *BASE, "--codex-bin", "true", "--max-sessions", "1"), 0.9, False),
    ("runtime_ctl", ("launch", *BASE, "--codex-bin", "true", "--isolation", "worktree"), 0.9, False),
    ("demo", (), 2.0, False),
)


class Signals:
    """Tries on two repositories, one with a run and one without."""

    def __init__(self, stages: tuple[Stage, Stage]) -> None:
        """Set both up: `stages` are for tries without a run, and with one."""
        bare, begun = stages
        self.stages = {False: bare.build().keep(), True: begun.begun(verify=ENDLESS).keep()}

    def strike(self, seed: int) -> str:
        """One try; what it was."""
        chance = random.Random(seed)
        name, flags, seconds, with_run = COMMANDS[seed % len(COMMANDS)]
        stage = self.stages[with_run].again()
        endless = chance.random() < 0.3
        if endless:
            (stage.repo / ".git/endless").touch()
        before = len(stage.statuses()) if with_run else 0
        if name == "run_trial":
            stage.edit(8)
        head = stage.git("rev-parse", "HEAD")
        child = stage.start(name, *flags)
        if endless and chance.random() < 0.5:  # just when the check has started
            self._until(lambda: (stage.repo / ".git/began").exists() or child.poll() is not None)
        else:
            time.sleep(chance.uniform(0, 1.3 * seconds))
        number = chance.choice(NUMBERS)
        child.send_signal(number)
        endless_alone = endless and child.poll() is None and not self._until(lambda: child.poll() is not None, 60)
        if endless_alone:
            (stage.repo / ".git/endless").unlink()
            raise Problem(f"{name} took no notice of {number.name}")
        ran = stage.ended(child)
        self._after(stage, name, before, head, ran.code)
        return f"{name} {number.name} -> {ran.code}"

    @staticmethod
    def _until(true: Callable[[], bool], seconds: float = 200.0) -> bool:
        end = time.monotonic() + seconds
        while not true() and time.monotonic() < end:
            time.sleep(0.005)
        return true()

    def _after(self, stage: Stage, name: str, before: int, head: str, code: int) -> None:
        (stage.repo / ".git/endless").unlink(missing_ok=True)
        if code not in (0, 1, 2, 130, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP):
            raise Problem(f"exit code {code}")
        if name == "runtime_ctl":
            stage.run("runtime_ctl", "stop")
            stage.git("worktree", "prune")
            if code == 0:
                return
        log = stage.repo / "research-results.tsv"
        if log.exists() and name != "exec":
            stage.goes_on(before if name != "init_run" else 0)
            return
        if not before and name != "exec" and stage.git("rev-parse", "HEAD") != head:
            raise Problem("HEAD moved though nothing was set up")
        stage.must("init_run", *stage.setup(), *(("--force",) if log.exists() else ()))
        stage.goes_on(1)


def main(tries: int, first: int, folder: str) -> list[str]:
    """Run tries and return the problems."""
    from pathlib import Path

    found = []
    signals = Signals((Stage(Path(folder) / "bare"), Stage(Path(folder) / "begun")))
    for seed in range(first, first + tries):
        try:
            signals.strike(seed)
        except Problem as problem:
            found.append(f"{seed} {COMMANDS[seed % len(COMMANDS)][0]}: {problem}")
            print(found[-1], flush=True)
    return found


if __name__ == "__main__":
    import sys

    print(len(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])), "problems")
