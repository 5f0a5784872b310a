"""What a sandboxed session must be able to write besides its tree."""

from __future__ import annotations

from pathlib import Path

from ..kernel.run.context import Run
from ..kernel.system.git import Repo


def folders(run: Run | None, root: Path, tree: Path) -> tuple[str, ...]:
    """Git folders, artifacts, companions, snapshot; `tree` is where the session works, which may be a worker's.

    The sandbox keeps `.git` read-only; a linked worktree needs its own git folder and the shared one.
    """
    trees = [Path(where) for where, _ in run.trees().values()] if run else [tree]
    found = [str(root), *map(str, trees), *([str(run.layout.state.parent)] if run else [])]
    for where in (*trees, root, tree):
        repo = Repo(where)
        if repo.is_git():
            found += [str(repo.common_dir()), str(repo.git_dir())]
    return tuple(name for name in dict.fromkeys(found) if name != str(tree))
