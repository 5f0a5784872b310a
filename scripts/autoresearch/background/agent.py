"""The port at which an agent is attached: how one session is started, what its output says, and why it ended.

The controller knows an agent by these names alone. Which agents there are is a row of the package's wiring; a module
that has these functions is one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.ports import asked

Name = Literal[
    "ok",
    "rate_limited",
    "network",
    "overloaded",
    "usage_limit",
    "quota",
    "authentication",
    "bad_request",
    "missing_model",
    "denied",
    "context_overflow",
    "interrupted",
    "machine_busy",
    "unknown",
]
Action = Literal["wait", "backoff", "human", "fresh_session"]

# What to do about each class of ending; a class that is not named here needs a human, for no retry can help.
_ACTIONS: dict[str, Action] = {
    "ok": "fresh_session",
    "context_overflow": "fresh_session",
    "interrupted": "fresh_session",
    "rate_limited": "backoff",
    "network": "backoff",
    "overloaded": "backoff",
    "machine_busy": "backoff",
    "unknown": "backoff",
}


@dataclass(frozen=True)
class ErrorClass:
    """A class of ending, what to do next, the seconds the server asks to wait if it said so, and its text.

    `wait` means `retry_after` seconds; `backoff` means longer each time; `human` means that no retry can
    help; `fresh_session` means to go on at once.
    """

    name: Name
    action: Action
    retry_after: float | None = None
    text: str = ""


def error(name: Name, text: str = "", retry_after: float | None = None) -> ErrorClass:
    """The ending of this class, with what is to be done about it; a time that the server names is waited for."""
    action: Action = "wait" if retry_after is not None else _ACTIONS.get(name, "human")
    return ErrorClass(name, action, retry_after, text)


@dataclass(frozen=True)
class Usage:
    """Tokens; `cached` is a part of `input`, and `reasoning` a part of `output`."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        """All tokens in and out."""
        return self.input + self.output

    def plus(self, other: Usage) -> Usage:
        """Both together."""
        mine = (self.input + other.input, self.cached + other.cached)
        return Usage(*mine, self.output + other.output, self.reasoning + other.reasoning)


def tokens_since(previous: Usage, usage: Usage) -> Usage:
    """Return what was used after `previous`, both being sums over one thread.

    Sums that shrank are those of a new thread: all of `usage` counts.
    """
    before = (previous.input, previous.cached, previous.output, previous.reasoning)
    after = (usage.input, usage.cached, usage.output, usage.reasoning)
    used = [new - old for old, new in zip(before, after)]
    return usage if min(used) < 0 else Usage(*used)


@dataclass(frozen=True)
class SessionOutput:
    """What the lines of output read so far say about one session; texts are one bounded line each.

    `usage` is the sum over the whole thread, None before the agent has told it; `context` are the tokens of its
    history, 0 where the output does not tell. `running` are the ids and texts of
    commands under way. `notices` are the newest reasons to reconnect and warnings, `notice_count` is how many there
    were. `failure` is why the session failed, with the class and the seconds of waiting where the agent itself names
    them; `completed` says that it came to its own end.
    """

    thread_id: str = ""
    usage: Usage | None = None
    context: int = 0
    last_message: str = ""
    running: tuple[tuple[str, str], ...] = ()
    completed: bool = False
    failure: str = ""
    failure_class: str = ""
    retry_after: float | None = None
    notices: tuple[str, ...] = ()
    notice_count: int = 0
    last_error: str = ""

    @property
    def running_command(self) -> str:
        """The newest command that has not ended, or ""."""
        return self.running[-1][1] if self.running else ""


@dataclass(frozen=True)
class Call:
    """One session to be started: with which program, where it works, what it may do, and the mark of all it starts.

    The prompt comes on its stdin. `last` is a file for its last message; `thread` is the session to go on with, ""
    for a new one.
    """

    program: str
    arguments: tuple[str, ...]
    tree: Path
    policy: str
    folders: tuple[str, ...]  # which a sandboxed session may write besides the tree
    last: Path
    mark: str
    thread: str = ""
    model: str = ""  # with its reasoning effort, "" for those that the arguments or the agent's settings say
    effort: str = ""


@dataclass(frozen=True)
class Ended:
    """A session that is over: what was seen, what it said on stderr, its exit code (negative: the signal; None: not
    collected), and when it was started (epoch)."""

    seen: SessionOutput
    said: str
    exit_code: int | None
    started: float


class Agent(Protocol):
    """A program that does a session's work."""

    NAME: str

    def find(self, program: str) -> str:
        """The path of the agent's program, its usual one for ""; raises `Refusal` when there is none."""

    def telling(self, program: str) -> str:
        """The shell command that tells its standard input in the chat around us; raises `Refusal` where none is."""

    def argv(self, call: Call) -> tuple[str, ...]:
        """The command line of a session."""

    def confined(self, call: Call) -> tuple[str, ...]:
        """The command line before any command that is to run in the sandbox of such a session, () for none."""

    def read(self, seen: SessionOutput, line: bytes) -> SessionOutput:
        """What is known after one more line of output; a line that is not understood changes nothing."""

    def ending(self, ended: Ended) -> ErrorClass:
        """Why the session ended."""

    def tokens(self, seen: SessionOutput, started: float) -> Usage | None:
        """The tokens of the thread so far, None where nothing is known of them."""

    def context(self, seen: SessionOutput, started: float) -> int:
        """Tokens that the thread's history holds by now, 0 where that is not known or it cannot be gone on with."""


def agents() -> dict[str, Agent]:
    """All agents by name, the usual one first."""
    return {agent.NAME: agent for agent in asked("session", "agent")}


def named(name: str) -> Agent:
    """The agent of this name, the usual one for ""; raises `Refusal` when there is none."""
    found = agents()
    wanted = name or next(iter(found), "")
    if wanted not in found:
        raise Refusal(f"agent {wanted[:40]!r} is not known, expected one of {', '.join(found)}; correct --agent")
    return found[wanted]
