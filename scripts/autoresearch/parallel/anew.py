"""A worker's worktree made ready for its next experiment."""

from __future__ import annotations

from ..kernel.system.git import Repo


class Worktree(Repo):
    """A worktree that belongs to a batch: nothing in it is anybody's but the batch's."""

    def start_anew(self, commit: str) -> None:
        """Branch, index and files to `commit`; untracked files go, ignored ones (dependencies, caches) stay."""
        self._write(["reset", "-q", "--hard", commit])
        self._write(["clean", "-q", "-f", "-d"])
