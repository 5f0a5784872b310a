"""Edits that git does not show: in ignored files, and in those that it was told not to look at.

Such an edit takes part in the measurement and is in no commit, so the gain would be credited to another one.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from ..kernel.core import artifacts, log_events, scope
from ..kernel.core.text import listing
from ..kernel.disk import hashes
from ..kernel.disk.journal import Event
from ..kernel.disk.layout import skill_inside
from ..kernel.run import tree
from ..kernel.run.context import Run
from ..kernel.run.tree import Edits
from .listing import Listing

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from .scopes import Trees

# What builds, tools and editors leave beside sources; nobody edits these by hand.
_MADE = tuple(
    ".pyc .pyo .o .a .so .dylib .d .obj .class .jar .log .tmp .swp .swo .lock .pid .map .tsbuildinfo .coverage .prof"
    " .profraw .gcda .gcno .orig .rej .bak .DS_Store ~".split()
)
_MADE_FOLDERS = frozenset(
    "node_modules __pycache__ .venv venv env .git .tox .nox .mypy_cache .pytest_cache .ruff_cache .cache dist build out"
    " target .next .nuxt .turbo .gradle .idea .vscode coverage htmlcov .eggs bin obj tmp vendor logs .hypothesis"
    " .benchmarks .ipynb_checkpoints".split()
)
_CACHES = frozenset(
    "node_modules __pycache__ .venv venv .git .tox .nox .mypy_cache .pytest_cache .ruff_cache .cache .next .nuxt .turbo"
    " .gradle .idea .vscode .eggs .hypothesis .benchmarks .ipynb_checkpoints target".split()
)
_READ = 2000  # ignored files of which it is seen whether the check reads them
_WATCHED = 400  # ignored files that are watched
_LOOKED = 4000  # names that are looked at for them


def events(trees: Trees, more: Mapping[str, Collection[str]] | None = None) -> list[Event]:
    """Events with the digests of ignored files in the scope, as far as people edit such files, and of `more` files."""
    found: list[Event] = []
    for repo, (folder, pattern) in trees.items():
        hidden = _ignored(folder, pattern, Listing(folder).changes_and_ignored()[1])
        found.append(_event(repo, folder, [*hidden, *(more or {}).get(repo, ())]))
    return found


def _event(repo: str, folder: Path, names: Sequence[str]) -> Event:
    return log_events.make("watched", repo=repo, files=hashes.digests(folder, dict.fromkeys(names)))


def readable(folder: Path, built: bool) -> list[str]:
    """Ignored files anywhere that a check may read, such as a local configuration; no products where it builds.

    Which of them it does read is told by their opens.
    """
    roots = Listing(folder).changes_and_ignored()[1]
    found = _files(folder, roots, _MADE_FOLDERS if built else _CACHES)
    return [path for path in found if not path.endswith(_MADE) and not artifacts.is_owned(path)][:_READ]


def _ignored(folder: Path, pattern: str, roots: Sequence[str]) -> list[str]:
    inside = scope.matcher(pattern)
    found: list[str] = []
    for path in _files(folder, roots, _MADE_FOLDERS):
        if inside(path) and not path.endswith(_MADE) and not artifacts.is_owned(path):
            found.append(path)
        if len(found) >= _WATCHED:
            break
    return found


def _files(folder: Path, roots: Sequence[str], without: frozenset[str]) -> Iterator[str]:
    """Ignored files, those in wholly ignored folders too but for the folders of these names, which tools make, and for
    the skill's own, which may be updated in mid-run."""
    looked, own = 0, str(folder / (skill_inside(folder) or ".git"))
    for root in roots:
        if artifacts.is_owned(root.rstrip("/")) or any(_made(part, without) for part in root.split("/")[:-1]):
            continue
        if not root.endswith("/"):
            yield root
            continue
        if str(folder / root) == own:
            continue
        for at, folders, names in os.walk(folder / root):
            folders[:] = sorted(f for f in folders if not _made(f, without) and os.path.join(at, f) != own)
            for name in sorted(names):
                looked += 1
                if looked > _LOOKED:
                    return
                yield Path(at, name).relative_to(folder).as_posix()


def _made(path: str, without: frozenset[str]) -> bool:
    name = path.rstrip("/").rpartition("/")[2]
    return name in without or name.endswith((".egg-info", ".dist-info"))


def _known(run: Run) -> dict[str, Event]:
    return {event["repo"]: event for event in run.log.of_kind("watched")}


def admission(run: Run, found: Sequence[Edits]) -> str:
    """Why no trial is made now: an edit in the scope is hidden from git; "" where there is none."""
    known, trees = _known(run), run.trees()
    for item in found:
        folder, pattern = trees[item.repo]
        inside = scope.matcher(pattern)
        unwatched = [path for path in Listing(folder).unwatched() if inside(path)]
        if unwatched:
            from .scopes import seen_again

            return (
                f"git was told not to look at {listing(unwatched, 3)} (assume-unchanged or skip-worktree), so an edit "
                f"is in no commit; expected files that git sees: {seen_again(unwatched[0])}; then run the trial again"
            )
        leading = [path for path in item.inside if _leads_out(item.tree, path)]
        if leading:
            return (
                f"{listing(tree.named(item, leading, str(run.layout.root)), 3)} is a link that leads out of the "
                "repository, so what it leads to is in no commit; expected files: copy what is needed in its place, "
                "then run the trial again"
            )
        moved = _moved(run, item, pattern, known.get(item.repo)) if item.repo in known else []
        if moved:
            return (
                f"{listing(tree.named(item, moved, str(run.layout.root)), 3)} was changed and is ignored by git, so "
                "the change is in no commit and its gain would be another edit's; take it back, or out of the scope, "
                "then run the trial again; where the code needs it, the user tracks it (git add -f)"
            )
    return ""


def _leads_out(top: Path, path: str) -> bool:
    full, real = top / path, os.path.realpath(top)
    return full.is_symlink() and full.exists() and not Path(os.path.realpath(full)).is_relative_to(real)


def _moved(run: Run, item: Edits, pattern: str, event: Event | None) -> list[str]:
    """Ignored files that are not what they were when the last row was written: changed, gone or new."""
    before = dict((event or {}).get("files", {}))
    left = tree.byproducts(run.log.of_kind("byproducts"), str((event or {}).get("repo")))
    full = len(before) >= _WATCHED  # then others may only have moved up
    inside = [] if full else _ignored(item.tree, pattern, item.ignored)
    names = [*before, *(path for path in inside if not tree.is_below(path, left))]
    now = hashes.digests(item.tree, dict.fromkeys(names))
    return [path for path, digest in now.items() if before.get(path, "") != digest]


def settled(run: Run, found: Sequence[Edits]) -> list[Event]:
    """The events after the checks of a trial, which may write ignored files; none where nothing moved.

    `found` is what differs in the trees then.
    """
    known, trees, events_ = _known(run), run.trees(), list[Event]()
    for item in found:
        if item.repo in known:
            before = known[item.repo]["files"]
            after = _event(item.repo, item.tree, [*_ignored(item.tree, trees[item.repo][1], item.ignored), *before])
            events_ += [after] if after["files"] != before else []
    return events_
