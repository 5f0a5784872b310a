"""An agent that is any program: the prompt on its stdin, one JSON object a line on its stdout.

For agents that have no port of their own, wrapped in a script, and for the demo and the tests. Each line may hold
any of these keys; others are passed over, and a line that is no JSON object says nothing:

    thread    the session's id, by which it can be gone on with: the program then gets `--resume ID`
              (and `--model NAME --effort NAME` where the run's list of models says so)
    running   the command that runs now, "" when it has ended
    message   what the agent says; the last one counts
    tokens    {"input", "cached", "output", "reasoning"}: the sum over the thread
    context   tokens that the thread's history holds by now
    failed    why the session failed
    class     the class of that failure, as `agent.Name` lists them
    after     seconds after which the failure is expected to pass
    done      true once the session came to its own end
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.text import one_line
from . import agent
from .agent import Call, Ended, ErrorClass, SessionOutput, Usage

NAME = "plain"
_LINE = 1024 * 1024  # bytes; a longer line is passed over
_TEXT = 500
_KINDS = ("input", "cached", "output", "reasoning")


def find(program: str) -> str:
    """The path of the program; raises `Refusal` when there is none."""
    from shutil import which

    found = which(os.path.expanduser(program)) if program else None
    if not found:
        raise Refusal(
            f"codex_exec_unavailable: {program or 'a plain agent without a name'} is not on PATH, expected a program "
            "that takes a prompt; name it with --agent-bin"
        )
    return os.path.abspath(found)


def telling(program: str) -> str:
    """Nothing is known of chats; raises `Refusal`."""
    raise Refusal("a plain agent has no chat, expected a command for --notify; give one")


def argv(call: Call) -> tuple[str, ...]:
    """The program with the user's arguments; it works in the current folder."""
    flags = {"--resume": call.thread, "--model": call.model, "--effort": call.effort}
    return (find(call.program), *call.arguments, *(part for item in flags.items() if item[1] for part in item))


def confined(call: Call) -> tuple[str, ...]:
    """There is no sandbox that is known."""
    return ()


def read(seen: SessionOutput, line: bytes) -> SessionOutput:
    """Fold one line."""
    try:
        said = jsontext.loads(line.decode("utf-8", "replace")) if len(line) <= _LINE else None
    except ValueError:
        return seen
    return _told(seen, said) if isinstance(said, dict) else seen


def _told(seen: SessionOutput, said: Mapping[str, Any]) -> SessionOutput:
    texts = {"thread": "thread_id", "message": "last_message", "class": "failure_class"}
    changes: dict[str, Any] = {name: _line(said[key]) for key, name in texts.items() if key in said}
    if "running" in said:
        command = _line(said["running"])
        changes["running"] = (("0", command),) if command else ()
    if "failed" in said:
        changes["failure"] = _line(said["failed"]) or "it failed without a message"
    if "after" in said and _count(said["after"]):
        changes["retry_after"] = _count(said["after"])
    if "context" in said:
        changes["context"] = _count(said["context"])
    if isinstance(said.get("tokens"), dict):
        changes["usage"] = Usage(*(_count(said["tokens"].get(kind)) for kind in _KINDS))
    if said.get("done") is True:
        changes.update(completed=True, running=())
    return replace(seen, **changes)


def _line(value: object) -> str:
    return one_line(value, _TEXT) if isinstance(value, str) else ""


def _count(value: object) -> int:
    return max(0, round(value)) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else 0


def ending(ended: Ended) -> ErrorClass:
    """The class that the program named; without one by its exit code."""
    seen, code = ended.seen, ended.exit_code
    if seen.failure:
        known = {str(name): name for name in get_args(agent.Name)}
        return agent.error(known.get(seen.failure_class, "unknown"), seen.failure, seen.retry_after)
    if code == 0 and seen.completed:
        return agent.error("ok")
    if code is None or code < 0:
        return agent.error("interrupted")
    return agent.error("unknown", one_line(ended.said, _TEXT) or f"exit code {code} without a word")


def tokens(seen: SessionOutput, started: float) -> Usage | None:
    """What the program told."""
    return seen.usage


def context(seen: SessionOutput, started: float) -> int:
    """What the program told."""
    return seen.context if seen.thread_id else 0
