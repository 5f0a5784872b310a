"""What the Codex hooks do at a run: keep a foreground session at it, within bounds, and remind it after a compaction.

Only the session that records the run's rows is spoken to; others in the same repository are left alone.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from ..cli.run_root import find_root
from ..guidance import nextstep
from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.supervise import OVER
from ..kernel.core.text import one_line
from ..kernel.disk import evidence, layout
from ..kernel.run import budget, context
from ..kernel.run.context import Run
from ..kernel.system import process
from ..supervisor import supervisor
from . import hooks_file, taking_hook

LIMIT = 3  # continuations in a row without a new row; then the turn may end


def stop(start: Path, session: str) -> str:
    """Why a session that wants to end its turn in the folder `start` is to go on, "" when it may end."""
    run = _run(start)
    if run is None or run.config.session_mode != "foreground":
        return ""
    answer = taking_hook.taken(run.layout, session, hooks_file.seconds(run.layout.root))
    if answer != "":
        return answer or ""
    if not _drives(run, session):
        return ""
    if _step(run)[0] in OVER or _count(run, session) >= LIMIT:
        return ""
    _note(run, session, _count(run, session) + 1)
    return (
        f"The run is not finished. {_anchor(run)} If the user has asked to pause or stop, say so in one line and end."
    )


def interrupted(start: Path, session: str) -> None:
    """The user broke in: let turns end until the session records a row again."""
    run = _run(start)
    if run is not None:
        taking_hook.take_back(run.layout, session)
    if run is not None and _drives(run, session):
        _note(run, session, LIMIT)


def compacted(start: Path, session: str) -> str:
    """What a session whose history was compacted has to know, "" when it has no part in an unfinished run."""
    run = _run(start)
    managed = run is not None and run.config.session_mode == "background" and process.MARK in os.environ
    if run is None or not (managed or _drives(run, session)) or _step(run)[0] in OVER:
        return ""
    return f"Your history was compacted in mid-run. Read {layout.SKILL_ROOT / 'SKILL.md'} again. {_anchor(run)}"


def _run(start: Path) -> Run | None:
    """The sound run at `start`, exec mode's left out: it has a program to answer to."""
    where = layout.standard(find_root(start))
    try:
        run = context.load(where) if where.results.exists() else None
    except Refusal:
        return None
    return None if run is None or run.mode == "exec" else run


def _drives(run: Run, session: str) -> bool:
    """Whether this session recorded the last row."""
    held = (run.snapshot or {}).get("supervisor")
    return bool(session) and isinstance(held, dict) and held.get("session") == session


def _step(run: Run) -> tuple[str, str]:
    return nextstep.decide(run.config, run.mode, run.state, run.log.rows, budget.spent(run))


def _anchor(run: Run) -> str:
    """Goal, scope, figures, next action and the command for a trial; all of it is data, bounded."""
    state, config = run.state, run.config
    action, reason = _step(run)
    script = (
        layout.SKILL_ROOT
        / "scripts"
        / ("autoresearch_run_trial.py" if config.measured else "autoresearch_record_iteration.py")
    )
    trial = shlex.join([sys.executable, str(script), "--repo", str(run.layout.root), "--description"])
    return (
        f"Goal: {one_line(config.goal or config.metric, 200)}. Scope: {one_line(config.scope or '.', 200)}. "
        f"Iteration {state.iteration}, retained {one_line(config.metric, 40)} {numbers.plain(state.current_metric)} "
        f"({config.direction} is better). Next: {action}{f' ({one_line(reason, 100)})' if reason else ''}. "
        f"Make one change in scope, then: {trial} 'WHAT YOU CHANGED'. Follow next.do of its answer."
    )


def _count(run: Run, session: str) -> int:
    """Continuations of this session since the last row."""
    noted = evidence.read_json(_path(run)) or {}
    same = noted.get("session") == session and noted.get("signature") == supervisor.signature(run.log)
    count = noted.get("count")
    return count if same and isinstance(count, int) else 0


def _note(run: Run, session: str, count: int) -> None:
    noted = {"session": session, "signature": supervisor.signature(run.log), "count": count}
    evidence.write_json(_path(run), noted)


def _path(run: Run) -> Path:
    return run.layout.evidence / "continuations.json"
