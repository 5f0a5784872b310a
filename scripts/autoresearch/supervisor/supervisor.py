"""The supervisor's decision for a run on disk, with its counters between sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kernel.core import config, supervise
from ..kernel.core.errors import Refusal
from ..kernel.core.rulings import Ruling
from ..kernel.disk.journal import Log
from ..kernel.disk.layout import Layout
from ..kernel.run import budget, context
from ..longlog import marked
from ..resuming import resume_rules
from ..resuming import resuming as reading
from . import stagnation
from .stagnation import Counters


def signature(log: Log) -> str:
    """What the log looks like; equal before and after a session that recorded nothing."""
    last = marked.last(log)
    return f"{log.state.iteration}:{last.status}:{last.commit}:{log.count}"


def status(layout: Layout, max_stagnation: int, after_run: bool, write: bool) -> dict[str, Any]:
    """The answer of `supervisor_status`; with `write` the snapshot's `supervisor` object is brought up to date."""
    seen = reading.examine(layout)
    if not seen.evidence.has_results and not seen.evidence.has_state:
        return {**_missing(after_run), **_files(seen, False)}
    if seen.log is None or seen.decision.decision in (resume_rules.WIZARD, resume_rules.FRESH):
        return {**_inconsistent(seen), **_files(seen, False)}
    run = context.assemble(layout, seen.log)
    counters = _counters(run.snapshot)
    if after_run:
        counters = stagnation.after_session(counters, signature(run.log))
    ruling = supervise.judge(run.config, run.mode, run.state, budget.spent(run))
    ruling = stagnation.with_stagnation(ruling, counters, max_stagnation)
    if write:
        _write(layout, ruling, counters, after_run)
    answer = _answer(ruling, run.mode, run.state.iteration, run.state.last_status, counters)
    return {**answer, **_files(seen, write)}


def _files(seen: reading.FoundRun, written: bool) -> dict[str, Any]:
    return {"supervisor_state_written": written, **seen.layout.names("results", "state")}


def _missing(after_run: bool) -> dict[str, Any]:
    if not after_run:
        raise Refusal("there is no run here (research-results.tsv is missing); start one with autoresearch_init_run.py")
    ruling = Ruling(supervise.RELAUNCH, "missing_artifacts", "the session ended without setting up the run")
    return _answer(ruling, "", None, "", Counters())


def _inconsistent(seen: reading.FoundRun) -> dict[str, Any]:
    detail = f"{seen.decision.reason}: {'; '.join(seen.decision.sentences)}"
    ruling = Ruling(supervise.HUMAN, "state_inconsistent", detail)
    iteration = seen.log.state.iteration if seen.log else None
    return _answer(ruling, seen.header.get("mode", ""), iteration, "", Counters())


def _counters(found: Mapping[str, Any] | None) -> Counters:
    held = (found or {}).get("supervisor")
    held = held if isinstance(held, dict) else {}

    def count(name: str) -> int:
        """A counter of the snapshot, 0 where it is unusable."""
        value = held.get(name)
        return value if isinstance(value, int) else 0

    return Counters(str(held.get("last_observed_signature") or ""), count("restart_count"), count("stagnation_count"))


def _write(layout: Layout, ruling: Ruling, counters: Counters, after_run: bool) -> None:
    changes: dict[str, Any] = {
        **context.advice(ruling),
        "last_exit_kind": stagnation.exit_kind(ruling),
        "restart_count": counters.restarts,
        "stagnation_count": counters.stagnation,
        "last_observed_signature": counters.signature,
    }
    if after_run:
        changes["last_turn_finished_at"] = context.now()
    with context.writing(layout, marked.parser(layout.state)) as (run, held):
        context.save(run, held.log, changes)


def _answer(ruling: Ruling, mode: str, iteration: int | None, last: str, counters: Counters) -> dict[str, Any]:
    return {
        "decision": ruling.decision,
        "reason": ruling.reason,
        "reasons": [ruling.detail],
        "last_exit_kind": stagnation.exit_kind(ruling),
        "terminal_reason": supervise.terminal_reason(ruling),
        "mode": mode or None,
        "iteration": iteration,
        "last_status": last or None,
        "restart_count": counters.restarts,
        "stagnation_count": counters.stagnation,
    }


def touch_session(layout: Layout, session_mode: str, policy: str) -> dict[str, Any]:
    """Change where the run happens; the log is untouched."""
    from ..kernel.core.frozen import replace

    with context.writing(layout) as (run, held):
        asked = replace(run.config, session_mode=session_mode, execution_policy=policy or run.config.execution_policy)
        after = context.save(replace(run, config=config.with_policy(asked, run.mode)), held.log)
    return {
        "session_mode": after.config.session_mode,
        "execution_policy": after.config.execution_policy or None,
        **after.layout.names("results", "state"),
    }


def forget_stagnation(layout: Layout) -> None:
    """A human starts the run: from the log of now on, sessions that record nothing are counted anew."""
    with context.writing(layout) as (run, held):
        context.save(run, held.log, {"stagnation_count": 0, "last_observed_signature": signature(held.log)})
