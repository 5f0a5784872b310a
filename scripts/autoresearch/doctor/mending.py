"""What the doctor changes when asked: Codex's settings, one thing at a time, each repeatable and each to be undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..codex import codex_home, settings_edit
from ..kernel.core.errors import Refusal
from ..kernel.disk import atomic

_DONE = {
    "trust": "Codex trusts {root} now; take that back by removing its table from {path}",
    "permissions": "a sandboxed Codex may write .git of its workspace now, in new sessions; --mend no-permissions "
    "takes that back",
    "no-permissions": "Codex has its own permissions again, in new sessions",
}


def mend(root: Path, what: str) -> dict[str, Any]:
    """Change config.toml as asked and say so; raises `Refusal` with the file as it was."""
    edits: Mapping[str, Callable[[str], str]] = {
        "trust": lambda text: settings_edit.trusting(text, str(root.resolve())),
        "permissions": settings_edit.with_profile,
        "no-permissions": settings_edit.without_profile,
    }
    path = codex_home.config_path()
    before = _text(path)
    after = edits[what](before)
    if after != before:
        atomic.replace(path.resolve(), after)
    message = _DONE[what].format(root=root, path=path)
    return {"changed": after != before, "config_path": str(path), "message": message}


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} cannot be read ({error}), expected TOML; correct it first") from None
