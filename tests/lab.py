"""A run in a real repository, driven by the real scripts; what every finished command must leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from autoresearch.kernel.core.rows import Row
from autoresearch.kernel.disk import journal, snapshot
from autoresearch.kernel.disk.journal import Log

from tests.conftest import SCRIPTS, Ran, Repo

ARMED = "if test -e ../arm; then rm ../arm; {}; fi; cat src/value"  # a check that acts once
CHECK = "cat src/value"
GUARD = "test ! -e src/broken"


@dataclass
class Lab:
    """A repository with `src/value`, which the check prints; lower is better."""

    repo: Repo
    run_script: Callable[..., Ran]
    scope: str = "src/"
    env: dict[str, str | None] = field(default_factory=dict)
    salvage: int | None = 0  # tests of parts of a failed edit; None for the product's default

    @property
    def path(self) -> Path:
        """The repository's folder."""
        return self.repo.path

    def init(self, *flags: object, verify: str = CHECK, guard: str = GUARD) -> Any:
        """Set up a measured run and return the answer."""
        base = ["--scope", self.scope, "--verify", verify, "--metric-name", "cost", "--goal", "cut the cost"]
        base += ["--guard", guard] if guard else []
        base += [] if self.salvage is None else ["--salvage-runs", str(self.salvage)]
        ran = self.call("init_run", *base, "--direction", "lower", "--environment-summary", "cpu=2", *flags)
        assert ran.code == 0, ran.err
        return ran.json

    def report(self, *flags: object, metric: object = 10) -> Any:
        """Set up a reported run and return the answer."""
        base = ("--metric-name", "cost", "--environment-summary", "cpu=2", "--baseline-metric", metric)
        ran = self.call("init_run", *base, *flags)
        assert ran.code == 0, ran.err
        return ran.json

    def call(self, name: str, *flags: object, **more: Any) -> Ran:
        """Run one script on the repository."""
        return self.run_script(name, "--repo", self.path, *flags, **{"env": self.env, **more})

    def record(self, status: str, *flags: object) -> Ran:
        """Run record_iteration."""
        return self.call("record_iteration", "--status", status, *flags)

    def recorded(self, status: str, *flags: object) -> Any:
        """Run record_iteration, which must accept."""
        ran = self.record(status, *flags)
        assert ran.code == 0, ran.err
        return ran.json

    def trial(self, value: object = None, *flags: object, description: str = "") -> Any:
        """Edit `src/value` (unless None), run a trial that must finish, check what it leaves, return the answer."""
        if value is not None:
            self.value(value)
        ran = self.try_out(*flags, description=description or f"set {value}")
        assert ran.code == 0, ran.err
        self.sound()
        return ran.json

    def try_out(self, *flags: object, description: str = "an idea", **more: Any) -> Ran:
        """Run run_trial on what is in the tree."""
        return self.call("run_trial", "--description", description, *flags, **more)

    def value(self, text: object) -> None:
        """Edit `src/value`."""
        self.repo.write("src/value", f"{text}\n")

    def log(self) -> Log:
        """The results log as parsed."""
        return journal.read(self.path / "research-results.tsv")

    def rows(self) -> list[Row]:
        """All rows of the log."""
        return list(self.log().rows)

    def events(self, kind: str) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.log().events if event.get("kind") == kind]

    def state(self) -> Any:
        """The snapshot."""
        return snapshot.read(self.path / "autoresearch-state.json")

    def evidence(self, name: str) -> Path:
        """A path in the evidence folder."""
        return self.path / "autoresearch-evidence" / name

    def sound(self) -> None:
        """The log folds to the snapshot; no note, temporary file or lock of git stays; nothing runs."""
        state, log = self.state(), self.log()
        assert state is not None and snapshot.relation(state, log) == "equal"
        assert [row.iteration for row in log.rows if row.is_main] == list(range(log.state.iteration + 1))
        assert stray(self.path) == []
        assert running_below(self.path) == []


def stray(root: Path) -> list[str]:
    """Files that only a command at work may have: notes, temporary files, locks of git."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != "objects"]
        ours = "autoresearch-evidence" in folder
        endings = (".tmp", ".index") if ours else (".tmp", ".index", ".lock")
        found += [os.path.join(folder, n) for n in names if n.endswith(endings) or n == "intent.json"]
    return found


def running_below(root: Path) -> list[str]:
    """Command lines of processes whose working directory lies in `root` (where that can be told)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            inside = Path(os.readlink(entry / "cwd")).is_relative_to(root)
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        if inside and stat.rpartition(")")[2].split()[0] != "Z":
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


def armed(lab: Lab, act: str, *flags: str) -> None:
    """Begin a run whose check does `act` once: in the next trial."""
    lab.init(*flags, verify=ARMED.format(act), guard="")
    (lab.path.parent / "arm").touch()


def refused(ran: Ran, *words: str, code: int = 1) -> str:
    """Check that a command refused in one line with these words, and return the line."""
    assert ran.code == code, (ran.code, ran.out, ran.err)
    assert ran.out == ""
    assert ran.err.startswith("error: ") and ran.err.count("\n") == 1 and ran.err.endswith("\n"), ran.err
    for word in words:
        assert word in ran.err, ran.err
    return ran.err


def tree_of(root: Path, *without: str) -> dict[str, bytes]:
    """Every file below `root` with its bytes, but git's, second names of those, and what is below `without`."""
    skipped = (".git", ".git-kept", "autoresearch-evidence/.git-kept", *without)
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not any(name == s or name.startswith(s + "/") for s in skipped):
            found[name] = path.read_bytes()
    return found


def start_trial(lab: Lab, *flags: object, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start run_trial without waiting, in a group of its own."""
    script = str(SCRIPTS / "autoresearch_run_trial.py")
    said = () if "--retry" in flags else ("--description", "an idea")
    command = [sys.executable, script, "--repo", str(lab.path), *said, *map(str, flags)]
    full = {**os.environ, **(env or {})}
    null = subprocess.DEVNULL
    return subprocess.Popen(command, env=full, stdin=null, stdout=null, stderr=null, start_new_session=True)


__all__ = ["ARMED", "CHECK", "GUARD", "Lab", "armed", "refused", "running_below", "start_trial", "stray", "tree_of"]
