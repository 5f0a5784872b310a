"""Questions to Git and to a repository whether experiments can be committed there; nothing here writes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..kernel.core import artifacts
from ..kernel.system import gitcall
from ..kernel.system.ask import ask_all
from ..kernel.system.gitread import Reader

_HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit")


def version(program: str, *flags: str) -> tuple[int, ...]:
    """The version a program tells, as numbers; empty when it is missing or says nothing in 5 seconds."""
    said = ask_all({program: (program, *flags)}, 5.0).get(program, "")
    found = re.search(r"\d+(?:\.\d+)+", said)
    return tuple(map(int, found[0].split("."))) if found else ()


class Health(Reader):
    """A repository to be judged. Methods raise GitError when git fails."""

    def has_identity(self) -> bool:
        """Whether the user named an author, by settings or by environment."""
        return all(
            os.environ.get(f"GIT_COMMITTER_{key.upper()}") or self._setting(f"user.{key}") for key in ("name", "email")
        )

    def signs(self) -> bool:
        """Whether the user's own commits are signed."""
        return self._setting("commit.gpgSign").lower() in ("true", "yes", "on", "1")

    def hooks(self) -> tuple[str, ...]:
        """The hooks that the user's own commits run."""
        configured = self._setting("core.hooksPath")
        folder = self._cwd() / os.path.expanduser(configured) if configured else self.common_dir() / "hooks"
        return tuple(name for name in _HOOKS if os.access(folder / name, os.X_OK))

    def locked(self) -> str:
        """The index's lock file when there is one, else ""."""
        path = self.git_dir() / "index.lock"
        return str(path) if path.exists() else ""

    def tracked_artifacts(self) -> tuple[str, ...]:
        """Files of the tool that git tracks."""
        return tuple(name for name in self.tracked(("**",)) if artifacts.is_owned(name))

    def would_embed(self, folder: Path) -> bool:
        """Whether `git add` would record this folder's own repository: one neither ignored nor a submodule."""
        real, top = (
            Path(os.path.realpath(folder)),
            os.path.realpath(self._cwd()),
        )  # of a link git records the link alone
        if not (folder / ".git").exists() or not real.is_relative_to(top):
            return False
        name = real.relative_to(top).as_posix()
        asked = ["check-ignore", "-q", "--no-index", "--", name]
        ignored = gitcall.attempt(self._cwd(), asked, env={"GIT_LITERAL_PATHSPECS": "0"})[0] == 0
        return not ignored and not self.blob_ids([name])
