"""Exec mode: a whole run in this process, from the baseline to the verdict, for pipelines.

It is the controller in the foreground. Its record lies beside the snapshot in the scratch folder, which is gone at
the end; the repository keeps the log and the evidence.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..background import abandoned, agent, controller, runtime, stopping
from ..background import runtime_file as records
from ..background.manifest import Manifest, Options
from ..background.runtime import Runtime
from ..background.wake import Wake
from ..kernel.core import numbers, supervise
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.rows import Row
from ..kernel.core.text import listing
from ..kernel.disk import evidence, journal
from ..kernel.disk.layout import EXEC_RUNTIME, Layout, exec_state_path
from ..kernel.run import budget, context
from ..setup import archives, init
from ..supervisor import supervisor
from . import scratch

BLOCKED = 2  # the exit code of a hard blocker
LOG = "exec.log"  # the controller's log, in the evidence
_GRACE = 5.0  # seconds for a session that a killed run left behind
Say = Callable[[Mapping[str, Any]], bool]  # tells one JSON line; False when nobody reads any more


@dataclass(frozen=True)
class ExecResult:
    """What came of a run: the last JSON line, and the hard blocker that ended it, "" for none."""

    summary: Mapping[str, Any]
    problem: str


def run(layout: Layout, plan: init.Plan, options: Options, say: Say) -> ExecResult:
    """Measure the baseline, then start sessions until the run is over; `say` gets each row as it is written.

    SIGINT, SIGTERM and SIGHUP end the session, undo an unfinished trial and end the run with what there is. Raises
    `Refusal` when nothing could be started: the repository is as it was.
    """
    agent.named(options.agent).find(options.agent_bin)
    where = _in_scratch(layout)
    with _alone(where):
        _recover(where)
        first = _set_up(layout, plan)
        supervisor.forget_stagnation(where)
        options = replace(options, log_path=str(where.evidence / LOG))
        found = Manifest("exec", first.config.goal, config=first.config, run_tag=first.tag, controller=options)
        lines = Lines(where, say)
        ended = controller.run(where, found, tuple(sys.argv), Telling(lines.tell))
        lines.tell()
        return _verdict(context.load(where), ended)


def _in_scratch(layout: Layout) -> Layout:
    state = exec_state_path(layout.root)
    return replace(layout, state=state, runtime=state.with_name(EXEC_RUNTIME))


@contextmanager
def _alone(where: Layout) -> Iterator[None]:
    """Hold the controller's lock; the scratch folder is gone afterwards, and so is the evidence of no run at all."""
    existed = where.evidence.exists()
    handle = stopping.take(where)
    if handle is None:
        raise Refusal(f"already_running: {records.BUSY}")
    try:
        stopping.forget_request(where)
        yield
    finally:
        scratch.remove(where.state)
        if not existed and not where.results.exists():
            import shutil

            shutil.rmtree(where.evidence, ignore_errors=True)
        os.close(handle)


def _recover(where: Layout) -> None:
    """End and undo what a run that was killed left behind."""
    before = records.tolerant(where)
    session = before.session if before is not None else None
    if session is not None and session.mark:
        alive = stopping.end(session.mark, session, _GRACE)
        if alive:
            raise Refusal(f"still alive from an earlier run: {listing(alive)}; end it, then repeat the command")
        abandoned.clear(where)
    scratch.remove(where.state)


def _set_up(layout: Layout, plan: init.Plan) -> context.Run:
    """The run with its baseline; what belongs to an earlier one is archived, a launch included."""
    ready = init.start(layout, plan)
    for path in (layout.launch, layout.runtime):
        archives.archive(path)
    return ready.run


class Lines:
    """The rows of the log, told once each as they come."""

    def __init__(self, where: Layout, say: Say) -> None:
        """Begin after the baseline, which the last line tells."""
        self._where, self._say = where, say
        self._told, self._size = 1, 0

    def tell(self) -> bool:
        """Tell what is new; False when nobody reads any more."""
        try:
            size = self._where.results.stat().st_size
            rows = journal.read(self._where.results).rows if size != self._size else ()
        except (OSError, ValueError):
            return True  # the controller notices what is wrong with the log
        new, self._size = rows[self._told :], size
        self._told += len(new)
        return all(self._say(line(row)) for row in new)


def line(row: Row) -> dict[str, Any]:
    """One row as exec tells it; numbers are numbers."""
    delta = numbers.parse(row.delta) if numbers.is_number(row.delta) else None
    return {
        "iteration": row.iteration,
        "commit": row.commit,
        "metric": row.metric,
        "delta": delta,
        "guard": row.guard,
        "status": row.status,
        "description": row.description,
        **({"labels": row.labels} if row.labels else {}),
    }


class Telling(Wake):
    """Tells what is new before it sleeps; that the reader is gone is the wish that the run stop."""

    def __init__(self, tell: Callable[[], bool]) -> None:
        """Nothing is told yet."""
        super().__init__()
        self._tell = tell

    def sleep(self, seconds: float) -> None:
        """As any wake, after telling."""
        self.asked = not self._tell() or self.asked
        super().sleep(0.0 if self.asked else seconds)


def _verdict(run: context.Run, ended: Runtime) -> ExecResult:
    """The last line. Three pivots without a keep mean that no idea is left: an outcome here, for nobody is asked."""
    reason = ended.terminal_reason
    summary = _summary(run, ended.status == runtime.HUMAN, reason)
    where = run.layout.relative(run.layout.evidence / LOG)
    last = f"; last session: {ended.last_error}" if ended.last_error not in ("", ended.terminal_detail) else ""
    problem = f"{reason}: {ended.terminal_detail}{last}; what happened is in {where}"
    return ExecResult(summary, problem if summary["exit_code"] == BLOCKED else "")


def told(layout: Layout) -> Iterator[dict[str, Any]]:
    """The lines of a run that a session did without this script, from its log; raises `Refusal` without a run."""
    run = context.load(_in_scratch(layout))
    yield from map(line, run.log.rows[1:])
    verdict = supervise.judge(run.config, run.mode, run.state, budget.spent(run))
    reason = "not_ended" if verdict.decision == supervise.RELAUNCH else verdict.reason
    yield _summary(run, verdict.decision == supervise.HUMAN, reason)


def _summary(run: context.Run, for_human: bool, reason: str) -> dict[str, Any]:
    """The last line as in docs/artifacts.md, Exec lines."""
    state, blocked = run.state, for_human and reason != "soft_blocked"
    improved = state.keeps > 0 and numbers.better(run.config.direction, state.best_metric, state.baseline_metric)
    return {
        "status": "blocked" if blocked else "completed",
        "baseline": state.baseline_metric,
        "best": state.best_metric,
        "best_iteration": state.best_iteration,
        "total_iterations": state.iteration,
        "keeps": state.keeps,
        "discards": state.discards,
        "crashes": state.crashes,
        "improved": improved,
        "exit_code": BLOCKED if blocked else 0 if improved else 1,
        "reason": reason,
        **_total(run),
    }


def _total(run: context.Run) -> dict[str, Any]:
    """Both ends of the run measured in turns, where the controller has done that."""
    found = evidence.read_json(run.layout.evidence / evidence.TOTAL) or {}
    return {"true_total": found["true"]} if found.get("run_tag") == run.tag and "true" in found else {}
