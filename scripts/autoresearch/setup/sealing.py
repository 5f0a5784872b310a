"""A git that cannot be written: told at set-up, while the user is there to choose."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ..kernel.system.git import Repo

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
