"""A repository with a run and with what a user has in it, made anew for each try; what must hold afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoresearch.kernel.disk import journal, snapshot

from tests.conftest import SCRIPTS, Ran
from tests.lab import running_below, stray

PATIENCE = 240.0  # seconds after which a command hangs; nothing here takes more than some
BAD = ("Traceback", "unexpected ", "Exception ignored")
# What is meant to stay in the temporary folder: what a dry run noted, the demo's repository.
KEPT = ("codex-autoresearch-", "autoresearch-demo-")
# What the user has there, never to be committed, changed or deleted: ignored, untracked, changed, staged.
MINE = {".env": "SECRET=1\n", "node_modules/x/index.js": "x\n", "draft.txt": "draft\n", "notes.txt": "mine\n"}


class Problem(Exception):
    """What did not hold."""


@dataclass
class Stage:
    """A folder for tries: `repo` is the user's, `base` a copy of it as it was when it was set up."""

    folder: Path
    patience: float = PATIENCE

    @property
    def repo(self) -> Path:
        """The user's repository."""
        return self.folder / "repo"

    @property
    def env(self) -> dict[str, str]:
        """A sealed environment."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "AUTORESEARCH_", "CODEX_", "XDG_"))}
        own = {"HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp"), "GIT_CONFIG_NOSYSTEM": "1"}
        return {**kept, **own, "AUTORESEARCH_SCRIPTS": str(SCRIPTS)}

    def build(self) -> Stage:
        """A fresh repository without a run."""
        for name in ("repo", "home", "tmp", "base"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in ("repo/src", "home", "tmp"):
            (self.folder / name).mkdir(parents=True)
        config = "[user]\n\tname = u\n\temail = u@example.invalid\n[init]\n\tdefaultBranch = main\n"
        (self.folder / "home/.gitconfig").write_text(config)
        self.git("init", "-q")
        for name, text in {".gitignore": ".env\nnode_modules/\n", "notes.txt": "one\n", "src/value": "10\n"}.items():
            (self.repo / name).write_text(text)
        (self.repo / "src/other").write_text("o\n")
        self.git("add", "-A")
        self.git("commit", "-qm", "start")
        for name, text in MINE.items():
            (self.repo / name).parent.mkdir(parents=True, exist_ok=True)
            (self.repo / name).write_text(text)
        return self

    def begun(self, *flags: str, verify: str = "cat src/value", branch: str = "main") -> Stage:
        """A fresh repository with a run that has one kept experiment."""
        self.build()
        self.git("switch", "-qC", branch)
        self.must("init_run", *self.setup(verify), *flags)
        self.edit(9)
        self.must("run_trial", "--description", "first")
        return self

    @staticmethod
    def setup(verify: str = "cat src/value") -> list[str]:
        """Flags of a measured run."""
        flags = {"scope": "src/", "verify": verify, "metric-name": "cost", "direction": "lower", "goal": "cut"}
        flags["environment-summary"] = "x"
        return [part for name, value in flags.items() for part in (f"--{name}", value)]

    def keep(self) -> Stage:
        """Remember the repository as it is, for `again`."""
        self.copy(self.repo, self.folder / "base")
        return self

    def again(self) -> Stage:
        """The repository as it was kept, and an empty temporary folder."""
        self.copy(self.folder / "base", self.repo)
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        (self.folder / "tmp").mkdir()
        return self

    @staticmethod
    def remove(path: Path) -> None:
        """A folder gone."""
        subprocess.run(["rm", "-rf", str(path)], check=True)

    def copy(self, source: Path, target: Path) -> None:
        """A folder with its times and modes."""
        self.remove(target)
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)

    def edit(self, value: object, name: str = "value") -> None:
        """An edit in scope."""
        (self.repo / "src" / name).write_text(f"{value}\n")

    def git(self, *args: str) -> str:
        """Git, as the user runs it."""
        done = subprocess.run(["git", *args], cwd=self.repo, env=self.env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Problem(f"git {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def start(self, name: str, *flags: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a script on the repository, its streams in files of the folder."""
        where = () if name == "demo" else ("--repo", str(self.repo))
        first = flags[:1] if name in ("runtime_ctl", "run_batch") else ()
        line = [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), *first, *where, *flags[len(first) :]]
        return self.spawn(line, env)

    def spawn(self, line: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a program, its streams in files of the folder."""
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            full = {**self.env, **(env or {})}
            return subprocess.Popen(
                line,
                cwd=self.folder,
                env=full,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def ended(self, child: subprocess.Popen[bytes]) -> Ran:
        """How it ended; one that hangs, or says what no user understands, is a problem."""
        try:
            code = child.wait(self.patience)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise Problem("it hangs") from None
        ran = Ran(code, *((self.folder / name).read_text("utf-8", "replace") for name in ("out", "err")))
        found = [word for word in BAD if word in ran.err or word in ran.out]
        if found:
            raise Problem(f"said {found[0].strip()}: {ran.err.strip()[-600:]}")
        return ran

    def run(self, name: str, *flags: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run a script to its end."""
        return self.ended(self.start(name, *flags, env=env))

    def must(self, name: str, *flags: str) -> Any:
        """Run a script that has to work; its answer."""
        ran = self.run(name, *flags)
        if ran.code != 0:
            raise Problem(f"{name} does not work: {ran.err.strip()[-400:]}")
        return json.loads(ran.out) if ran.out.startswith("{") else ran.out

    def log(self) -> journal.Log:
        """The results log."""
        return journal.read(self.repo / "research-results.tsv")

    def statuses(self) -> list[str]:
        """The status of each main row."""
        return [row.status for row in self.log().rows if row.is_main]

    def users_files(self) -> None:
        """What is the user's is as it was, and in no commit."""
        for name, text in MINE.items():
            path = self.repo / name
            if not path.is_file() or path.read_text("utf-8", "replace") != text:
                raise Problem(f"the user's {name} is {path.read_text() if path.is_file() else 'gone'!r}")
        told = self.git("log", "--exclude=refs/stash", "--all", "--format=%s", "--", *MINE).split("\n")
        if [text for text in told if text not in ("", "start", "user")]:
            raise Problem(f"a file of the user's is in a commit: {told}")

    def quiet(self) -> None:
        """Nothing runs, and nothing is left that only a command at work may have."""
        until = time.monotonic() + 60
        while running_below(self.folder) and time.monotonic() < until:
            time.sleep(0.05)
        left = running_below(self.folder)
        if left:
            raise Problem(f"still runs: {left[:3]}")
        found = stray(self.repo)
        if found:
            raise Problem(f"left behind: {found[:3]}")
        scratch = [p.name for p in (self.folder / "tmp").iterdir() if not p.name.startswith(KEPT)]
        if scratch:
            raise Problem(f"left in the temporary folder: {scratch[:3]}")
        if self.git("worktree", "list").count("\n"):
            raise Problem("a worktree is left")

    def sound(self) -> None:
        """The log can be read and its fold is the snapshot's state."""
        log = journal.read(self.repo / "research-results.tsv")
        found = snapshot.tolerant(self.repo / "autoresearch-state.json")
        if found is not None and snapshot.relation(found, log) not in ("equal", "older"):
            raise Problem(f"the snapshot is {snapshot.relation(found, log)}")
        numbers = [row.iteration for row in log.rows if row.is_main]
        if numbers != list(range(len(numbers))):
            raise Problem(f"rows are {numbers}")

    def goes_on(self, before: int) -> None:
        """The next trial works, every row of before is there, and all is quiet."""
        self.edit(f"7{time.time_ns() % 100000}")
        self.must("run_trial", "--description", "goes on")
        self.sound()
        if len(self.statuses()) <= before:
            raise Problem(f"{before} rows before, {len(self.statuses())} after one more trial")
        self.users_files()
        self.quiet()
