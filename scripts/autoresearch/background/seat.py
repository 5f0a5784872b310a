"""One worker of a crew: its session, then the settling of what it proposed, then its next session.

Nothing here waits; the crew looks at each seat in turn.
"""

from __future__ import annotations

import time

from ..kernel.core import jsontext
from ..kernel.core.choices import SANDBOXED
from ..kernel.core.frozen import replace
from ..kernel.core.pace import TOKENS
from ..kernel.core.text import one_line
from ..kernel.disk.layout import entry
from ..kernel.system import process
from ..parallel import proposed
from ..parallel.batch import WorkerPlace
from ..waiting import waiting
from . import agent, prompt_facts, session, stopping, stream, taking
from .account import Book
from .agent import ErrorClass, SessionOutput, Usage
from .manifest import Manifest
from .session import NEW, Thread
from .stream import FileFollower, Files

GRACE = 5.0


class Seat:
    """A worker: `thinking` while its session runs, `settling` while its proposal is measured, else idle.

    The tool's own seat has no sessions. It is `proving` while it is shown that the check sees the workers' folders;
    later it measures would-be keeps on the merged tree.
    """

    def __init__(self, book: Book, found: Manifest, place: WorkerPlace, mark: str) -> None:
        """Nothing runs yet. `mark` is the crew's, under which all of this worker's processes run."""
        self.book, self.manifest, self.place, self.crew_mark = book, found, place, mark
        self.agent = agent.named(found.controller.agent)
        self.files = Files(session.files(book.layout).folder / place.id)
        self.thread, self.handed, self.said = NEW, "", ""
        self.earlier = ""  # the answer to a gain that was measured again while the worker went on
        self.sessions = self.failures = 0
        self.not_before = 0.0  # when the next session may start (monotonic)
        self.process: process.Process | None = None
        self.settling = self.proving = False
        self.mark = ""
        self._seen, self._base = SessionOutput(), Usage()
        self._follower: FileFollower | None = None

    @property
    def thinking(self) -> bool:
        """Whether a session of the agent runs."""
        return self.process is not None and not self.settling

    @property
    def doing(self) -> str:
        """What is at work, in one word."""
        at_work = "thinking" if self.process else "idle"
        return "proving" if self.proving else "measuring" if self.settling else at_work

    def think(self, prompt: str) -> None:
        """Start a session, or go on with its thread; raises `Refusal` when the agent cannot be started."""
        self.files.fresh(prompt)
        self._marked("session-")
        post = session.Post(self.mark, self.thread.id, self.place.path)
        self.process = session.begin(self.book, self.manifest, self.files, post)
        self._seen, self._base = SessionOutput(), self.thread.usage
        self._follower = FileFollower(self.files.events)
        self.began_at, self.event_at = time.time(), time.monotonic()
        self.sessions += 1

    def prove(self) -> None:
        """Have it shown that the check sees the workers' folders."""
        self._begin("prove")
        self.proving = True

    def record(self) -> None:
        """Have the next would-be keep measured on the merged tree, and what was measured before it recorded."""
        self._begin("record")

    def settle(self) -> None:
        """Have the proposal measured and recorded, in a process of its own."""
        self._begin("settle")

    def _begin(self, what: str) -> None:
        out, err = self.files.folder / "answer.json", self.files.folder / "answer.txt"
        self.files.folder.mkdir(parents=True, exist_ok=True)
        for path in (out, err):
            path.write_bytes(b"")
        self._marked("waiting-")
        layout = self.book.layout
        call = (str(entry("run_batch")), what, *taking.flags(layout), "--worker", self.place.id)
        argv = (prompt_facts.python(), *call)
        sandboxed = self.book.found.launch_context.get("execution_policy") == SANDBOXED
        env = {waiting.CONFINED: waiting.CONTROLLED} if sandboxed else {}
        env.update(self.place.environment)
        self.process = process.start_detached(argv, layout.root, env, process.Streams(None, out, err), self.mark)
        self.settling = True

    def _marked(self, kind: str) -> None:
        self.mark = f"{self.crew_mark}/{kind}{self.place.id}-{time.time_ns()}"

    def has_ended(self) -> bool:
        """Whether what ran has ended by now; what it told meanwhile is accounted for."""
        if self.thinking:
            self._read()
        return self.process is None or self.process.poll() is not None

    def _read(self) -> None:
        assert self._follower is not None
        for line in self._follower.lines():
            self._seen = self.agent.read(self._seen, line)
            self.event_at = time.monotonic()
        stream.trim(self.files.errors, 1024 * 1024)
        told = self.agent.tokens(self._seen, self.began_at)
        if told and told != self._base:
            self._account(agent.tokens_since(self._base, told))
            self._base = told

    def _account(self, used: Usage) -> None:
        found = self.book.found
        kinds = {name: getattr(found, name) + getattr(used, name) for name in TOKENS}
        self.book.found = replace(found, tokens=found.tokens + used.total, **kinds)

    def end(self) -> None:
        """End what runs."""
        if self.process is not None:
            stopping.end(self.mark.rpartition("/")[2], self.process, GRACE)
            self.process.poll()

    def thought(self, interrupted: str = "") -> ErrorClass:
        """The session is over: its class; nothing of it is left running."""
        assert self.process is not None and self._follower is not None
        process.end_marked(self.mark.rpartition("/")[2], 2.0)
        self._read()
        self._follower.close()
        code, self.process = self.process.poll(), None
        ended = agent.Ended(self._seen, self.files.diagnostics(), code, self.began_at)
        ending = agent.error("interrupted", interrupted) if interrupted else self.agent.ending(ended)
        context = self.agent.context(self._seen, self.began_at)
        self.thread = Thread(self._seen.thread_id, self._base, context) if ending.name == "ok" else NEW
        self.book.note(sessions=self.book.found.sessions + 1)
        self.book.log(f"worker {self.place.id}: session ends: {ending.name} (exit code {code}) {ending.text}")
        return ending

    def proved(self) -> tuple[str, str]:
        """Why the check does not see the workers' folders, as far as is known, "" where it does; and what else was
        found of them, for people."""
        taken, self.proving = self._taken(), False
        if not taken.startswith("{"):
            return taken or "what shows that the check sees the workers' folders was ended", ""
        return "", one_line(str(jsontext.loads(taken).get("side_by_side", "")), 400)

    def _taken(self) -> str:
        """What the process that has ended answered, "" for nothing."""
        assert self.process is not None
        process.end_marked(self.mark.rpartition("/")[2], 2.0)
        folder = self.files.folder
        taken = taking.result(self.process.poll(), folder / "answer.json", folder / "answer.txt")
        self.process, self.settling = None, False
        return taken.text

    def settled(self) -> None:
        """The proposal was measured, or could not be: what is handed to the worker's next session."""
        self.handed = self._taken() or "the measuring was ended before it was done; the edit is taken back"
        self.book.log(f"worker {self.place.id}: {one_line(self.handed, 300)}")

    def recorded(self) -> tuple[str, str]:
        """The worker whose would-be keep was measured again, and what came of it; "" where it waits on."""
        told = self._taken()
        self.book.log(f"merged tree: {one_line(told or 'the measuring was ended before it was done', 300)}")
        try:
            return str(jsontext.loads(told)["worker"]), told
        except (ValueError, TypeError, KeyError):
            return "", ""

    def proposal(self) -> bool:
        """Whether the session left something to be measured."""
        found = proposed.read(self.book.layout, self.place.id)
        self.said = found.description if found else self.said
        return found is not None

    @property
    def news(self) -> str:
        """What the worker has not been told yet."""
        parts = (self.handed, self.earlier and f"Your earlier gain was measured again: {self.earlier}")
        return "\n".join(filter(None, parts))

    def opening(self, fresh: str) -> str:
        """What the next session is told: the answer alone while its thread is short, else `fresh`."""
        if self.handed and 0 < self.thread.context < self.manifest.controller.resume_tokens:
            return waiting.told(self.news)
        self.thread = NEW
        return fresh
