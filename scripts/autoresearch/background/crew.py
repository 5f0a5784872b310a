"""Sessions side by side: N workers think at once, each in a worktree of its own, and propose one by one.

While one proposal is measured the others think on. A proposal is settled by a process of its own
(`parallel.settling`), which brings it up to what is retained by then; so there is one log, one retained state, and one
rule, as with one session. All that a crew starts runs under one mark, which the record holds as its session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from ..kernel.core.errors import Refusal
from ..kernel.core.rulings import Ruling
from ..kernel.core.text import listing
from ..kernel.run import context
from ..kernel.run.context import Run
from ..kernel.system import process
from ..kernel.system.git import Repo
from ..parallel import batch, settling
from ..parallel.batch import Batch
from ..safeguard import strays
from . import agent, backoff, briefs, outcome, pausing, prompt_facts, runtime, session, stopping, tampering
from .account import Book
from .agent import ErrorClass
from .manifest import Manifest
from .runtime import SessionProcess
from .seat import Seat
from .wake import Wake

TICK = 0.5  # seconds between looks; the end of a child is noticed at once
NOTE = 5.0  # seconds between records of the time alone, and between looks at what ends a run besides its log
GIVEN_UP = 3.0


def wanted(run: Run, found: Manifest) -> bool:
    """Whether this run is to have several sessions at once."""
    return found.controller.workers > 1 and run.config.parallel_mode == "parallel"


class Crew:
    """The workers of a run, from the opening of their folders until the run is over."""

    def __init__(self, book: Book, wake: Wake, found: Manifest, over: Callable[[bool], Ruling | None]) -> None:
        """Nothing is made yet. `over` says why nothing more may start; True after a session without a row."""
        self.book, self.wake, self.manifest, self.over = book, wake, found, over
        self.layout = book.layout
        self.mark = f"session-crew-{time.time_ns()}"
        self.seats: list[Seat] = []
        self.own: Seat | None = None  # the tool's, for what is measured beside the workers
        self._gains = False  # whether would-be keeps wait for it
        self._began, self._minutes, self._noted = time.monotonic(), book.found.minutes, ""
        self._noted_at = self._asked_at = 0.0
        self._control: Mapping[str, str] = {}  # what makes git run something, where sessions are confined
        self._size = -1  # of the log when it was last asked whether the run is over

    def run(self) -> Ruling | None:
        """Work until the run is over; raises `Refusal` where no crew can be had here, with nothing left behind."""
        settling.give_up(self.layout)
        self._note()  # before anything is made: whoever stops us finds it
        self._end_strays = strays.during(session.files(self.layout).folder)
        try:
            return self._work(self._open())
        finally:
            self._leave()

    def _open(self) -> Seat:
        """The workers' folders and seats; the tool's own."""
        options = self.manifest.controller
        machine = batch.machine_at(self.layout.root)
        insisted = {"oversubscribe": options.oversubscribe, "crew": True}
        wish = batch.BatchRequest(options.workers, machine, options.setup, options.links, **insisted)
        opened = batch.open_batch(self.layout, wish)
        if "warning" in opened:
            self.book.log(opened["warning"])
        found: Batch = batch.read(self.layout)
        self.seats = [Seat(self.book, self.manifest, place, self.mark) for place in found.workers]
        own = Seat(self.book, self.manifest, found.tools[0], self.mark)
        own.prove()  # the workers think meanwhile
        self.own, self._control = own, self._controlled()
        return own

    def _work(self, own: Seat) -> Ruling | None:
        ending: Ruling | None = None
        while True:
            if self.wake.asked:
                return Ruling(runtime.STOPPED, "user_stopped")
            ending = ending or self._ended_by()
            for seat in self.seats:
                ending = self._look(seat, ending) or ending
            self._look_at_own(own, ending)
            if ending and not self._gains and not any(seat.settling for seat in (*self.seats, own)):
                return ending
            self._note()
            self.wake.sleep(TICK)

    def _ended_by(self) -> Ruling | None:
        if pausing.is_asked(self.layout):
            return Ruling(runtime.STOPPED, "user_paused", "runtime_ctl start goes on")
        size = self.layout.results.stat().st_size
        if size == self._size and time.monotonic() - self._asked_at < NOTE:
            return None
        self._size, self._asked_at = size, time.monotonic()
        return self.over(False)

    def _look(self, seat: Seat, ending: Ruling | None) -> Ruling | None:
        """One look at a worker; the ending that follows from it."""
        if seat.settling and seat.has_ended():
            seat.settled()
            self._rest(seat)
            self._gains = settling.has_gain(self.layout)
        elif seat.thinking and seat.has_ended():
            return self._follow(seat, seat.thought())
        elif seat.thinking and ending:
            seat.end()
            seat.thought("the run is over")
        elif seat.thinking and time.monotonic() - seat.event_at > self.manifest.controller.silence_seconds:
            seat.end()
            return self._follow(seat, seat.thought("silent"))
        elif not seat.process and not ending and time.monotonic() >= seat.not_before and not self._is_shared(seat):
            return self._start(seat)
        return None

    def _rest(self, seat: Seat) -> None:
        """A proposal that is there still was postponed: a busy machine is waited out, as a rate limit is."""
        seat.failures = seat.failures + 1 if seat.proposal() else 0
        busy = agent.error("machine_busy" if seat.failures else "ok")
        wait = backoff.seconds(busy, seat.failures, self.manifest.controller.backoff_seconds)
        seat.not_before = time.monotonic() + wait

    def _is_shared(self, seat: Seat) -> bool:
        """Whether the worker's accelerators are in use for the proof."""
        return bool(seat.place.devices) and seat is self.seats[-1] and self.own is not None and self.own.proving

    def _look_at_own(self, own: Seat, ending: Ruling | None) -> None:
        """The proof at first, then would-be keeps; raises `Refusal` where the workers' folders are of no use."""
        if own.process and not own.has_ended():
            return
        if own.proving:
            problem, said = own.proved()
            if problem and not ending:
                raise Refusal(problem)
            if said:
                self.book.note(launch_context={**self.book.found.launch_context, "side_by_side": said})
                self.book.log(said)
        elif own.process:
            letter, answer = own.recorded()
            for seat in self.seats:
                seat.earlier = answer if seat.place.id == letter else seat.earlier
            own.not_before = 0.0 if letter else time.monotonic() + NOTE
            self._gains = settling.has_gain(self.layout) and bool(letter or not ending)
        if self._gains and time.monotonic() >= own.not_before:
            own.record()

    def _start(self, seat: Seat) -> Ruling | None:
        """Settle what the worker left, else its next session."""
        if seat.proposal():
            seat.settle()
            return None
        try:
            seat.think(seat.opening(self._prompt(seat)))
        except Refusal as refusal:
            return Ruling(runtime.HUMAN, "codex_exec_unavailable", str(refusal))
        seat.handed = seat.earlier = ""
        return None

    def _prompt(self, seat: Seat) -> str:
        run = context.load(self.layout)
        index, count = self.seats.index(seat), len(self.seats)
        paths = Repo(run.tree).tracked(run.config.scope.split() or ["."])
        others = briefs.others({each.place.id: each.said for each in self.seats}, seat.place.id)
        parts = (briefs.lens(index, seat.sessions), briefs.share(paths, index, count), others)
        brief = briefs.Brief(seat.place.id, seat.place.path, *parts)
        return prompt_facts.text(self.layout, self.manifest, seat.news, brief)

    def _follow(self, seat: Seat, ended: ErrorClass) -> Ruling | None:
        """What the end of a session means: its proposal is settled, or it is waited, or a human is needed."""
        tampered = tampering.ending(self._control, self._controlled())
        if tampered:
            return tampered
        if seat.proposal():
            seat.failures = 0
            seat.settle()
            return None
        settling.forget(self.layout, seat.place)
        failed = ended.action in ("wait", "backoff")
        seat.failures = seat.failures + 1 if failed else 0
        if ended.text and ended.name != "ok":
            self.book.note(last_error=f"{ended.name}: {ended.text}")
        over = self.over(outcome.counts(ended))
        options = self.manifest.controller
        patience = outcome.WaitLimits(options.backoff_seconds, 3600 * options.wait_usage_limit, options.max_stagnation)
        following = outcome.after(outcome.SessionOutcome(ended, True, seat.failures, 0), patience)
        seat.not_before = time.monotonic() + max(following.wait, options.sleep_seconds)
        return over or following.ending

    def _controlled(self) -> Mapping[str, str]:
        folders = [seat.place.path for seat in self.seats]
        return tampering.control(self.layout, self.manifest.config, folders)

    def _note(self) -> None:
        """The record: who does what, and the time, which counts once for all."""
        own = [self.own] if self.own and self.own.process else []
        doing = listing([f"{seat.place.id} {seat.doing}" for seat in (*self.seats, *own)]) or "opening their folders"
        if doing == self._noted and time.monotonic() - self._noted_at < NOTE:
            return
        self._noted, self._noted_at = doing, time.monotonic()
        minutes = self._minutes + (time.monotonic() - self._began) / 60
        session = SessionProcess(0, mark=self.mark, started_at=context.now(), command=f"workers: {doing}")
        self.book.note(minutes=minutes, session=session)

    def _leave(self) -> None:
        """Nothing of the crew is left; where a stop command is at work it ends all this itself."""
        if stopping.is_requested(self.layout):
            return
        process.end_marked(self.mark, GIVEN_UP)
        self._end_strays()
        kept = settling.give_up(self.layout)
        if kept:
            self.book.log(kept)
        sessions = self.book.found.sessions + sum(1 for seat in self.seats if seat.thinking)
        self.book.note(session=None, sessions=sessions)
