"""What a command does, in counts that no busy machine moves: system calls, bytes written to files, calls of git.

By strace where it is there; `None` from `traced` says that it is not. `audited` needs nothing but Python.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PASS = (sys.executable, "-c", "pass")
_WRITE = re.compile(r"^p?write(?:64|v)?\(\d+<(/[^>]*)>.* = (\d+)$")
_OURS = re.compile(r'^execve\("[^"]*/git", \["git", "--no-pager", (?:"-c", "[^"]*", )*"([^"]+)".* = 0$')


@dataclass(frozen=True)
class Counts:
    """Of a command with all that it starts: system calls, bytes written to files, the subcommands of git."""

    calls: int
    written: int
    git: tuple[str, ...]


def traced(line: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Counts | None:
    """Run a command, which must succeed, under strace; notes go to `folder`. None where there is no strace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    watch = [strace, "-ff", "-qq", "-y", "-v", "-s", "400", "-e", "signal=none", "-o", str(folder / "trace")]
    done = subprocess.run([*watch, *line], env=env, capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr:  # a container that forbids it
        return None
    if done.returncode:
        raise SystemExit(f"error: {' '.join(line)}: {done.stderr.strip()[-400:]}")
    texts = [path.read_text("utf-8", "replace").split("\n")[:-1] for path in folder.iterdir()]
    writes = [found for text in texts for row in text if (found := _WRITE.match(row)) and not _is_null(found[1])]
    git = [found[1] for text in texts for row in text if (found := _OURS.match(row))]
    return Counts(sum(map(len, texts)), sum(int(found[2]) for found in writes), tuple(git))


def _is_null(path: str) -> bool:
    return path.startswith(("/dev/", "/proc/"))


def modules(line: Sequence[str]) -> int:
    """How many modules of ours a script imports."""
    env = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run(line, env=env, capture_output=True, text=True, check=True)
    return sum(" autoresearch" in row for row in done.stderr.split("\n"))


_HOOK = """import atexit, sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event.startswith(("open", "os.", "subprocess.")) else None)
atexit.register(lambda: open({path!r}, "w").write(str(len(seen))))
"""


def audited(line: Sequence[str], folder: Path) -> int:
    """How many files Python opens, lists and changes in a run of a script, and programs it starts, by an audit hook."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_HOOK.format(path=str(folder / "count")))
    env = {**os.environ, "PYTHONPATH": str(folder)}
    subprocess.run(line, env=env, capture_output=True, check=True)
    return int((folder / "count").read_text())
