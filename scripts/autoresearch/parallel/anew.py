"""A worker's worktree made ready for its next experiment."""

from __future__ import annotations

from pathlib import Path

from ..kernel.disk import bytecode
from ..kernel.run.context import Run
from ..kernel.system.git import Repo
from ..setup import skill_paths


class Worktree(Repo):
    """A worktree that belongs to a batch: nothing in it is anybody's but the batch's."""

    def start_anew(self, commit: str) -> None:
        """Branch, index and files to `commit`; untracked files go, ignored ones (dependencies, caches) stay."""
        self._write(["reset", "-q", "--hard", commit])
        self._write(["clean", "-q", "-f", "-d"])


def renew(run: Run, path: str, commit: str) -> None:
    """The worktree at `path` holds `commit` and what the checks need of the skill, and none of its old bytecode."""
    repo = Worktree(Path(path))
    bytecode.forget(repo.root, repo.changed_paths(repo.head(), commit))
    repo.start_anew(commit)
    skill_paths.lay(run.layout.root, repo.root, run.config)
