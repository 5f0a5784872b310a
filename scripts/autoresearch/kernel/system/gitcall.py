"""One call of git, sealed off from whatever the user's configuration would add to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .. import ports
from . import interrupts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from subprocess import Popen

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.safecrlf=false",
    "core.pager=cat",
    "core.editor=true",
    "color.ui=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "i18n.commitEncoding=UTF-8",
    "advice.addEmbeddedRepo=false",
)
# All other GIT_* variables go: they name other repositories, indexes, editors, pagers, traces.
_KEPT = frozenset(
    {
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
        "GIT_EXEC_PATH",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CEILING_DIRECTORIES",
    }
)
_READ_ONLY = ("Read-only file system", "Permission denied", "Operation not permitted", "insufficient permission")
_NO_IDENTITY = ("tell me who you are", "ident name", "auto-detect", "no email was given", "no name was given")
_IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "codex-autoresearch"), ("EMAIL", "autoresearch@localhost"))
}
_LOCK_TRIES = 6
_LOCK_PAUSE = 0.1  # seconds; an editor's background git holds index.lock for less


class GitError(Exception):
    """git declined; the message is one bounded line, `read_only` says that .git may not be written."""

    def __init__(self, message: str, read_only: bool = False) -> None:
        super().__init__(message)
        self.read_only = read_only


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a git call: ours, without GIT_* that would redirect it, plus `extra`."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _KEPT}
    env.update(GIT_TERMINAL_PROMPT="0", GIT_ASKPASS="true", GIT_LITERAL_PATHSPECS="1", LC_ALL="C")
    env.update(extra)
    return env


def command(args: Sequence[str]) -> list[str]:
    """The argument vector of a sealed git call."""
    settings = [part for item in _SETTINGS for part in ("-c", item)]
    return ["git", "--no-pager", *settings, *args]


def call(cwd: Path, args: Sequence[str], stdin: bytes = b"", env: Mapping[str, str] = {}) -> bytes:
    """What git writes to stdout; a lock held by another git is waited for, shortly.

    Raises GitError when git is missing, cannot run in `cwd`, or exits with anything but 0.
    """
    import time

    for _ in range(_LOCK_TRIES):
        code, out, err = attempt(cwd, args, stdin, env)
        if code == 0:
            return out
        if b"index.lock': File exists" not in err:
            break
        time.sleep(_LOCK_PAUSE)
    raise error(err)


def attempt(
    cwd: Path, args: Sequence[str], stdin: bytes = b"", env: Mapping[str, str] = {}
) -> tuple[int, bytes, bytes]:
    """Exit code, stdout and stderr of one git call. Raises GitError when it cannot be started."""
    interrupts.check()
    with interrupts.shielded(), started(cwd, args, env) as git:
        out, err = git.communicate(stdin)
    interrupts.check()
    return git.returncode, out, err


@contextmanager
def started(cwd: Path, args: Sequence[str], env: Mapping[str, str]) -> Iterator[Popen[bytes]]:
    """A git at work in the block. Raises the `Refusal` of who watches it (the port `measure`) and has ended it, and
    GitError when it cannot be started."""
    import subprocess

    pipe = subprocess.PIPE
    try:
        # In a session of its own Ctrl-C does not reach it: what git has begun it ends, and leaves no lock.
        child = subprocess.Popen(
            command(args), cwd=cwd, env=environment(env), stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except OSError as problem:
        raise GitError(f"git cannot be run in {cwd}: {problem.strerror}") from None
    ended = [watch(child, cwd) for watch in ports.asked("measure", "waits")]
    with child:
        yield child
    for end in ended:
        end()


def signed(cwd: Path, args: Sequence[str], stdin: bytes) -> bytes:
    """`call` for commands that need an author; a stand-in is used only when the user has none."""
    try:
        return call(cwd, args, stdin)
    except GitError as problem:
        if not any(phrase in str(problem) for phrase in _NO_IDENTITY):
            raise
        return call(cwd, args, stdin, _IDENTITY)


def error(stderr: bytes) -> GitError:
    """The GitError for what git wrote to stderr: its first complaint, at most 300 characters."""
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal: ", "error: "))] or lines or ["git failed"]
    # The identity complaint ("Author identity unknown") names its reason only in the last line.
    first = told[-1] if any(p in told[-1] for p in _NO_IDENTITY) else told[0]
    clean = "".join(c if c.isprintable() else " " for c in first)[:300].replace("unexpected", "odd")  # ours: a defect
    return GitError(clean, any(_denied(line) for line in lines))


def _denied(line: str) -> bool:
    """True when the line says that .git (not some file of the project) may not be written."""
    where = (".git/", "temporary file", "repository database", "unable to write")
    return any(p in line for p in _READ_ONLY) and any(w in line for w in where)
