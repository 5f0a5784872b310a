"""What a check must leave: the run's files, the user's own work, a git that works. All is put back after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.core.text import listing
from ..kernel.disk import evidence
from ..kernel.run.tree import Guarded
from ..kernel.system.git import Repo
from . import gitplace, gitstanding, keepsake, strays
from .gitcopy import GitCopies
from .gitplace import GitPlace
from .gitstanding import Standing

NOTE = evidence.intent_path(Path()).name  # which lies in the evidence folder


@dataclass(frozen=True)
class BeforeCheck:
    """What it was before a check."""

    files: Mapping[Path, bytes]
    mine: Mapping[Path, Mapping[Path, bytes]]
    places: tuple[GitPlace, ...]
    copies: GitCopies
    gits: tuple[Standing, ...]


def kept(what: Guarded) -> Callable[[], str]:
    """Read all of it; what puts it back, and says what that was; the port `measure`."""
    known = _remember(what)
    over = [strays.watch(note.parent) for note in what.files if note.name == NOTE]

    def after() -> str:
        """End the watching and put back; says what that was."""
        for close in over:
            close()
        try:
            return put_back(known)
        finally:
            known.copies.close()
            for place in known.places:
                gitplace.release(place)

    return after


def _remember(what: Guarded) -> BeforeCheck:
    mine = {
        tree: keepsake.remember((tree / path for path in paths), keepsake.SMALL) for tree, paths in what.mine.items()
    }
    gits = (gitstanding.of(tree) for tree in what.mine)
    places = tuple(place for tree in what.mine for place in gitplace.hold(tree))
    commons = tuple(dict.fromkeys(place.common for place in places))
    note = next((path for path in what.files if path.name == NOTE), None)
    copies = GitCopies(commons if note else (), note.parent if note else Path())
    known = keepsake.remember(what.files)
    return BeforeCheck(known, mine, places, copies, tuple(standing for standing in gits if standing))


def put_back(known: BeforeCheck) -> str:
    """Restore what the check took; what that was, "" for nothing. Raises `Refusal` where a checkout has moved."""
    gone = next((tree for tree in known.mine if not tree.is_dir()), None)
    if gone is not None:  # nothing is written where it was
        raise Refusal(f"{gone} was moved or removed while the check ran; repeat the command where it is now")
    mended = _moved(known)
    mended += [name for standing in known.gits for name in gitstanding.put_back(standing)]
    lost = [name.replace(".tmp", "") for name in keepsake.put_back(known.files)]
    taken = [path.name for tree, files in known.mine.items() for path in _taken(tree, files)]
    said = (
        (lost, "deletes files that are not its own ({}), as git clean does"),
        (taken, "takes back changes that are not its own ({}), as git stash and git reset do"),
        (mended, "breaks git or hides files from it ({}), which was repaired"),
    )
    told = [words.format(listing(names, 3)) for names, words in said if names]
    return f"the check {' and '.join(told)}" if told else ""


def _moved(known: BeforeCheck) -> list[str]:
    """The git folders that were moved away; where one is deleted, the run's own files are put back all the same."""
    try:
        return [place.folder.name for place in known.places if gitplace.put_back(place, known.copies.of)]
    except Refusal:
        within = {place.folder for place in known.places}
        keepsake.put_back({path: data for path, data in known.files.items() if not within.intersection(path.parents)})
        raise


def _taken(tree: Path, files: Mapping[Path, bytes]) -> list[Path]:
    """The user's changes that are gone, put back: missing files, and those that are as committed."""
    moved = [path for path, data in files.items() if not keepsake.is_same(path, data)]
    if not moved:
        return []
    changed = {change.path for change in Repo(tree).changes() if change.code != "D"}
    taken = [path for path in moved if path.relative_to(tree).as_posix() not in changed]
    return [path for path in taken if keepsake.write(path, files[path])]
