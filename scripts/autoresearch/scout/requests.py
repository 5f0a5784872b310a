"""The routes of a web application, asked in a copy of the project: how long each takes, which statements it sends."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..checks import toolbox, web
from ..kernel.core.errors import Refusal
from ..kernel.core.text import shortened
from ..kernel.run import tempfolder
from ..profiles import profilers
from ..profiles.spots import HotSpot
from . import surroundings, webapps
from .picture import Cause, Picture
from .surroundings import Project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHOWN = 4  # routes, and functions of the profile
_MOST = 200 * 1024 * 1024  # bytes of a project that is copied
_ALIKE = 5  # statements of one kind that make a loop of queries
_FAILS = 500  # the status of a server that fails
_FIFTH = 20.0  # per cent of the time from which on a function is worth telling
_WAITS = 1000.0  # milliseconds from which on a route waits for something, and is no work for hundreds of requests
_LARGE = 100  # rows from which on reading a whole table is worth telling
_LEFT_OUT = (".git", "node_modules", ".venv", "venv", "__pycache__", ".tox", "dist", "build")
_COPIED = (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)


def asked(project: Project, request: toolbox.Request) -> Picture:
    """What the routes cost and why, the slowest first; nothing for a project without one that can be asked.

    Raises `Refusal` when the application does not start, or when the project is too large to be copied.
    """

    app = webapps.web_app(project)
    if not app or not {"Flask", "Django"} & set(surroundings.frameworks(project)):
        return Picture()
    with tempfolder.folder("scout") as folder:
        copy, profile = Path(folder, "copy"), Path(folder, "profile")
        _copied(project.root, copy)
        spec = {"app": app, "profile": str(profile), "headers": web.headers(request)}
        told = toolbox.inside(request, toolbox.python(request), "routes.py", spec, copy)
        spots = profilers.top_functions(profile, copy)[:_SHOWN] if profile.is_file() else []
    rows = sorted(told["routes"], key=lambda row: -float(row["ms"]))
    good = [row for row in rows if row["status"] == 200]
    closed = [row["path"] for row in rows if row["status"] in (401, 403)]
    lines = [f"time: GET {row['path']} {row['ms']:.2g} ms, {row['count']} statements" for row in good[:_SHOWN]]
    lines += (
        [f"time: {', '.join(closed[:4])} ask for a login: --header 'Authorization: …' measures them too"]
        if closed
        else []
    )
    failing = [f"{row['path']} ({row['status']})" for row in rows if row["status"] >= _FAILS]
    lines += [f"errors: {', '.join(failing[:4])} fail here, perhaps for want of data or settings"] if failing else []
    found = [*_loops(good), *_scans(told["scans"], project)]
    causes = (*found, *(cause for cause in _functions(spots) if cause.place not in {one.place for one in found}))
    asked_first = sorted(good, key=lambda row: float(row["ms"]) > _WAITS)
    return Picture(tuple(lines), causes, tuple(row["path"] for row in asked_first))


def _copied(root: Path, target: Path) -> None:
    """Copy the project: a request may write to its files or to its database, and the user's stay as they are."""
    import shutil

    total = 0
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in _LEFT_OUT]
        total += sum(os.lstat(os.path.join(folder, name)).st_size for name in files)
        if total > _MOST:
            raise Refusal("the project is over 200 MB, expected less for a copy; measure one route with CHECK http")
    shutil.copytree(root, target, symlinks=True, ignore=_left_out)


def _left_out(folder: str, names: Sequence[str]) -> list[str]:
    """What is not copied: what others made, a temporary folder in the project, pipes and devices."""
    kept = {name for name in names if stat.S_IFMT(os.lstat(os.path.join(folder, name)).st_mode) in _COPIED}
    return [name for name in names if name in _LEFT_OUT or name.startswith(tempfolder.PREFIX) or name not in kept]


def _loops(routes: list[Any]) -> Iterator[Cause]:
    """Routes that send the same statement many times."""
    for row in routes:
        path, line, text, times = row["rows"][0] if row["rows"] else ("", 0, "", 0)
        if times >= _ALIKE:
            share = f"up to {100 * times // row['count']} % of the {row['count']} statements of GET {row['path']}"
            what = f"GET {row['path']} sends {times} alike: {shortened(text, 70)}"
            yield Cause(f"{path}:{line}", what, share, "low: one query for all, same result")


def _scans(rows: list[Any], project: Project) -> Iterator[Cause]:
    """Tables that statements with a condition read whole; an index lies outside the code, unless that makes some."""
    own = any(
        "create index" in toolbox.read(project.root / name).lower() for name in project.files if name.endswith(".py")
    )
    for table in dict.fromkeys(row[2] for row in rows):
        places = [f"{path}:{line}" for path, line, name, count in rows if name == table and count >= _LARGE]
        if places:
            more = f", {len(places)} times" if len(places) > 1 else ""
            what = f"looks through all {next(row[3] for row in rows if row[2] == table)} rows of {table}{more}"
            gain, risk = "large on big tables", "low: an index; writes cost a little more"
            yield Cause(places[0], what, gain, risk, not own, table)


def _functions(spots: list[HotSpot]) -> Iterator[Cause]:
    """Functions in which the routes spend a fifth of their time or more."""
    for spot in spots:
        name, _, place = spot.name.rpartition(" ")
        if spot.share >= _FIFTH:
            what = f"{name} takes {spot.share:.0f} % of the time of all routes"
            yield Cause(place, what, f"up to {spot.share:.0f} %", "middle: the answers must stay the same, hold that")
