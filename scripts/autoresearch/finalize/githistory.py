"""A run's history read commit by commit, and new commits built from it without touching index, tree or branch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..kernel.system import gitcall
from ..kernel.system.git import Repo
from ..kernel.system.gitcall import GitError
from ..kernel.system.gitread import DIFF, _names, _text
from .final_plan import Entry, Step

_FORMAT = "--format=" + "%x1f".join(
    (
        "%H",
        "%P",
        "%T",
        "%(trailers:key=Autoresearch-Run,valueonly,separator=%x2c)",
        "%(trailers:key=Autoresearch-Iteration,valueonly,separator=%x2c)",
    )
)
_LOG = ("log", "--first-parent", "--reverse", "--no-show-signature", "--no-mailmap", "-z", _FORMAT)


class History(Repo):
    """A repository whose run is to become a branch. Methods raise GitError when git fails."""

    def steps(self, base: str, tip: str) -> tuple[Step, ...]:
        """`base`, then the first-parent commits from there to `tip`, oldest first."""
        first = _steps(self._read(*_LOG, "-1", base))
        return first if base == tip else first + _steps(self._read(*_LOG, f"{base}..{tip}"))

    def entries(self, base: str, tip: str) -> tuple[Entry, ...]:
        """What differs between two commits (or trees), as `tip` has it; both ends of a rename."""
        fields = _names(self._read("diff-tree", "--raw", "-z", "--no-abbrev", *DIFF, base, tip))
        return tuple(
            Entry(path, about.split(" ")[1], about.split(" ")[3]) for about, path in zip(fields[::2], fields[1::2])
        )

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree."""
        return _text(self._read("rev-parse", "--verify", "--end-of-options", commit + "^{tree}"))

    def commit_of(self, name: str) -> str:
        """Full id of the commit that `name` means, "" when it means none."""
        return self._resolve(name + "^{commit}")

    def overlaid(self, tree: str, entries: Sequence[Entry]) -> str:
        """The id of the tree that is `tree` with these paths replaced."""
        # Removals come first, so that a file may take the place of a folder and the other way round.
        ordered = sorted(entries, key=lambda entry: entry.mode != "000000")
        lines = b"".join(os.fsencode(f"{e.mode} {e.blob}\t{e.path}\0") for e in ordered)
        with self._scratch_index() as env:
            self._write(["read-tree", tree], env=env)
            self._write(["update-index", "-z", "--index-info"], lines, env)
            return _text(self._write(["write-tree"], env=env))

    @contextmanager
    def _scratch_index(self) -> Iterator[dict[str, str]]:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="autoresearch-index-") as folder:
            yield {"GIT_INDEX_FILE": os.path.join(folder, "index")}

    def branch_problem(self, name: str) -> str:
        """Why no branch of this name can be made here, or ""."""
        if gitcall.attempt(self._cwd(), ["check-ref-format", "--branch", name])[0] != 0 or name.startswith("@{"):
            return "is no valid branch name"
        return "exists already" if self._resolve("refs/heads/" + name) else ""

    def delete_branch(self, name: str, at: str) -> None:
        """Remove a branch that is still at `at`; quiet when it is not."""
        gitcall.attempt(self._cwd(), ["update-ref", "-d", "refs/heads/" + name, at])

    def untracked(self) -> tuple[str, ...]:
        """Untracked paths, ignored ones included; a wholly untracked folder as one entry ending in "/"."""
        return _names(self._read("ls-files", "--others", "--directory", "--no-empty-directory", "-z"))


def _steps(out: bytes) -> tuple[Step, ...]:
    found = []
    for record in _names(out):
        commit, parents, tree, run, iteration = record.split("\x1f")
        found.append(Step(commit, tuple(parents.split()), tree, run.strip(), iteration.strip()))
    return tuple(found)


__all__ = ["GitError", "History"]
