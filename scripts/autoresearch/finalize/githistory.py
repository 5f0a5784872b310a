"""A run's history read commit by commit, and the names that new commits may get."""

from __future__ import annotations

from pathlib import Path

from ..kernel.system import gitcall
from ..kernel.system.gitcall import GitError
from ..kernel.system.gitread import names_in
from ..kernel.system.gittrees import Trees
from .final_plan import HistoryCommit

_FORMAT = "--format=" + "%x1f".join(
    (
        "%H",
        "%P",
        "%T",
        "%(trailers:key=Autoresearch-Run,valueonly,separator=%x2c)",
        "%(trailers:key=Autoresearch-Iteration,valueonly,separator=%x2c)",
        "%(trailers:key=Autoresearch-Takes-Back,valueonly,separator=%x2c)",
    )
)
_LOG = ("log", "--first-parent", "--reverse", "--no-show-signature", "--no-mailmap", "-z", _FORMAT)


class History(Trees):
    """A repository whose run is to become a branch. Methods raise GitError when git fails."""

    def steps(self, base: str, tip: str) -> tuple[HistoryCommit, ...]:
        """`base`, then the first-parent commits from there to `tip`, oldest first."""
        first = _steps(self._read(*_LOG, "-1", base))
        return first if base == tip else first + _steps(self._read(*_LOG, f"{base}..{tip}"))

    def commit_of(self, name: str) -> str:
        """Full id of the commit that `name` means, "" when it means none."""
        return self._resolve(name + "^{commit}")

    def branch_problem(self, name: str) -> str:
        """Why no branch of this name can be made here, or ""."""
        if gitcall.attempt(self._cwd(), ["check-ref-format", "--branch", name])[0] != 0 or name.startswith("@{"):
            return "is no valid branch name"
        return "exists already" if self._resolve("refs/heads/" + name) else ""

    def create_branch(self, name: str, at: str) -> None:
        """A new branch at a commit, not checked out. Raises GitError when it exists."""
        self._write(["branch", "--no-track", "--", name, at])

    def add_detached_worktree(self, path: Path, at: str) -> None:
        """A linked worktree at a commit, on no branch."""
        self._write(["worktree", "add", "-q", "--detach", str(path), at])

    def delete_branch(self, name: str, at: str) -> None:
        """Remove a branch that is still at `at`; quiet when it is not."""
        gitcall.attempt(self._cwd(), ["update-ref", "-d", "refs/heads/" + name, at])

    def untracked(self) -> tuple[str, ...]:
        """Untracked paths, ignored ones included; a wholly untracked folder as one entry ending in "/"."""
        return names_in(self._read("ls-files", "--others", "--directory", "--no-empty-directory", "-z"))


def _steps(out: bytes) -> tuple[HistoryCommit, ...]:
    found = []
    for record in names_in(out):
        commit, parents, tree, *trailers = record.split("\x1f")
        found.append(HistoryCommit(commit, tuple(parents.split()), tree, *(text.strip() for text in trailers)))
    return tuple(found)


__all__ = ["GitError", "History"]
