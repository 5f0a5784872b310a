"""What a check must leave: the run's files, the user's own work, a git that works. All is put back after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..core import artifacts
from ..core.frozen import dataclass
from ..core.text import listing
from ..disk import evidence, keepsake
from ..disk.layout import Layout
from ..system import gitstanding
from ..system.git import Repo
from ..system.gitstanding import Standing


@dataclass(frozen=True)
class Guarded:
    """`files` may not go; `mine` are the user's own changed files by checkout, which may not go back to HEAD."""

    files: tuple[Path, ...] = ()
    mine: Mapping[Path, tuple[str, ...]] = {}


@dataclass(frozen=True)
class Known:
    """What it was before a check."""

    files: Mapping[Path, bytes]
    mine: Mapping[Path, Mapping[Path, bytes]]
    gits: tuple[Standing, ...]


def guarded(layout: Layout, mine: Mapping[Path, Iterable[str]], more: Iterable[Path] = ()) -> Guarded:
    """The run's files, the note of a trial, the index of each checkout in `mine`, which names the user's changes."""
    own = (layout.results, layout.state, layout.launch, layout.lessons, layout.ideas)
    notes = (evidence.intent_path(layout.evidence), evidence.batch_path(layout.evidence))
    trees = [tree for tree in mine if Repo(tree).is_git()]
    kept = {tree: tuple(path for path in paths if not artifacts.is_owned(path)) for tree, paths in mine.items()}
    return Guarded((*more, *own, *notes, *(Repo(tree).git_dir() / "index" for tree in trees)), kept)


def remember(what: Guarded) -> Known:
    """Read all of it."""
    mine = {
        tree: keepsake.remember((tree / path for path in paths), keepsake.SMALL) for tree, paths in what.mine.items()
    }
    gits = (gitstanding.of(tree) for tree in what.mine)
    return Known(keepsake.remember(what.files), mine, tuple(standing for standing in gits if standing))


def put_back(known: Known) -> str:
    """Restore what the check took; what that was, "" for nothing."""
    mended = [name for standing in known.gits for name in gitstanding.put_back(standing)]
    gone = [name.replace(".tmp", "") for name in keepsake.put_back(known.files)]
    taken = [path.name for tree, files in known.mine.items() for path in _taken(tree, files)]
    said = (
        (gone, "deletes files that are not its own ({}), as git clean does"),
        (taken, "takes back changes that are not its own ({}), as git stash and git reset do"),
        (mended, "breaks git or hides files from it ({}), which was mended"),
    )
    told = [words.format(listing(names, 3)) for names, words in said if names]
    return f"the check {' and '.join(told)}" if told else ""


def _taken(tree: Path, files: Mapping[Path, bytes]) -> list[Path]:
    """The user's changes that are gone, put back: missing files, and those that are as committed."""
    moved = [path for path, data in files.items() if not keepsake.is_same(path, data)]
    if not moved:
        return []
    changed = {change.path for change in Repo(tree).changes() if change.code != "D"}
    taken = [path for path in moved if path.relative_to(tree).as_posix() not in changed]
    return [path for path in taken if keepsake.write(path, files[path])]
