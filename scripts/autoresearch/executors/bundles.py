"""A worktree's content carried to a machine without a shared file system: one commit in a bundle, and a script."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..kernel.core.frozen import dataclass
from ..kernel.system import gitfiles
from ..kernel.system.git import Repo
from . import lifeline

_REF = "refs/worktree/autoresearch-far"  # each worktree has its own: workers send theirs at one time
# Paths: a folder for each repository; in it a bare repository with a worktree for each run of a check. The bundle has
# all of the content, so sharing objects gains nothing, and runs at one time would meet half-made worktrees.
_SCRIPT = """\
set -e
top="${{XDG_CACHE_HOME:-$HOME/.cache}}/autoresearch/{digest}"; work="$top/{mark}"
w=
gone() {{ rm -rf "$work" "$work.git" "$work.bundle"; {done}; }}
gone; mkdir -p "$top"; git init -q --bare "$work.git"
trap gone EXIT; trap 'exit 143' HUP INT TERM; trap : PIPE
{watch}cat > "$work.bundle"
git -C "$work.git" fetch -q "$work.bundle" {ref}
git -C "$work.git" worktree add -q --detach "$work" {commit}
cd "$work"
/bin/sh -c {command} < /dev/null"""


@dataclass(frozen=True)
class Bundle:
    """A bundle of one commit without a past, whose tree is the content of the worktree."""

    path: Path
    commit: str
    mark: str
    digest: str

    def script(self, command: str) -> str:
        """What runs a check on the far side, for its `/bin/sh -c`; it reads the bundle from stdin."""
        parts = {"digest": self.digest, "mark": self.mark, "ref": _REF, "commit": self.commit}
        return _SCRIPT.format(command=shlex.quote(command), watch=lifeline.WATCH, done=lifeline.DONE, **parts)


class Sender(Repo):
    """A repository whose content is sent away."""

    def bundle(self, path: Path) -> str:
        """Write what the tree holds now, candidate or retained content, as one commit; returns the commit."""
        head = self.head()
        with self._index(head, [change.path for change in self.changes() if change.path[-1:] != "/"]) as env:
            tree = self._write(["write-tree"], env=env).decode().strip()
        commit = self.commit_tree(tree, "", "content of an experiment\n")
        self._write(["update-ref", _REF, commit])
        self._write(["bundle", "create", "-q", str(path), _REF])
        self._write(["update-ref", "-d", _REF])
        return commit


@contextmanager
def made(tree: Path, mark: str) -> Iterator[Bundle]:
    """The bundle of a worktree for the block."""
    import hashlib

    repo = Sender(tree)
    with gitfiles.scratch(repo.git_dir(), "bundle") as folder:
        path = folder / "content.bundle"
        commit = repo.bundle(path)
        digest = hashlib.sha256(str(repo.common_dir()).encode()).hexdigest()[:12]
        yield Bundle(path, commit, mark.replace("/", "-"), digest)
