"""Scripts: how the scripted model holds a conversation with the Codex CLI.

A *script* is a function that gives one conversation: a generator that yields a `Reply` and is sent the next
`Request` of its thread. It may yield a fault anywhere; the CLI's retry is then the next request it sees.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Generator, Sequence
from typing import Callable, TypeVar

from tests.codex.replies import LONGEST_FIRST_WAIT_MS, LONGEST_POLL_MS, USAGE, Reply, Request, Usage, poll, say, shell

Result = TypeVar("Result")
Talk = Generator[Reply, Request, Result]
Script = Callable[[Request], Talk[None]]


def run(
    command: str, usage: Usage = USAGE, wait_ms: int = LONGEST_FIRST_WAIT_MS, poll_ms: int = LONGEST_POLL_MS
) -> Talk[str]:
    """Run a shell command to its end, polling as often as needed, and return its output."""
    request = yield shell(command, usage, wait_ms)
    output = request.last_output
    text = shell_text(output)
    session = shell_session(output)
    while session is not None:
        request = yield poll(session, usage, poll_ms)
        text += shell_text(request.last_output)
        session = shell_session(request.last_output)
    return text


def shell_text(output: str) -> str:
    """Return what the command printed, without the CLI's header lines."""
    _, found, text = output.partition("\nOutput:\n")
    return text if found else output


def shell_session(output: str) -> int | None:
    """Return the id to poll when the command is still running, else None."""
    header = output.partition("\nOutput:\n")[0]
    for line in header.splitlines():
        if line.startswith("Process running with session ID "):
            return int(line.rsplit(" ", 1)[1])
    return None


def agent(commands: Sequence[str], final: str = "done", usage: Usage = USAGE) -> Script:
    """Return a script that runs the commands one by one and ends with a message."""

    def talk(_: Request) -> Talk[None]:
        for command in commands:
            yield from run(command, usage)
        yield say(final, usage)

    return talk


def researcher(edit: Callable[[int], str], trial: str, trials: int, usage: Usage = USAGE) -> Script:
    """Return a script that does `trials` experiments in each session and then ends it.

    `edit(n)` is the shell command of the n-th edit, counted from 1 over all sessions; `trial` is the command
    that measures it and prints a JSON answer. A `next` of `stop` or `needs_human`, or no JSON, ends the
    session early.
    """
    count = itertools.count(1)

    def talk(_: Request) -> Talk[None]:
        for _number in range(trials):
            yield from run(edit(next(count)), usage)
            action = next_action((yield from run(trial, usage)))
            if action in ("", "stop", "needs_human"):
                break
        yield say("session over", usage)

    return talk


def next_action(output: str) -> str:
    """Return `next.action` of the JSON object in a trial's output, `""` when there is none."""
    start = output.find("{")
    try:
        found, _ = json.JSONDecoder().raw_decode(output[max(start, 0) :])
        return str(found["next"]["action"])
    except (ValueError, KeyError, TypeError):
        return ""


def first(*replies: Reply) -> Script:
    """Return a script that answers with these, one a request, then with a plain final message."""

    def talk(_: Request) -> Talk[None]:
        for reply in replies:  # noqa: UP028 - a tuple's iterator cannot be sent the next request
            yield reply
        yield say("done")

    return talk


def always(reply: Reply) -> Script:
    """Return a script that answers each request with this."""

    def talk(_: Request) -> Talk[None]:
        while True:
            yield reply

    return talk
