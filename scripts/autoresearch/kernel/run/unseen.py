"""What git did not show before an experiment is the user's: ignored files, whichever way they become visible.

An edited ignore file, another home without the user's global excludes, a filter that is gone from the attributes: each
would make a trial commit what was never meant to be committed, and its undo delete it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core import log_events
from ..core.errors import Refusal
from ..core.text import listing
from ..disk.journal import Event
from ..system.git import Repo
from . import tree
from .tree import Edits

_MOST = 5000  # ignored paths that the log remembers, a wholly ignored folder as one
_RULES = 20_000  # characters of ignore rules outside the tree that it remembers


def remembered(items: Sequence[Edits]) -> list[Event]:
    """The events that name what is ignored at the start, and by which rules outside the tree."""
    events: list[Event] = []
    for item in items:
        repo = Repo(item.tree)
        paths, rules = repo.ignored_roots()[:_MOST], repo.private_ignore_rules()[:_RULES]
        if paths or rules:
            events.append(log_events.make("ignored", repo=item.repo, paths=list(paths), rules=rules))
    return events


def refuse_exposed(events: Sequence[Event], item: Edits, base: str, primary: str) -> None:
    """Raise `Refusal` naming the paths that a trial of these edits would commit although git did not show them."""
    exposed = _exposed(events, item, base)
    if exposed:
        raise Refusal(
            f"{listing(tree.named(item, exposed, primary))} was ignored when this run began, so it is the user's and "
            "no trial may commit it; take back the edit of the ignore file, or put the path into .git/info/exclude"
        )
    bared = _bared(item, base)
    if bared:
        raise Refusal(
            f"{listing(tree.named(item, bared, primary))} differs only because the attributes changed (a filter is "
            "gone or new), expected the files alone to be edited; take back the edit of .gitattributes"
        )


def _exposed(events: Sequence[Event], item: Edits, base: str) -> tuple[str, ...]:
    new = [path for path in item.inside if path in item.untracked]
    if not new:
        return ()
    known: Mapping[str, object] = next(
        (e for e in events if e.get("kind") == "ignored" and e.get("repo") == item.repo), {}
    )
    found = known.get("paths")
    roots = tuple(map(str, found)) if isinstance(found, (list, tuple)) else ()
    listed = {path for path in new if tree.is_below(path, roots)}
    repo, rules = Repo(item.tree), str(known.get("rules", ""))
    if rules != repo.private_ignore_rules()[:_RULES] or any(_is(path, ".gitignore") for path in _all(item)):
        listed |= repo.ignored_at(base, rules, new)
    return tuple(path for path in new if path in listed)


def _bared(item: Edits, base: str) -> tuple[str, ...]:
    if not any(_is(path, ".gitattributes") for path in _all(item)):
        return ()
    edited = [p for p in item.inside if p not in item.untracked and not _is(p, ".gitattributes")]
    return Repo(item.tree).changed_by_attributes(base, edited)


def _all(item: Edits) -> tuple[str, ...]:
    return (*item.inside, *item.outside)


def _is(path: str, name: str) -> bool:
    return Path(path).name == name
