"""Where a project's tools lie, and where those that it lacks are installed once the user agrees: one place for each
language, none of them a file that git sees."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from ..kernel.core import jsontext
from ..kernel.disk import layout

ENVIRONMENTS = (".venv", "venv", "env")
_QUIET = "--ignore-scripts --no-audit --no-fund"
_NEW = f"npm install --no-save --no-package-lock {_QUIET} --legacy-peer-deps"
# How a lock file's own tool installs what it names.
_LOCKS = {
    "package-lock.json": f"npm ci {_QUIET}",
    "pnpm-lock.yaml": "npx -y pnpm@9 install --frozen-lockfile --ignore-scripts",
    "yarn.lock": "npx -y yarn@1 install --frozen-lockfile --ignore-scripts",
}
_ELSEWHERE = re.compile(r"(?:workspace|catalog|link|portal|file):")  # what npm cannot fetch


def homes(root: Path) -> tuple[Path, ...]:
    """Folders that may hold a project's tools: `root`, those above up to the repository's top, and for a linked
    worktree the checkout behind it."""
    found = []
    for folder in (root, *root.parents):
        found.append(folder)
        marker = folder / ".git"
        if marker.is_file():
            pointer = marker.read_text("utf-8", "replace").partition("gitdir:")[2].strip()
            behind, cut, _ = pointer.rpartition("/.git/worktrees/")
            found += [Path(behind)] if cut else []
        if marker.exists():
            return tuple(found)
    return (root,)


def folder(root: Path) -> Path:
    """The place of a repository's missing tools, outside it; the same for its linked worktrees."""
    return layout.cache() / "tools" / layout.own_scratch(homes(root)[-1]).name


def bins(root: Path) -> list[str]:
    """Folders of programs that were installed there."""
    return [str(folder(root) / name) for name in ("env/bin", "node_modules/.bin")]


def own_python(root: Path) -> str:
    """The interpreter of a virtual environment that the project or the session has, "" without one."""
    active = os.environ.get("VIRTUAL_ENV", "")
    places = [home / name for home in homes(root) for name in ENVIRONMENTS] + ([Path(active)] if active else [])
    return next((str(place / "bin/python3") for place in places if (place / "bin/python3").exists()), "")


def future_python(root: Path) -> str:
    """The interpreter that has what is missing, once it is installed."""
    return own_python(root) or str(folder(root) / "env/bin/python3")


def command(root: Path, packages: Iterable[str]) -> str:
    """The shell command that installs packages named as `pip NAME` or `npm NAME`; any other text is a command of its
    own. "" for none."""
    asked = list(dict.fromkeys(packages))
    pip = [name[4:] for name in asked if name.startswith("pip ")]
    npm = [name[4:] for name in asked if name.startswith("npm ")]
    rest = [name for name in asked if not name.startswith(("pip ", "npm "))]
    return " && ".join([*([_pip(root, pip)] if pip else []), *([_npm(root, npm)] if npm else []), *rest])


def _pip(root: Path, names: Iterable[str]) -> str:
    """Into the project's own virtual environment; without one, into one outside the repository."""
    from shutil import which

    python = future_python(root)
    base = "python3" if which("python3") else "python"
    place = shlex.quote(str(folder(root) / "env"))
    made = "" if os.path.exists(python) else f"{base} -m venv --system-site-packages {place} && "
    uses_uv = os.path.exists(python) and not any(Path(python).parents[1].glob("lib/python*/site-packages/pip"))
    program = (
        f"uv pip install -q --python {shlex.quote(python)}" if uses_uv else f"{shlex.quote(python)} -m pip install -q"
    )
    return f"{made}{program} {' '.join(map(shlex.quote, names))}"


def _npm(root: Path, names: Iterable[str]) -> str:
    """Into node_modules, hidden from git, with everything that the manifest names; no manifest or lock changes."""
    home = next((home for home in homes(root) if (home / "package.json").is_file()), root)
    top = homes(root)[0 if home == root else -1]
    tools = " ".join(name for name in map(shlex.quote, names) if name != "''")
    lock = next((line for name, line in _LOCKS.items() if (top / name).is_file()), "")
    wanted = _wanted(home)
    plain = [shlex.quote(f"{name}@{spec}") for name, spec in wanted.items() if not _ELSEWHERE.match(spec)]
    if lock:
        return hidden(root, "node_modules/") + lock + (f" && {_NEW} {tools}" if tools else "")
    if len(plain) == len(wanted):
        return hidden(root, "node_modules/") + f"{_NEW} {tools}".rstrip()
    place = shlex.quote(str(folder(root)))
    line = " ".join([f"npm install --prefix {place} {_QUIET} --legacy-peer-deps", *plain, tools]).rstrip()
    return f"{hidden(root, 'node_modules')}{line} && ln -s {place}/node_modules node_modules"


def _wanted(home: Path) -> dict[str, str]:
    """The packages that a manifest asks for, with their versions."""
    try:
        found = jsontext.loads((home / "package.json").read_text("utf-8"))
        groups = [found.get(name) or {} for name in ("dependencies", "devDependencies")]
        return {str(name): str(spec) for group in groups for name, spec in group.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def hidden(root: Path, name: str) -> str:
    """The command that hides a folder from git, "" where git ignores it already."""
    from ..kernel.system import ask

    asked = ask.exits({"ignored": ["git", "check-ignore", "-q", name]}, 10.0, str(root))
    seen = asked.get("ignored", (1, ""))[0] != 0
    line = f'echo {name.rstrip("/")} >> "$(git rev-parse --git-path info/exclude)" && '
    return line if seen else ""
