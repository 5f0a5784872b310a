"""Further questions to a repository, which only a set-up has: what git sees, what it was told not to look at."""

from __future__ import annotations

from ..kernel.system.gitread import names_in
from .ignoring import Ignoring


class Listing(Ignoring):
    """A repository of which a set-up asks what a run may change in it."""

    def files(self) -> tuple[str, ...]:
        """Every path that is tracked, or untracked and not ignored."""
        out = self._read("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return tuple(dict.fromkeys(names_in(out)))

    def held(self) -> tuple[str, ...]:
        """Every tracked path."""
        return names_in(self._read("ls-files", "-z"))

    def submodules(self) -> tuple[str, ...]:
        """The folders that are commits of other repositories."""
        entries = names_in(self._read("ls-files", "-z", "-s"))
        return tuple(entry.partition("\t")[2] for entry in entries if entry.startswith("160000 "))

    def unwatched(self) -> tuple[str, ...]:
        """Tracked files that git was told not to look at (assume-unchanged, skip-worktree) and that are there."""
        marked = (e for e in names_in(self._read("ls-files", "-z", "-v")) if e[0].islower() or e[0] == "S")
        return tuple(entry[2:] for entry in marked if (self._cwd() / entry[2:]).exists())

    def line_ends(self) -> tuple[str, ...]:
        """Tracked paths stored with CRLF whose attributes ask for another line ending: git calls them changed for ever.

        From `git ls-files --eol` (git 2.8): what the index holds, what the tree holds, the attributes, the path.
        """
        found = []
        for entry in names_in(self._read("ls-files", "-z", "--eol")):
            told, _, path = entry.partition("\t")
            index, attributes = told.split(None, 2)[0], told.partition("attr/")[2].strip()
            asked = attributes.split(" ")[0] == "text" or ("eol=" in attributes and attributes[:5] != "text=")
            if index in ("i/crlf", "i/mixed") and asked:
                found.append(path)
        return tuple(found)
