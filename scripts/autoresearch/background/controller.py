"""The controller: session after session until the run is over. Whoever holds its lock is it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from ..health import health
from ..kernel.core import pace
from ..kernel.core.choices import SANDBOXED
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.rulings import Ruling
from ..kernel.core.text import listing, one_line
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout, entry
from ..kernel.run import context, trial
from ..kernel.system import process
from ..kernel.system.git import GitError
from ..supervisor import supervisor
from ..waiting import waiting
from . import (
    abandoned,
    agent,
    crew,
    ending,
    escalation,
    outcome,
    pausing,
    prompt_facts,
    runtime,
    session,
    stopping,
    taking,
    tampering,
    totalling,
)
from . import runtime_file as records
from .account import Book
from .manifest import Manifest
from .outcome import Next
from .runtime import Runtime
from .session import EndedSession
from .wake import Wake

LINE = "line"  # among what was refused: the steps of a side line


def run(layout: Layout, found: Manifest, argv: tuple[str, ...], wake: Wake | None = None) -> Runtime:
    """Control the run to its end and return the final record; the caller holds the lock."""
    book = _open(layout, found, argv)
    with wake or Wake() as awake:
        return Controller(book, found, awake).run()


def _open(layout: Layout, found: Manifest, argv: tuple[str, ...]) -> Book:
    """The record of this controller; what was spent on the same run before counts on."""
    before = records.tolerant(layout)
    same = before if before is not None and before.run_tag == found.run_tag else Runtime()
    pid = os.getpid()
    book = Book(
        layout,
        Runtime(
            pid=pid,
            pgid=os.getpgrp(),
            identity=process.identity(pid) or "",
            command=argv,
            run_tag=found.run_tag,
            minutes=same.minutes,
            tokens=same.tokens,
            sessions=same.sessions,
            input=same.input,
            cached=same.cached,
            output=same.output,
            created_at=same.created_at,
            launch_context={"execution_policy": found.config.execution_policy, "isolation": found.config.isolation},
        ),
        records.log_path(layout, found.controller.log_path),
    )
    book.note()
    return book


class Controller:
    """One run under control."""

    def __init__(self, book: Book, found: Manifest, wake: Wake) -> None:
        """Nothing happens yet."""
        self.book, self.layout, self.manifest, self.wake = book, book.layout, found, wake
        self.failures = self.empty = 0
        self.handed, self.thread = "", session.NEW  # the answer of a trial that was left waiting, and whose it is
        self.refused: set[str] = set()  # trials of the tool's own that could not be run
        self.waited = 0.0
        self.put_off = ""  # why the last trial was postponed; its edit stays

    def run(self) -> Runtime:
        """Cycle until there is an ending."""
        try:
            over = None
            while over is None:
                over = self._admitted() or self._cycle()
        except (Refusal, GitError, OSError) as error:
            over = Ruling(runtime.HUMAN, "blocked", str(error))
        return self._finish(over)

    def _cleared(self) -> Ruling | None:
        try:
            done = abandoned.clear(self.layout, keep_waiting=bool(self.put_off))
        except (Refusal, GitError) as error:
            return Ruling(runtime.HUMAN, "blocked", str(error))
        if done:
            self.book.log(done)
        return None

    def _admitted(self) -> Ruling | None:
        """Why no session may start, if so: stop, run over, machine or repository unfit."""
        if self.wake.asked or stopping.is_requested(self.layout):
            return Ruling(runtime.STOPPED, "user_stopped")
        if pausing.is_asked(self.layout) and (self.put_off or waiting.read(self.layout) is None):
            pausing.forget(self.layout)
            return Ruling(runtime.STOPPED, "user_paused", "runtime_ctl start goes on")
        over = self._supervised(after_run=False)
        if over is not None or not self._has_artifacts():
            return over
        return self._healthy()

    def _has_artifacts(self) -> bool:
        return self.layout.results.exists() or self.layout.state.exists()

    def _supervised(self, after_run: bool) -> Ruling | None:
        if not self._has_artifacts():
            return None
        self._grow()
        found = supervisor.status(self.layout, self.manifest.controller.max_stagnation, after_run, write=True)
        self.book.note(
            last_decision=found["decision"],
            last_reason=found["reason"],
            last_seen_iteration=found["iteration"],
            last_seen_status=found["last_status"] or "",
        )
        return outcome.ending(Ruling(found["decision"], found["reason"], "; ".join(found["reasons"])))

    def _healthy(self) -> Ruling | None:
        run = context.load(self.layout)
        scopes = {str(where): pattern for where, pattern in run.trees().values()}
        checked = health.health(self.layout, run.config.verify, scopes, self.manifest.controller.min_free_mb)
        # Changes outside the scope are named, not fatal: a trial refuses them, and the session may take its own back.
        gate = health.commit_gate(self.layout, health.GateQuestion("rollback"), scopes)
        self.book.note(last_health_check=_brief(checked), last_commit_gate=_brief(gate))
        blockers = [*checked["blockers"], *gate["blockers"]]
        return Ruling(runtime.HUMAN, "blocked", listing(blockers)) if blockers else None

    def _cycle(self) -> Ruling | None:
        """One session and what follows from it; before it a trial that an earlier controller left."""
        self.put_off = ""
        if waiting.read(self.layout) is not None:
            return self._taken() or self._cleared() or self._rested()
        if self._has_artifacts() and self._retried():
            return self._stopped() if self.wake.asked else self._cleared() or self._rested()
        self._note_sandbox()
        if self._has_artifacts() and crew.wanted(context.load(self.layout), self.manifest):
            return self._crew()
        model = escalation.climb(self.layout, self.manifest.controller.escalate)
        if model:
            self.thread = session.NEW  # a fresh look
            self.book.log(f"after a pivot sessions use {model}")
        before, started = (self._rows(), self._control()), time.time()
        try:
            ended = session.run(self.book, self.wake, self.manifest, self._opening(), self.thread)
        except Refusal as refusal:
            return Ruling(runtime.HUMAN, "codex_exec_unavailable", str(refusal))
        if ended.cause == "stop":
            return self._stopped()
        self.handed, self.thread = "", ended.thread
        over = tampering.ending(before[1], self._control()) or self._taken() or self._cleared()
        grew = self._rows() > before[0]
        if grew and ended.code == 0:  # whatever it printed: it did its work, and the next follows at once
            ended = replace(ended, ending=agent.error("ok"))
        ended = ended if grew and not self.put_off else self._excused(ended, started)
        self._count(ended, grew)
        return over or self._follow(ended)

    def _crew(self) -> Ruling | None:
        """Several sessions at once, to the end of the run; where that cannot be had, one at a time, with the reason."""
        try:
            return crew.Crew(self.book, self.wake, self.manifest, self._crew_over).run()
        except (Refusal, GitError) as error:
            why = str(error)
        self.manifest = replace(self.manifest, controller=replace(self.manifest.controller, workers=1))
        self.book.note(launch_context={**self.book.found.launch_context, "serial_because": one_line(why, 300)})
        self.book.log(f"one session at a time: {why}")
        return None

    def _crew_over(self, after_run: bool) -> Ruling | None:
        return self._supervised(after_run) if after_run else self._admitted()

    def _note_sandbox(self) -> None:
        """Whether a trial of a sandboxed session can be run in that sandbox; where not, none is left waiting."""
        known = self.book.found.launch_context
        if known.get("execution_policy") == SANDBOXED and "confined" not in known and self._rows():
            confined = taking.can_confine(self.manifest.controller, self.layout)
            self.book.note(launch_context={**known, "confined": confined})

    def _opening(self) -> str:
        """What the next session is told; a thread is gone on with for an answer alone, while its history is short."""
        if not self.handed or not 0 < self.thread.context < self.manifest.controller.resume_tokens:
            self.thread = session.NEW
            return prompt_facts.text(self.layout, self.manifest, self.handed)
        return waiting.told(self.handed)

    def _taken(self) -> Ruling | None:
        """Run the trial that was left waiting; one that breaks three times is taken back."""
        for _ in range(3):
            if waiting.read(self.layout) is None:
                return None
            taken, self.put_off = self._run_taken(("--waiting",))
            if taken.stopped:
                return self._stopped()
            if self.put_off:
                return None
            self.handed = taken.text
            if not taken.broken:
                return None
        self.handed = "the trial that was left waiting was ended three times before it was done; its edit is taken back"
        return None

    def _retried(self) -> bool:
        """Run one trial of the tool's own where one is due; no model thinks meanwhile. Whether one was run."""
        attempts = taking.own(self.layout)
        if not attempts or attempts in self.refused:
            return False
        taken, self.put_off = self._run_taken(("--inline", "--retry", attempts))
        if not self.put_off and (taken.broken or taken.text.startswith("refused")):
            self.refused.add(attempts)
        return True

    def _run_taken(self, flags: tuple[str, ...]) -> tuple[taking.Taken, str]:
        """How a trial went, and why it was postponed; one that was too often is refused like any other."""
        began = time.time()
        taken = taking.run(self.book, self.wake, prompt_facts.python(), flags)
        note = evidence.postponed(self.layout.evidence)
        is_new = float(note.get("at", 0)) >= began and int(note.get("times", 0)) <= trial.POSTPONED_AT_MOST
        return taken, one_line(str(note.get("why", "")), 200) if is_new else ""

    def _rested(self) -> Ruling | None:
        """Wait for a calmer machine where a trial was postponed."""
        if not self.put_off:
            return None
        ended = EndedSession(agent.error("machine_busy", self.put_off), "", self.thread)
        self._count(ended, False)
        return self._follow(ended)

    def _grow(self) -> None:
        """Take the steps of a side line that are due; what is refused is left to a session, or to a human."""
        if not self.wake.asked and taking.line_is_due(self.layout) and LINE not in self.refused:
            argv = (prompt_facts.python(), str(entry("line")), *taking.flags(self.layout))
            taken = taking.command(self.book, self.wake, argv, "the steps of a side line", taking.confining(self.book))
            if taken.broken or taken.text.startswith("refused"):
                self.refused.add(LINE)

    def _excused(self, ended: EndedSession, started: float) -> EndedSession:
        """The ending of a session whose trial was put off: a busy machine is waited out, as a rate limit is."""
        note = evidence.postponed(self.layout.evidence)
        if ended.ending.name not in ("ok", "unknown") or float(note.get("at", 0)) < started:
            return ended
        return replace(ended, ending=agent.error("machine_busy", one_line(str(note.get("why", "")), 200)))

    def _stopped(self) -> Ruling:
        """A stop command cleans up by itself; without one, a signal asked us and we do."""
        if not stopping.is_requested(self.layout):
            problem = self._cleared()
            if problem is not None:
                return problem
        return Ruling(runtime.STOPPED, "user_stopped")

    def _rows(self) -> int:
        try:
            return len(context.load(self.layout).log.rows)
        except Refusal:
            return 0

    def _control(self) -> Mapping[str, str]:
        return tampering.control(self.layout, self.manifest.config)

    def _count(self, ended: EndedSession, grew: bool) -> None:
        failed = ended.ending.action in ("wait", "backoff")
        self.failures = (1 if grew else self.failures + 1) if failed else 0
        self.empty = 0 if self._has_artifacts() else self.empty + 1

    def _follow(self, ended: EndedSession) -> Ruling | None:
        if ended.ending.text and ended.ending.name != "ok":
            self.book.note(last_error=f"{ended.ending.name}: {ended.ending.text}")
        over = self._supervised(after_run=outcome.counts(ended.ending))
        if over is not None:
            return over
        options = self.manifest.controller
        finished = outcome.SessionOutcome(ended.ending, self._has_artifacts(), self.failures, self.empty)
        patience = outcome.WaitLimits(options.backoff_seconds, 3600 * options.wait_usage_limit, options.max_stagnation)
        following = outcome.after(finished, patience)
        if following.ending is not None:
            return following.ending
        over = self._too_long(following)
        if over is None:
            self._wait(following if following.wait else Next(wait=options.sleep_seconds, why="pause between sessions"))
        return over

    def _too_long(self, following: Next) -> Ruling | None:
        """The ending, when all waits for the model together would pass their limit."""
        self.waited += following.wait
        limit = self.manifest.controller.wait_limit_seconds
        if not 0 < limit < self.waited:
            return None
        detail = f"{following.why}; {self.waited:.0f} seconds of waiting would pass the limit of {limit:.0f}"
        return Ruling(runtime.HUMAN, "codex_exec_unavailable", detail)

    def _wait(self, following: Next) -> None:
        wait = min(following.wait, self._until_deadline())
        if wait <= 0:
            return
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + wait))
        self.book.note(waiting_until=until, waiting_for=following.why)
        self.book.log(f"waiting until {until}: {following.why}")
        self.wake.rest(wait)
        self.book.note(waiting_until="", waiting_for="")

    def _until_deadline(self) -> float:
        """Seconds until the wall clock ends the run."""
        try:
            until = context.load(self.layout).config.until
        except Refusal:
            until = self.manifest.config.until
        return max(0.0, pace.epoch(until) - time.time()) if until else float("inf")

    def _finish(self, over: Ruling) -> Runtime:
        """Write the end down, sum up, tell the user; a stop command at work does that itself."""
        if over.decision == runtime.STOPPED and stopping.is_requested(self.layout):
            self.book.note()
            return self.book.found
        if self.put_off and over.reason != "user_paused":
            self.put_off = ""  # it will not be run any more
            over = self._cleared() or over
        totalling.measure(self.book, self.wake, prompt_facts.python(), self.manifest.controller, over)
        changes = {"last_error": over.detail} if over.decision == runtime.HUMAN and over.detail else {}
        self.book.note(status=over.decision, terminal_reason=over.reason, terminal_detail=over.detail, **changes)
        self.book.log(f"{over.decision}: {over.reason} {over.detail}")
        ending.summarise(self.layout)
        problem = ending.notify(self.manifest.controller.notify, self.layout, self._told(over), self.book.log_path)
        if problem:
            self.book.log(f"notify: {problem}")
        return self.book.found

    def _told(self, over: Ruling) -> dict[str, Any]:
        known = {"status": over.decision, "reason": over.reason, "detail": over.detail, "repo": str(self.layout.root)}
        total = (evidence.read_json(self.layout.evidence / evidence.TOTAL) or {}).get("told")
        known.update({"total": one_line(str(total), 600)} if total else {})
        return {**known, "spent": self.book.found.to_dict()["spent"], **records.progress(self.layout)}


def _brief(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a gate's answer that belongs into the record."""
    return {name: answer[name] for name in ("decision", "blockers", "warnings")}
