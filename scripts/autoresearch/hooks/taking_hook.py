"""A trial that a foreground session left waiting, run by the Stop hook once the turn has ended."""

from __future__ import annotations

import os
import sys
import time

from ..kernel.core.text import one_line
from ..kernel.disk.layout import SKILL_ROOT, Layout
from ..kernel.run import intent, waiting
from ..kernel.run.context import Run
from ..kernel.system import process
from . import live_sessions

TEXT_LIMIT = 6000
TICK = 0.1
BREAK = 1.5  # seconds to end what runs when the user breaks in; the hook itself has three


def takes_over(run: Run) -> bool:
    """Whether this command belongs to a foreground session in which our hooks run, outside a sandbox."""
    sandboxed = os.environ.get("CODEX_SANDBOX_NETWORK_DISABLED", "") not in ("", "0")
    in_front = run.config.session_mode == "foreground" and run.mode != "exec" and not sandboxed
    return in_front and live_sessions.is_live(os.environ.get("CODEX_THREAD_ID", ""))


def taken(layout: Layout, session: str) -> str:
    """Run what this session left waiting; what it is told, "" when nothing waits."""
    if waiting.session(layout) != session or not session:
        return ""
    folder = layout.evidence / "session"
    folder.mkdir(parents=True, exist_ok=True)
    out, err = folder / "answer.json", folder / "answer.txt"
    for path in (out, err):
        path.write_bytes(b"")
    script = str(SKILL_ROOT / "scripts" / "autoresearch_run_trial.py")
    argv = (sys.executable, script, "--repo", str(layout.root), "--waiting")
    child = process.start_detached(argv, layout.root, {}, process.Streams(None, out, err), _mark(session))
    while child.poll() is None:
        time.sleep(TICK)
    if child.poll() == 0:
        said = out.read_text("utf-8", "replace").strip()
        return "" if said == "{}" else waiting.told(said)
    refused = one_line(err.read_text("utf-8", "replace"), TEXT_LIMIT)
    return waiting.told(f"refused: {refused}; the edit lies where it was") if child.poll() == 1 else ""


def take_back(layout: Layout, session: str) -> None:
    """The user broke in: end what is measured; the edit lies in the tree again, and nothing waits."""
    if waiting.session(layout) != session or not session:
        return
    waiting.drop(layout)
    process.end_marked(_mark(session), BREAK)
    with intent.alone(layout):
        pass


def _mark(session: str) -> str:
    return f"hook-{session}"
