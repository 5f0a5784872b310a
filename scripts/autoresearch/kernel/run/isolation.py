"""Where experiments live in git: whether the branch is isolated, how trials are rolled back there, and what a
sandbox without `.git` means."""

from __future__ import annotations

import os
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


def explained(error: GitError, tree: Path) -> Refusal:
    """The refusal for a git failure in a trial; a read-only `.git` is named as what it is."""
    if not error.read_only:
        return Refusal(f"git refused: {error}; expected a healthy repository, run git status in {tree} and repair it")
    return Refusal(
        f"the sandbox has made {tree}/.git read-only, so the experiment cannot be committed; the edit stays. "
        f"Start Codex with --add-dir {shlex.quote(str(tree))}/.git (or full access), or run this command "
        "outside the sandbox"
    )


_OPEN = "have the commands run outside the sandbox, or start Codex with full access or with --add-dir"


def sealed(tree: Path) -> str:
    """A warning where no trial could be committed, "" elsewhere: told at set-up, while the user is there to choose.

    Found out by making a file beside the repository's own ones, as permission bits do not tell of a sandbox.
    """
    probe = Repo(tree).common_dir() / "autoresearch-probe.tmp"  # one name, so that what a kill leaves is taken over
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_NOFOLLOW | os.O_WRONLY, 0o600))
        probe.unlink(missing_ok=True)
    except OSError as error:
        folder = shlex.quote(str(probe.parent))
        return (
            f"{probe.parent} cannot be written from here ({error.strerror}), so every trial will be refused: {_OPEN} "
            f"{folder}, where codex resume --last --add-dir {folder} goes on with this session"
        )
    return ""
