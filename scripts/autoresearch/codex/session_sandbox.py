"""The sandbox of a session that somebody watches: read from the session's own record, had by the CLI's own command.

What such a session left to a hook is its own code, and hooks run outside the sandbox: so its checks go back into one
with the same folders, and without network. Read against 0.171.0.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..kernel.core.errors import Refusal
from ..kernel.system import process
from . import codex_agent, rollout

OPEN, WRITES = "danger-full-access", "workspace-write"
# What the CLI itself keeps read-only below each folder that may be written.
_KEPT = (".git", ".agents", ".codex", ".aws")
_FLAGS = ("exclude_slash_tmp", "exclude_tmpdir_env_var")
_TRY_S = 8.0


def command(thread_id: str, tree: Path) -> tuple[str, ...] | None:
    """The command line before a check of what this session wrote in `tree`: () where it has full access, None where
    its sandbox is not known, is another kind, or does not hold `tree`."""
    context = rollout.newest_turn(thread_id)
    policy = context.get("sandbox_policy")
    policy = policy if isinstance(policy, dict) else {}
    if policy.get("type") == OPEN:
        return ()
    roots = [str(context.get("cwd") or ""), *(policy.get("writable_roots") or ())]
    if policy.get("type") != WRITES or not _is_usual(context) or not _holds(roots, tree):
        return None
    folders = json.dumps([root for root in roots if ".git" not in Path(root).parts], ensure_ascii=False)
    settings = {"writable_roots": folders, "network_access": "false"}
    settings.update({name: str(bool(policy.get(name))).lower() for name in _FLAGS})
    pairs = ['sandbox_mode="workspace-write"', *(f"sandbox_workspace_write.{k}={v}" for k, v in settings.items())]
    try:
        return (codex_agent.find(""), "sandbox", *(part for pair in pairs for part in ("-c", pair)), "--")
    except Refusal:
        return None


def _is_usual(context: Mapping[str, Any]) -> bool:
    """Whether everything may be read, and nothing is closed but what the CLI always closes: the sandbox command makes
    no narrower one."""
    profile = context.get("permission_profile")
    if not isinstance(profile, dict):  # of an older version
        return True
    files = profile.get("file_system")
    entries = files.get("entries") if isinstance(files, dict) else None
    return isinstance(entries, list) and all(_is_known(entry) for entry in entries)


def _is_known(entry: Any) -> bool:
    where = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(where, dict) or entry.get("access") not in ("read", "write"):
        return False
    return entry["access"] == "write" or where.get("type") == "special" or Path(str(where.get("path"))).name in _KEPT


def _holds(roots: list[str], tree: Path) -> bool:
    real = os.path.realpath(tree)
    return any(os.path.isabs(root) and os.path.commonpath([os.path.realpath(root), real]) == os.path.realpath(root)
               for root in roots)  # fmt: skip


def works(folder: Path) -> bool:
    """Whether the sandbox command runs here at all: tried once."""
    try:
        prefix = (codex_agent.find(""), "sandbox", "-c", 'sandbox_mode="workspace-write"', "--")
        tried = process.run_shell("exit 9", folder, _TRY_S, {}, "confined", process.Limits(within=prefix))
        return tried.exit_code == 9
    except (Refusal, OSError):
        return False
