"""One session of the agent: started with a prompt, watched until it ends or has to be ended, and what it was like."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..kernel.core import pace, supervise
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.text import listing
from ..kernel.disk.layout import Layout
from ..kernel.run import budget, context, intent
from ..kernel.system import process
from ..safeguard import strays
from ..waiting import waiting
from . import agent, escalation, pausing, reach, stopping, taking, watchdog
from .account import Book
from .agent import Agent, ErrorClass, SessionOutput, Usage
from .manifest import Manifest
from .runtime import SessionProcess
from .stream import FileFollower, Files, trim
from .wake import Wake

TICK = 2.0  # seconds between looks at a session; its end is noticed at once
REPORT = 5.0  # seconds between records of something new
REFRESH = 30.0  # seconds between records of the time alone
END_GRACE = 5.0  # seconds for a session that is ended from here
AFTERMATH = 2.0  # seconds for what a session that ended by itself left running


@dataclass(frozen=True)
class Thread:
    """A thread that can be gone on with: its id, what it has used so far, and the tokens that its history holds."""

    id: str = ""
    usage: Usage = Usage()
    context: int = 0


NEW = Thread()


@dataclass(frozen=True)
class EndedSession:
    """How a session ended: its class, why we ended it ("stop", "silent", "over", "pivot", …, or ""), its thread."""

    ending: ErrorClass
    cause: str
    thread: Thread
    code: int | None = None


@dataclass(frozen=True)
class Post:
    """A session's mark, the thread that it goes on with, and its folder where that is not the run's ("" for those)."""

    mark: str
    thread: str = ""
    tree: str = ""


def files(layout: Layout) -> Files:
    """The files of the running or last session."""
    return Files(layout.evidence / "session")


def run(book: Book, wake: Wake, found: Manifest, prompt: str, thread: Thread = NEW) -> EndedSession:
    """One session from start to end, nothing of it left running. Raises `Refusal` when it cannot be started.

    It goes on with `thread`, or begins a new one.
    """
    place = files(book.layout)
    place.fresh(prompt)
    number = book.found.sessions + 1
    mark = f"{taking.MARK}{os.getpid()}-{number}-{time.time_ns()}"
    # Noted before the start: were the controller killed in between, the mark finds the session all the same.
    book.note(session=SessionProcess(number, mark=mark, started_at=context.now()), last_error="")
    end_strays = strays.during(place.folder)
    try:
        started = begin(book, found, place, Post(mark, thread.id))
    except Refusal:
        end_strays()
        raise
    session = SessionProcess(number, started.pid, started.identity, mark, context.now())
    book.note(session=session)
    book.log(f"session {number} {'goes on with its thread' if thread.id else 'starts'}")
    watch = RunningSession(book, wake, started, place, agent.named(found.controller.agent))
    watch.base, watch.escalate = thread.usage, found.controller.escalate
    try:
        cause = watch.wait(found.controller.silence_seconds)
    except BaseException:
        stopping.end(mark, started, END_GRACE)  # without its controller it would work on unseen
        end_strays()
        raise
    finally:
        watch.close()
    if not _is_left_to_stop(book, cause):
        left = end_strays()
        if left:
            book.log(f"the session left processes behind, which were ended: {listing(left, 3)}")
    return _ended(book, watch, place, cause)


def _is_left_to_stop(book: Book, cause: str) -> bool:
    """Whether the command that asked for the stop ends the session, with what is noted of it."""
    return cause == "stop" and stopping.is_requested(book.layout)


def begin(book: Book, found: Manifest, place: Files, post: Post) -> process.Process:
    """Start the agent with the prompt in `place`; raises `Refusal` when it cannot be started."""
    try:
        known = context.load(book.layout)
        tree = known.tree
    except Refusal:  # the first session sets the run up
        known, tree = None, Path(found.config.worktree or book.layout.root)
    tree = Path(post.tree) if post.tree else tree
    policy = (known.config.execution_policy if known else "") or found.config.execution_policy
    options, folders = found.controller, reach.folders(known, book.layout.root, tree)
    where = (policy, folders, place.last, process.marks(post.mark), post.thread)
    call = agent.Call(options.agent_bin, options.agent_args, tree, *where, *_model(options.escalate, known))
    streams = process.Streams(place.prompt, place.events, place.errors)
    try:
        return process.start_detached(agent.named(options.agent).argv(call), tree, {}, streams, post.mark)
    except OSError as error:
        raise Refusal(f"codex_exec_unavailable: {options.agent_bin} cannot be started: {error}") from None


def _model(escalate: str, known: context.Run | None) -> tuple[str, str]:
    found = escalation.current(escalate, known.log if known else None)
    return found.name, found.effort


class RunningSession:
    """A running session: its events folded, its time and tokens accounted for."""

    def __init__(self, book: Book, wake: Wake, started: process.Process, place: Files, who: Agent) -> None:
        """Begin to watch."""
        self.book, self.wake, self.process, self.place, self.agent = book, wake, started, place, who
        self.seen, self.base = SessionOutput(), Usage()
        self._before = book.found
        self._began, self.began_at = time.monotonic(), time.time()
        self._event_at = self._noted_at = self._refreshed_at = self._began
        self._over_since: float | None = None
        self._run: tuple[int, context.Run] | None = None  # as read when the log had this size
        self._follower = FileFollower(place.events)
        self.escalate, self._pivoted = "", False

    def close(self) -> None:
        """Let go of the stream."""
        self._follower.close()

    def wait(self, silence: float) -> str:
        """Until it ends, by itself or by us; why we ended it, or ""."""
        cause = ""
        while self.process.poll() is None:
            changed = self._read()
            self._judge()
            cause = self._cause(silence)
            if cause:
                break
            self._report(changed)
            self.wake.sleep(TICK)
        if _is_left_to_stop(self.book, cause):
            return cause
        mark = self.book.found.session.mark if self.book.found.session else ""
        alive = stopping.end(mark, self.process, END_GRACE) if cause else process.end_marked(mark, AFTERMATH)
        if alive:
            self.book.log(f"still alive after the session: {'; '.join(alive)}")
        self.process.poll()
        self._read()
        return cause

    def _read(self) -> bool:
        lines = 0
        for line in self._follower.lines():
            self.seen = self.agent.read(self.seen, line)
            lines += 1
        if lines:
            self._event_at = time.monotonic()
        trim(self.place.errors, 1024 * 1024)
        return lines > 0

    def _cause(self, silence: float) -> str:
        if self.wake.asked:
            return "stop"
        if pausing.is_asked(self.book.layout) and not self._trial_runs():
            return "" if waiting.read(self.book.layout) else "pause"
        if self._pivoted and not self._trial_runs() and waiting.read(self.book.layout) is None:
            return "pivot"
        cause = watchdog.verdict(watchdog.Signs(time.monotonic(), self._event_at, self._over_since), silence)
        if cause and self._trial_runs():
            self._event_at = time.monotonic()  # the silence is counted from its end
            return ""
        return cause

    def _trial_runs(self) -> bool:
        note = intent.read(self.book.layout.evidence)
        return note is not None and bool(process.pids_with_mark(note.mark))

    def _report(self, changed: bool) -> None:
        now = time.monotonic()
        if now - self._refreshed_at >= REFRESH:
            self._refreshed_at = now
            self._account()
        elif not (changed and now - self._noted_at >= REPORT):
            return
        self._noted_at = now
        session = self.book.found.session
        if session:
            session = replace(session, thread_id=self.seen.thread_id, command=self.seen.running_command)
        self.book.note(session=session)

    def _account(self) -> None:
        """Time and tokens of this session on top of those before it."""
        minutes = self._before.minutes + (time.monotonic() - self._began) / 60
        self.book.found = replace(self.book.found, minutes=minutes)
        told = self.agent.tokens(self.seen, self.began_at)
        used = agent.tokens_since(self.base, told) if told else Usage()
        if self._before.tokens + used.total > self.book.found.tokens:
            kinds = {name: getattr(self._before, name) + getattr(used, name) for name in pace.TOKENS}
            self.book.found = replace(self.book.found, tokens=self._before.tokens + used.total, **kinds)

    def _spent(self, run: context.Run) -> supervise.Spent:
        return budget.spent(run, self.book.found.to_dict()["spent"])

    def _judge(self) -> None:
        """Since when the run is over; the session has been told so by its last trial."""
        try:
            size = self.book.layout.results.stat().st_size
            if self._run is None or self._run[0] != size:
                self._run = (size, context.load(self.book.layout))
        except (OSError, Refusal):
            return
        run = self._run[1]
        self._pivoted = bool(self.escalate) and escalation.is_due(self.escalate, run.log)
        over = supervise.judge(run.config, run.mode, run.state, self._spent(run)).decision != supervise.RELAUNCH
        self._over_since = (self._over_since or time.monotonic()) if over else None

    @property
    def tokens_before(self) -> int:
        """Tokens of the sessions before this one."""
        return self._before.tokens

    def thread(self) -> Thread:
        """What the session's thread is by now."""
        used = self.agent.tokens(self.seen, self.began_at)
        return Thread(self.seen.thread_id, used or Usage(), self.agent.context(self.seen, self.began_at))

    def finish(self) -> None:
        """The final account."""
        self._account()


def _ended(book: Book, watch: RunningSession, place: Files, cause: str) -> EndedSession:
    watch.finish()
    code = watch.process.poll()
    seen = watch.seen
    if cause:
        ending = agent.error("interrupted", f"ended by the controller: {cause}")
    else:
        ending = watch.agent.ending(agent.Ended(seen, place.diagnostics(), code, watch.began_at))
    if not _is_left_to_stop(book, cause):
        book.note(session=None, sessions=book.found.sessions + 1)
        unused = "" if book.found.tokens > watch.tokens_before else ", 0 tokens: no model answered"
        book.log(f"session ends: {ending.name} (exit code {code}{unused}) {ending.text}")
    return EndedSession(ending, cause, watch.thread() if ending.name == "ok" else NEW, code)
