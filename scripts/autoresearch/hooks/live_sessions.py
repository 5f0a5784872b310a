"""Which Codex sessions run our hooks: the start of a session notes it, for nothing else proves it to a command.

Kept in the user's cache, since a session may start before there is a run. A sandboxed command can read it.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from ..kernel.disk import layout

_CONFINED = "confined"
KEPT_S = 30 * 86_400.0
_NAME = re.compile(r"[\w-]{1,100}")


def _folder() -> Path:
    return layout.cache() / "hooks"


def note(session: str, confined: bool = False) -> None:
    """The hooks run in this session; `confined`: and the CLI's sandbox can be had. Old notes go.

    A cache that cannot be written only means that nothing waits.
    """
    if not _NAME.fullmatch(session):
        return
    try:
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        (_folder() / session).write_text(_CONFINED if confined else "")
        for path in _folder().iterdir():
            if path.stat().st_mtime < time.time() - KEPT_S:
                path.unlink()
    except OSError:
        pass


def is_live(session: str) -> bool:
    """Whether the hooks run in this session."""
    return bool(_NAME.fullmatch(session)) and (_folder() / session).exists()


def is_confined(session: str) -> bool:
    """Whether the hooks run in this session, and the CLI's sandbox command could be run when it began."""
    try:
        return is_live(session) and (_folder() / session).read_text() == _CONFINED
    except OSError:
        return False
