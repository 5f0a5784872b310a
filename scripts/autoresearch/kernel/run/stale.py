"""Lock files of git that a killed command left: found by the next one, and never taken from a git that lives."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import Refusal
from ..disk import atomic, evidence, locks
from ..disk.layout import Layout
from ..system import gitfiles, interrupts, process
from ..system.git import Repo
from . import tempfolder

PATIENCE = 3.0  # seconds that a lock gets to go away by itself


@contextmanager
def held(layout: Layout, busy: str, trees: Iterable[Path] = ()) -> Iterator[None]:
    """Hold the run's lock for the block, without locks of git that a killed command left in `trees`.

    Raises `Refusal` when somebody else holds it, or a git at work holds its own.
    """
    gitfiles.hide(layout.evidence)
    path = evidence.lock_path(layout.evidence)
    since = _modified(path)
    with locks.held(path, busy):
        for tree in dict.fromkeys((layout.root, *trees)):
            clear(tree, since)
            forget_checkouts(tree)
        tempfolder.sweep()
        _forget_unfinished(layout)
        os.utime(path)
        yield


def _modified(path: Path) -> float:
    """When the last command that held the lock began; locks older than this are none of ours."""
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


def clear(tree: Path, since: float) -> None:
    """Remove temporary indexes, and locks of git not older than `since`; a git at work is waited for, then told of."""
    repo = Repo(tree)
    if not repo.is_git():
        return
    repo.sweep_indexes()
    until = time.monotonic() + PATIENCE
    for path in _locks(repo):
        while path.exists() and time.monotonic() < until:
            interrupts.pause(0.05)
        if path.exists() and path.stat().st_mtime >= since - 1:
            _refuse_living(repo, path)
            if path.is_dir() and not path.is_symlink():
                atomic.set_aside(path)  # no git has made it
            path.unlink(missing_ok=True)


def forget_checkouts(tree: Path) -> None:
    """Remove the scratch checkouts that a killed command left, and what git remembers of them."""
    repo = Repo(tree)
    if not repo.is_git():
        return
    for path in repo.linked_worktrees():
        if tempfolder.is_left(path):
            repo.remove_worktree(Path(path))


def _forget_unfinished(layout: Layout) -> None:
    """Remove the half-written files that only a holder of the lock writes: one that was killed left them."""
    notes = [evidence.intent_path(layout.evidence), evidence.batch_path(layout.evidence), layout.results]
    notes += [layout.evidence / name for name in evidence.FINAL]
    for path in (*(note.with_name(note.name + ".tmp") for note in notes), *_half_written(layout.evidence)):
        if path.is_file():
            path.unlink(missing_ok=True)
    for path in (layout.lessons, layout.ideas):
        with locks.held_if_there(path):
            path.with_name(path.name + ".tmp").unlink(missing_ok=True)


def _half_written(folder: Path) -> list[Path]:
    folders = [folder / name for name in os.listdir(folder) if name[0].isdigit()]
    inner = [(one, name) for one in folders if one.is_dir() for name in os.listdir(one)]
    return [one / name for one, name in inner if name.endswith(".json.tmp")]


def _locks(repo: Repo) -> list[Path]:
    branch = repo.branch()
    found = [repo.git_dir() / "index.lock", repo.git_dir() / "HEAD.lock", repo.common_dir() / "packed-refs.lock"]
    found += [repo.common_dir() / "refs" / "heads" / f"{branch}.lock"] if branch else []
    return [path for path in found if path.exists()]


def _refuse_living(repo: Repo, path: Path) -> None:
    living = process.running_in(repo.root, "git")
    if living:
        raise Refusal(
            f"git is at work in {repo.root} ({living[0]}) and holds {path.name}, expected none beside a trial; "
            "finish it (close its editor), then repeat the command"
        )
