"""What differs in the working trees of a run, sorted into what may be committed and what may not."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from ..core import artifacts, scope
from ..core.errors import Refusal
from ..core.frozen import dataclass, replace
from ..core.text import listing
from ..disk import evidence, hashes
from ..disk.journal import Event
from ..disk.layout import Layout, installed, skill_inside
from ..system.git import Change, Repo
from .context import Run


@dataclass(frozen=True)
class Edits:
    """Changed paths of one repository: `inside` the scope, `outside` of it, and whether anything is unmerged."""

    repo: str
    tree: Path
    inside: tuple[str, ...]
    outside: tuple[str, ...]
    unmerged: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()  # by-products included
    ignored: tuple[str, ...] = ()  # paths that git ignores, a folder that a rule names ends in `/`
    nested: tuple[str, ...] = ()  # repositories in the repository: with changes of their own, or not its submodules
    added: tuple[str, ...] = ()  # in the index and in no commit


@dataclass(frozen=True)
class Guarded:
    """`files` may not go; `mine` are the user's own changed files by checkout, which may not go back to HEAD."""

    files: tuple[Path, ...] = ()
    mine: Mapping[Path, tuple[str, ...]] = {}


def _events(events: Sequence[Event], kind: str, repo: str) -> list[Event]:
    return [event for event in events if event.get("kind") == kind and event.get("repo") == repo]


def byproducts(events: Sequence[Event], repo: str) -> tuple[str, ...]:
    """Untracked paths that the checks themselves leave behind; a folder ends in `/`."""
    return tuple(str(path) for event in _events(events, "byproducts", repo) for path in event.get("paths", ()))


def foreign(events: Sequence[Event], repo: str) -> Mapping[str, str]:
    """The user's own changes outside the scope at the start, with their digests."""
    return {path: digest for event in _events(events, "foreign", repo) for path, digest in event["files"].items()}


def guarded(run: Run, trees: Iterable[Path]) -> Guarded:
    """What no check of the run may take away in these checkouts."""
    repos = {where: repo for repo, (where, _) in run.trees().items()}
    mine = {where: tuple(foreign(run.log.of_kind("foreign"), repos.get(where, str(where)))) for where in trees}
    return kept_of(run.layout, mine)


def kept_of(layout: Layout, mine: Mapping[Path, Iterable[str]], more: Iterable[Path] = ()) -> Guarded:
    """The run's files, the note of a trial, the index of each checkout in `mine`, which names the user's changes."""
    own = (layout.results, layout.state, layout.launch, layout.lessons, layout.ideas)
    notes = (evidence.intent_path(layout.evidence), evidence.batch_path(layout.evidence))
    trees = [tree for tree in mine if Repo(tree).is_git()]
    kept = {tree: tuple(path for path in paths if not artifacts.is_owned(path)) for tree, paths in mine.items()}
    return Guarded((*more, *own, *notes, *(Repo(tree).git_dir() / "index" for tree in trees)), kept)


def is_below(path: str, roots: Sequence[str]) -> bool:
    """Whether `path` is one of `roots` or lies in a root that ends in `/`."""
    return any(path == root or (root.endswith("/") and path.startswith(root)) for root in roots)


def own_changes(changes: Sequence[Change], tree: Path, extra: Sequence[str] = ()) -> tuple[Change, ...]:
    """The changes that are neither artifacts of the tool nor the skill's own folder."""
    new = {change.path for change in changes if change.code == "?"}
    kept = set(artifacts.foreign([change.path for change in changes], skill_inside(tree), extra, new))
    return tuple(c for c in changes if c.path in kept and not _leads_to_skill(tree / c.path))


def _leads_to_skill(path: Path) -> bool:
    return path.is_symlink() and installed().is_relative_to(os.path.realpath(path))


def edits(run: Run) -> tuple[Edits, ...]:
    """The edits of every repository of the run, the primary one first; raises `Refusal` where its worktree is gone."""
    events = run.log.of_kind("byproducts", "foreign")
    if not run.tree.is_dir():
        raise Refusal(
            f"the run's worktree {run.tree} is gone, expected it there; if it was moved: git -C {run.layout.root} "
            "worktree repair NEW_PATH, then repeat the command; else init_run --force begins a new run"
        )
    return tuple(
        sort(repo, tree, pattern, events, run.layout.own_paths()) for repo, (tree, pattern) in run.trees().items()
    )


def sort(repo: str, tree: Path, pattern: str, events: Sequence[Event], extra: Sequence[str] = ()) -> Edits:
    """Sort one repository's changes by its scope; by-products and the user's unchanged work do not count.

    Outside git nothing is known to differ: a reported run may lie there.
    """
    if not Repo(tree).is_git():
        return Edits(repo, tree, (), ())
    found, hidden = Repo(tree).changes_and_ignored()
    changes = own_changes(found, tree, extra)
    untracked = tuple(change.path for change in changes if change.code == "?")
    ignored, mine = byproducts(events, repo), foreign(events, repo)
    changes = tuple(change for change in changes if not is_below(change.path, ignored) or change.code != "?")
    known = [change.path for change in changes if change.path in mine]
    same = {path for path in known if hashes.is_same(tree / path, mine[path])}
    paths = [change.path for change in changes if change.path not in same]
    inside = scope.matcher(pattern)
    return Edits(
        repo,
        tree,
        tuple(path for path in paths if inside(path)),
        tuple(path for path in paths if not inside(path)),
        tuple(change.path for change in changes if change.code == "U"),
        untracked,
        hidden,
        tuple(
            change.path for change in changes if inside(change.path) and (change.code == "S" or change.path[-1:] == "/")
        ),
        tuple(change.path for change in changes if change.code == "A"),
    )


def refuse_odd(item: Edits, primary: str) -> None:
    """Raise `Refusal` for a pipe, socket or device in the place of a file: no commit holds it, and to read it waits."""
    odd = [path for path in (*item.inside, *item.outside) if _is_odd(item.tree / path)]
    if odd:
        raise Refusal(
            f"{listing(named(item, odd, primary))} is a pipe, socket or device, expected a file; bring the file back "
            "(git restore), then repeat the command"
        )


def _is_odd(path: Path) -> bool:
    return os.path.lexists(path) and not (path.is_symlink() or path.is_file() or path.is_dir())


def without(item: Edits, paths: Collection[str]) -> Edits:
    """The same edits but for `paths`."""
    inside, outside, untracked = (
        tuple(path for path in group if path not in paths) for group in (item.inside, item.outside, item.untracked)
    )
    return replace(item, inside=inside, outside=outside, untracked=untracked)


def named(item: Edits, paths: Sequence[str], primary: str) -> list[str]:
    """Paths as the user reads them: those of a companion begin with its own path."""
    return [path if item.repo == primary else f"{item.repo}/{path}" for path in paths]
