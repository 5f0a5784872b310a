"""A copy of an earlier commit beside the project, outside it: what the work of today is compared with."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..cli import run_root
from ..kernel.core.errors import Refusal
from ..kernel.disk import layout
from . import toolbox
from .toolbox import Request

_ROOM = 100 * 1024 * 1024  # bytes of a database that is copied
_LINKED = ("node_modules", ".venv", "venv")


def copies(request: Request) -> list[Path]:
    """The copy of `--against REV`, or nothing where it was not given."""
    return [copy(request, str(request.options["against"]))] if request.options.get("against") else []


def copy(request: Request, revision: str) -> Path:
    """The project's folder in a copy of that commit, made once; installed dependencies are linked into it.

    Raises `Refusal` when the commit is not known.
    """
    asked = toolbox.run(["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", "--show-prefix"], request)
    name, _, prefix = asked.out.strip().partition("\n")
    if asked.code or not name:
        raise Refusal(f"{revision} is no commit of this repository, expected one for --against; see git log")
    marker = run_root.git_marker(request.root)
    top = marker.parent if marker else request.root
    made = layout.own_scratch(request.root) / f"reference-{name[:12]}"
    if not (made / ".complete").exists():
        _extract(request, name, made)
    for folder in _LINKED:
        if (top / folder).is_dir() and not (made / folder).exists():
            os.symlink(top / folder, made / folder)
    _with_data(request, top, made)
    return made / prefix.strip()


def _with_data(request: Request, top: Path, made: Path) -> None:
    """Databases that git does not hold are copied as they are now: the same work needs the same data."""
    import shutil

    asked = toolbox.run(["git", "ls-files", "-z", "--others", "--full-name", ":/"], request)
    for name in filter(re.compile(r".*\.(?:db|sqlite3?)$").match, asked.out.split("\0")):
        source, target = top / name, made / name
        if source.is_file() and source.stat().st_size <= _ROOM and not any(p in name.split("/") for p in _LINKED):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _extract(request: Request, name: str, made: Path) -> None:
    import shlex

    made.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = shlex.quote(str(made))
    line = f'cd "$(git rev-parse --show-toplevel)" && git archive --format=tar {name} | tar -xf - -C {target}'
    ran = toolbox.shell(f"set -e; {line}; touch {target}/.complete", request)
    if ran.code:
        raise toolbox.broken("git archive", ran)
