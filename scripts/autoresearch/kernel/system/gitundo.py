"""Taking one commit back while other people work: its own paths alone, on top of whatever HEAD is by now.

What is in the way (an edit made meanwhile, what a check made anew, a folder where a file was) is moved aside, never
deleted and never a reason to stop. Every step may be repeated after a kill.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..core.frozen import dataclass
from . import gitcall
from .git import GitError
from .gittrees import GONE, LINK, Trees


@dataclass(frozen=True)
class TrialCommit:
    """One commit to take back: its parent, itself, the branch that it was made on ("" when HEAD was detached), the
    message of the commit that reverts it ("" to move the branch back), and where to put what is in the way."""

    base: str
    commit: str
    branch: str
    message: str
    aside: Path


def take_back(repo: Trees, trial: TrialCommit) -> tuple[str, ...]:
    """The trial's paths back to what they were; the paths that were moved aside. Raises GitError when git fails."""
    if trial.branch and repo.branch() != trial.branch and repo.exists("refs/heads/" + trial.branch):
        _on_branch(repo, trial)  # somebody switched: their tree is theirs
        return ()
    head = repo.head()
    if head == trial.base and not trial.message:
        return ()
    ours = _ours(repo, trial, head)
    moved = restore(repo, trial, ours) if ours or head == trial.commit else ()
    if head == trial.commit and not trial.message:
        repo.move_head(trial.base, head, "undo")
    elif ours:
        repo.move_head(_reverted(repo, trial, head, ours), head, "undo")
    return moved


def _ours(repo: Trees, trial: TrialCommit, tip: str) -> tuple[str, ...]:
    """The trial's paths that still are at `tip` what the trial made of them."""
    paths = repo.changed_paths(trial.base, trial.commit)
    if tip == trial.commit:
        return paths
    changed = set(repo.changed_paths(trial.commit, tip))
    return tuple(path for path in paths if path not in changed)


def _reverted(repo: Trees, trial: TrialCommit, tip: str, paths: Sequence[str]) -> str:
    """A commit on top of `tip` in which these paths are what they were before the trial."""
    back = [entry for entry in repo.entries(trial.commit, trial.base) if entry.path in paths]
    tree = repo.overlaid(repo.tree_of(tip), back)
    return repo.commit_tree(tree, tip, trial.message or f"Revert {trial.commit}")


def _on_branch(repo: Trees, trial: TrialCommit) -> None:
    ref = "refs/heads/" + trial.branch
    tip = repo.commit_at(ref)
    ours = _ours(repo, trial, tip)
    if tip == trial.commit and not trial.message:
        repo.move_ref(ref, trial.base, tip)
    elif ours and tip != trial.base:
        repo.move_ref(ref, _reverted(repo, trial, tip, ours), tip)


def restore(repo: Trees, trial: TrialCommit, paths: Sequence[str]) -> tuple[str, ...]:
    """Index and files of these paths to the base's content; returns what was moved aside."""
    if repo.head() == trial.commit and LINK not in {e.mode for e in repo.entries(trial.commit, trial.base)}:
        try:
            repo.switch_content(trial.commit, trial.base, finish=False)
            return ()
        except GitError:
            pass  # something is in the way: path by path
    return _Slow(repo, trial, paths).run()


class _Slow:
    """Path by path: what equals the trial's content goes, what is somebody's is moved aside, then the base's comes."""

    def __init__(self, repo: Trees, trial: TrialCommit, paths: Sequence[str]) -> None:
        self.repo, self.trial, self.paths = repo, trial, paths
        self.top = repo.root
        self.moved: list[str] = []
        listed = [entry for entry in repo.entries(trial.commit, trial.base) if entry.path in paths]
        self.wanted = {entry.path: (entry.mode, entry.blob) for entry in listed if entry.mode != GONE}

    def run(self) -> tuple[str, ...]:
        """Undo the trial; returns the paths that stood in the way."""
        links = [path for path, (mode, _) in self.wanted.items() if mode == LINK]
        files = [path for path in self.paths if self._is_file(path)]
        known = set(files) - self.repo.unlike(self.trial.commit, files)
        same = set(files) - self.repo.unlike(self.trial.base, files)
        for path in files:
            if path not in same and path in known:
                (self.top / path).unlink()
            elif path not in same:
                self._aside(path)
        self._prune()
        plain = [path for path in self.wanted if path not in links]
        for path in plain:
            self._clear_way(path)
        self.repo.forced(self.trial.base, [path for path in self.paths if path not in links])
        for path in links:
            self._submodule(path)
        return tuple(self.moved)

    def _is_file(self, path: str) -> bool:
        full = self.top / path
        beyond = any((self.top / folder).is_symlink() for folder in list(Path(path).parents)[:-1])
        return not beyond and os.path.lexists(full) and (full.is_symlink() or not full.is_dir())

    def _prune(self) -> None:
        for folder in sorted({f for path in self.paths for f in list(Path(path).parents)[:-1]}, reverse=True):
            try:
                if not (self.top / folder).is_symlink():
                    (self.top / folder).rmdir()
            except OSError:
                continue  # not empty, or not there

    def _clear_way(self, path: str) -> None:
        """Nothing stands where the path, or a folder on its way, has to be."""
        for folder in reversed(list(Path(path).parents)[:-1]):
            full = self.top / folder
            if os.path.lexists(full) and (full.is_symlink() or not full.is_dir()):
                self._aside(folder.as_posix())
        full = self.top / path
        if full.is_dir() and not full.is_symlink():
            self._aside(path)

    def _aside(self, path: str) -> None:
        import shutil

        target, number = self.trial.aside / path, 1
        while os.path.lexists(target):
            number += 1
            target = self.trial.aside / f"{path}.{number}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(self.top / path), str(target))
        self.moved.append(path)

    def _submodule(self, path: str) -> None:
        """The commit that the base names, checked out; the discarded one stays in the submodule's own history."""
        commit = self.wanted[path][1]
        gitcall.call(self.top, ["update-index", "--cacheinfo", f"{LINK},{commit},{path}"])
        self.repo.check_out_submodule(path, commit)
