"""Where experiments live in git: whether the branch is isolated, how trials are rolled back there, and what a
sandbox without `.git` means."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..core.errors import Refusal
from ..system.git import GitError, Repo
from .context import Run

PREFIX = "autoresearch/"


def is_isolated(tree: Path) -> bool:
    """Whether commits here can be dropped without touching shared history: a linked worktree, or a branch that is
    not the one where work is merged."""
    repo = Repo(tree)
    branch = repo.branch()
    if repo.is_linked_worktree() or branch.startswith(PREFIX):
        return True
    default = repo.default_branch()
    # Where no branch is known as the one of merging, every branch may be it.
    return bool(branch and default) and branch != default


def rollback(run: Run) -> str:
    """`reset` where the user approved it and the branch is isolated, else `revert`."""
    return "reset" if "reset" in run.config.rollback_policy and is_isolated(run.tree) else "revert"


def explained(error: GitError, tree: str | Path) -> Refusal:
    """The refusal for a git failure; a read-only `.git` is named as what it is."""
    if not error.read_only:
        return Refusal(f"git refused: {error}; expected a healthy repository, run git status in {tree} and repair it")
    return Refusal(
        f"the sandbox has made {tree}/.git read-only, so nothing can be committed; the edit stays. "
        f"Start Codex with --add-dir {shlex.quote(str(tree))}/.git (or full access), or run this command "
        "outside the sandbox"
    )
