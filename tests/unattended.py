"""A background run under test: launched, looked at, waited for, and never left behind."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autoresearch.kernel.system import process

from tests.conftest import HANG, SCRIPTS, Ran, Repo

TRIAL = f"python3 {SCRIPTS}/autoresearch_run_trial.py --repo . --description 'step'"


def until(true: Callable[[], Any], seconds: float = HANG) -> Any:
    """Return the first true value, or what it is at the end."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.02)
    return true()


class Background:
    """`runtime_ctl` for one repository."""

    def __init__(self, repo: Repo, run_script: Callable[..., Ran], agent: tuple[str, ...]) -> None:
        self.repo, self._run_script, self.agent = repo, run_script, agent
        self.env: dict[str, str] = {}
        self.timeout = HANG

    def ctl(self, command: str, *args: object, cwd: Path | None = None) -> Ran:
        """Run a subcommand."""
        where = cwd or self.repo.path
        return self._run_script("runtime_ctl", command, "--repo", where, *args, env=self.env, timeout=self.timeout)

    def launch(self, *args: object, verify: str = "cat value") -> Ran:
        """Launch a run that lowers the number in the file `value`."""
        wish = ("--goal", "a small value", "--scope", "value", "--metric-name", "value", "--run-tag", "night")
        return self.ctl("launch", *wish, "--verify", verify, *self.agent, *args)

    def status(self) -> Mapping[str, Any]:
        """The answer of `status`."""
        return dict(self.ctl("status").json)

    def ended(self, seconds: float = HANG) -> Mapping[str, Any]:
        """Wait until no controller runs; the record's own word is enough to stop waiting."""
        assert until(lambda: self.record().get("status", "running") != "running", seconds), self.log()
        until(lambda: self.status()["status"] != "running")
        return self.status()

    def record(self) -> dict[str, Any]:
        """The runtime file."""
        try:
            return dict(json.loads(self.repo.read("autoresearch-runtime.json")))
        except FileNotFoundError:
            return {}

    def session(self) -> dict[str, Any]:
        """The running session in the record, {} when there is none with a process yet."""
        found = self.record().get("session") or {}
        return found if found.get("pid") else {}

    def log(self) -> str:
        """The controller's log."""
        return self.repo.read("autoresearch-runtime.log")

    def events(self) -> str:
        """The event stream of the last session."""
        path = self.repo.path / "autoresearch-evidence" / "session" / "events.jsonl"
        return path.read_text() if path.exists() else ""

    def rows(self) -> list[list[str]]:
        """The rows of the results log as cells."""
        lines = self.repo.read("research-results.tsv").splitlines()
        return [line.split("\t") for line in lines if line[:1].isdigit()]

    def statuses(self) -> list[str]:
        """The status column."""
        return [row[5] for row in self.rows()]

    def left(self) -> tuple[int, ...]:
        """What still runs of the sessions of this repository."""
        found = self.record().get("session") or {}
        return process.pids_with_mark(found["mark"]) if found.get("mark") else ()

    def close(self) -> None:
        """End whatever still runs."""
        if (self.repo.path / "autoresearch-evidence").is_dir():
            self.ctl("stop", "--grace-seconds", 1)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    return process.identity(pid) is not None


def kill(pid: int, number: int) -> None:
    """Signal a process that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
