"""Trees built from objects: contents of commits put together anew, without touching index, files or branch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..core.frozen import dataclass
from . import gitcall, gitfiles
from .git import Repo
from .gitread import DIFF, names_in, text_in

GONE = "000000"
LINK = "160000"  # the commit of a submodule


@dataclass(frozen=True)
class TreeEntry:
    """One path that a change touched, and what it holds afterwards: git's mode and blob id (mode `GONE`: nothing)."""

    path: str
    mode: str
    blob: str


class Trees(Repo):
    """A repository whose contents are taken apart and put together. Methods raise GitError when git fails."""

    def entries(self, base: str, tip: str) -> tuple[TreeEntry, ...]:
        """What differs between two commits (or trees), as `tip` has it; both ends of a rename."""
        fields = names_in(self._compared("--raw", "-z", "--no-abbrev", *DIFF, base, tip))
        return tuple(
            TreeEntry(path, about.split(" ")[1], about.split(" ")[3]) for about, path in zip(fields[::2], fields[1::2])
        )

    def overlaid(self, tree: str, entries: Sequence[TreeEntry]) -> str:
        """The id of the tree that is `tree` with these paths replaced."""
        # Removals come first, so that a file may take the place of a folder and the other way round.
        ordered = sorted(entries, key=lambda entry: entry.mode != GONE)
        lines = b"".join(os.fsencode(f"{e.mode} {e.blob}\t{e.path}\0") for e in ordered)
        with self._scratch_index() as env:
            self._write(["read-tree", tree], env=env)
            self._write(["update-index", "-z", "--index-info"], lines, env)
            return text_in(self._write(["write-tree"], env=env))

    def patched(self, tree: str, patch: bytes) -> str:
        """The id of `tree` with a patch in git's format on it, by three-way merge where its context moved; "" when
        they conflict."""
        with self._scratch_index() as env:
            self._write(["read-tree", tree], env=env)
            for way in (["--3way"], []):  # a git before 2.32 takes no --3way beside --cached
                code, _, _ = gitcall.attempt(self._cwd(), ["apply", "--cached", *way, "-"], patch, env)
                if code == 0 and not self._write(["ls-files", "-u", "-z"], env=env):
                    return text_in(self._write(["write-tree"], env=env))
                self._write(["read-tree", "--reset", tree], env=env)
        return ""

    def forced(self, target: str, paths: Sequence[str]) -> None:
        """These paths as `target` has them, in index and tree, whatever they hold now."""
        present = self._listed(target, paths)
        self._restore(target, present)
        self._drop([path for path in paths if path not in present])

    def message(self, commit: str) -> str:
        """The whole message of a commit."""
        return self._read("cat-file", "commit", commit).decode("utf-8", "replace").partition("\n\n")[2]

    def content(self, blob: str) -> bytes:
        """What a blob holds."""
        return self._read("cat-file", "blob", blob)

    def kept(self, content: bytes) -> str:
        """The id of a blob with this content, which is there afterwards."""
        return text_in(self._write(["hash-object", "-w", "--stdin"], content))

    def repoint(self, old: str, new: str) -> None:
        """HEAD's branch from one commit to another; index and files are the caller's. Quiet when it is there."""
        if self.head() != new:
            self._move(new, old, "part")

    @contextmanager
    def _scratch_index(self) -> Iterator[dict[str, str]]:
        with gitfiles.scratch(self.git_dir(), "trees") as folder:
            yield {"GIT_INDEX_FILE": str(folder / "index")}
