"""What every test builds on: a sealed environment, real git repositories, the real entry scripts.

Fixtures: `sealed` (used by every test), `repo`, `make_repo`, `run_script`. Function: `require`.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import settings

from tests import forks

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
# Scripts in interpreters of their own, each started anew, instead of in forks (see forks.py).
PLAIN = bool(os.environ.get("TESTS_PLAIN"))
CI = os.environ.get("CI", "").lower() in ("1", "true")
# Read before `sealed` takes them away; `python3 -m tests` sets them.
PARTS = {
    "codex": os.environ.get("AUTORESEARCH_CODEX_BIN"),
    "chromium": os.environ.get("AUTORESEARCH_CHROMIUM"),
}
# Seconds after which something hangs. It is a bound for what never ends and says nothing of how quick a thing is.
HANG = 300.0
FOREIGN = ("AUTORESEARCH_", "CODEX_", "GIT_", "PYTHON", "XDG_")
GIT_CONFIG = "[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"

# No deadline: a slow machine is no failure. In CI the examples are the same each time, so that a change which
# broke nothing is never turned away; elsewhere they vary and search on.
settings.register_profile("house", deadline=None, derandomize=CI)
settings.load_profile("house")

# What `nohup` and `&` switch off is inherited by every script under test, which then rightly ignores it. A handler is
# not inherited: the tests themselves go on as they were started, the scripts begin with the default.
for _number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda number, frame: None)


def require(part: str) -> str:
    """Return the path of a program which a test needs; without it skip aloud, or fail where CI is set.

    `codex` and `chromium` are those that `python3 -m tests` offers; any other name is looked up on PATH.
    """
    found = PARTS[part] if part in PARTS else shutil.which(part)
    if found:
        return found
    reason = f"needs {part}, which is not here; `python3 -m tests` looks for it"
    if CI:
        raise pytest.fail.Exception(reason)
    raise pytest.skip.Exception(reason, allow_module_level=True)


@pytest.fixture(autouse=True)
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide the user's home, git configuration and settings from a test and all it starts; return the home."""
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    (home / ".gitconfig").write_text(GIT_CONFIG)
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    person = {"NAME": "Test Person", "EMAIL": "person@example.invalid", "DATE": "2026-03-25T01:02:03Z"}
    values = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    values |= {
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path.parent),
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        # A machine that tells nothing of its load: how busy this one is decides no test.
        "AUTORESEARCH_PROC_ROOT": str(home / "tmp"),
        # `python3` in a test's commands is the interpreter under test.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        # Shared by all tests, for with a new home each the scripts would be compiled each time.
        "PYTHONPYCACHEPREFIX": str(ROOT / ".venv-tests" / "pycache"),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", None)
    return home


@dataclass(frozen=True)
class Repo:
    """A git repository of a test."""

    path: Path

    def git(self, *args: str) -> str:
        """Run git here and return its output without the last line break; a failure fails the test."""
        done = subprocess.run(["git", *args], cwd=self.path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr}"
        return done.stdout.rstrip("\n")

    def write(self, path: str, text: str) -> Path:
        """Write a file, making its folders, and return its path."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        return target

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return (self.path / path).read_text(encoding="utf-8")

    def commit(self, message: str) -> str:
        """Commit all changes (also none) and return the full hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def status(self) -> str:
        """Return what `git status --porcelain` prints: "" for a clean tree."""
        return self.git("status", "--porcelain", "--untracked-files=all")


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[[str], Repo]:
    """Return a function that makes a repository with one commit, named as given, below the test's folder."""

    def make(name: str) -> Repo:
        made = Repo(tmp_path / name)
        made.path.mkdir(parents=True)
        made.git("init", "--quiet")
        made.write("README.md", "A project.\n")
        made.commit("start")
        return made

    return make


@pytest.fixture
def repo(make_repo: Callable[[str], Repo]) -> Repo:
    """Return a repository with one commit that holds README.md."""
    return make_repo("repo")


@dataclass(frozen=True)
class Ran:
    """What an entry script left: exit code (negative: the signal), stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as one JSON value."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(f"no JSON, exit code {self.code}: {self.out!r} {self.err!r}") from None


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., Ran]:
    """Return `run_script(name, *args, cwd=, input=, env=, timeout=)`, which runs a real entry script.

    `name` is as in "run_trial"; `cwd` is the test's folder unless given; `env` adds variables, or removes
    those that are None; past `timeout` seconds the script's process group is killed and the test fails.
    """

    def run(
        name: str,
        *args: object,
        cwd: Path = tmp_path,
        input: str = "",
        env: Mapping[str, str | None] | None = None,
        timeout: float = HANG,
    ) -> Ran:
        command = [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), *map(str, args)]
        merged = {**os.environ, **(env or {})}
        return run_program(command, cwd, input, {k: v for k, v in merged.items() if v is not None}, timeout)

    return run


def run_program(command: list[str], cwd: Path, text: str, env: dict[str, str], timeout: float = HANG) -> Ran:
    """Run a program in a session of its own with this on stdin; past the time its group is killed."""
    if PLAIN or not forks.fits(command, env, text) or not command[1].startswith(str(SCRIPTS)):
        return _run_plain(command, cwd, text, env, timeout)
    code, out, err = _forks().run(command, cwd, text, env, timeout)
    return Ran(code, out.decode(), err.decode())


@functools.cache
def _forks() -> forks.Forks:
    made = forks.Forks(SCRIPTS)
    atexit.register(made.close)
    return made


def _run_plain(command: list[str], cwd: Path, text: str, env: dict[str, str], timeout: float) -> Ran:
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as child:
        try:
            out, err = child.communicate(text, timeout)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    return Ran(child.returncode, out, err)


@pytest.fixture
def lab(repo: Repo, run_script: Callable[..., Ran]) -> Any:
    """Return a `Lab`: a repository with `src/value` = 10 and a file outside the scope; no run yet."""
    from tests.lab import Lab

    repo.write("src/value", "10\n")
    repo.write("notes.txt", "one\n")
    repo.commit("project")
    return Lab(repo, run_script)
