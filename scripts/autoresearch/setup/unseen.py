"""What git did not show before an experiment is the user's: ignored files, whichever way they become visible.

An edited ignore file, another home without the user's global excludes, a filter that is gone from the attributes: each
would make a trial commit what was never meant to be committed, and its undo delete it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..kernel.core import artifacts, log_events
from ..kernel.core.errors import Refusal
from ..kernel.core.text import listing
from ..kernel.disk.journal import Event
from ..kernel.run import tree
from ..kernel.run.context import Run
from ..kernel.run.tree import Edits
from ..kernel.system.git import Repo
from .ignoring import Ignoring

_MOST = 5000  # ignored paths that the log remembers, a wholly ignored folder as one
_RULES = 20_000  # characters of ignore rules outside the tree that it remembers


def remembered(items: Sequence[Edits]) -> list[Event]:
    """The events that name what is ignored at the start, and by which rules outside the tree."""
    events: list[Event] = []
    for item in items:
        repo = Ignoring(item.tree)
        paths, rules = repo.ignored_roots()[:_MOST], repo.private_ignore_rules()[:_RULES]
        if paths or rules:
            events.append(log_events.make("ignored", repo=item.repo, paths=list(paths), rules=rules))
    return events


def admission(run: Run, edits: Sequence[Edits]) -> str:
    """Why no trial is made of these edits, or ""; the port `edit`."""
    try:
        for item in edits:
            if item.inside:
                refuse_exposed(run.log.of_kind(*NAMED), item, Repo(item.tree).head(), str(run.layout.root))
    except Refusal as found:
        return str(found)
    return ""


NAMED = ("start", "ignored", "foreign")  # the events that are asked here


def refuse_exposed(events: Sequence[Event], item: Edits, base: str, primary: str) -> None:
    """Raise `Refusal` naming the paths that a trial of these edits would commit although git did not show them."""
    exposed = _exposed(events, item, base)
    if exposed:
        raise Refusal(
            f"{listing(tree.named(item, exposed, primary))} was ignored when this run began, so it is the user's and "
            "no trial may commit it; take back the edit of the ignore file (git rm --cached, where it was added), or "
            "put the path into .git/info/exclude"
        )
    gone, moved = _moved(events, item)
    if moved:
        raise Refusal(
            f"{listing(tree.named(item, moved, primary))} is older than this run, and {listing(gone)} is gone, which "
            "git did not track: what was moved there is the user's and no trial may commit it; move it back"
        )
    bared = _bared(item, base)
    if bared:
        raise Refusal(
            f"{listing(tree.named(item, bared, primary))} differs only because the attributes changed (a filter is "
            "gone or new), expected the files alone to be edited; take back the edit of .gitattributes"
        )


def _exposed(events: Sequence[Event], item: Edits, base: str) -> tuple[str, ...]:
    new = [path for path in item.inside if path in item.untracked or path in item.added]
    if not new:
        return ()
    listed = {path for path in new if tree.is_below(path, _ignored(events, item))}
    repo, rules = Ignoring(item.tree), str(_known(events, item).get("rules", ""))
    shown = item.added or any(_is(path, ".gitignore") for path in _all(item))
    if shown or rules != repo.private_ignore_rules()[:_RULES]:
        listed |= repo.ignored_at(base, rules, new)
    return tuple(path for path in new if path in listed)


def _known(events: Sequence[Event], item: Edits) -> Mapping[str, object]:
    return next((e for e in events if e.get("kind") == "ignored" and e.get("repo") == item.repo), {})


def _ignored(events: Sequence[Event], item: Edits) -> tuple[str, ...]:
    """The paths that were ignored at the start; a folder ends in `/`."""
    found = _known(events, item).get("paths")
    return tuple(map(str, found)) if isinstance(found, (list, tuple)) else ()


def _moved(events: Sequence[Event], item: Edits) -> tuple[list[str], list[str]]:
    """The user's ignored and untracked paths that are gone, and the new files which may be they: older than the run."""
    known = [*_ignored(events, item), *tree.foreign(events, item.repo)]
    gone = [path for path in known if not artifacts.is_owned(path) and not os.path.lexists(item.tree / path)]
    start = next((str(e.get("at")) for e in events if e.get("kind") == "start"), "")
    if not gone or not start:
        return gone, []
    import calendar

    began = calendar.timegm(time.strptime(start, "%Y-%m-%dT%H:%M:%SZ"))
    new = [path for path in item.inside if path in item.untracked]
    return gone, [path for path in new if os.lstat(item.tree / path).st_mtime < began]


def _bared(item: Edits, base: str) -> tuple[str, ...]:
    if not any(_is(path, ".gitattributes") for path in _all(item)):
        return ()
    edited = [p for p in item.inside if p not in item.untracked and not _is(p, ".gitattributes")]
    return Ignoring(item.tree).changed_by_attributes(base, edited)


def _all(item: Edits) -> tuple[str, ...]:
    return (*item.inside, *item.outside)


def _is(path: str, name: str) -> bool:
    return Path(path).name == name
