"""Turn the edit in the tree into one finished experiment: commit, verify, guard, decide, keep or undo, record."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping

from ..kernel.core.errors import Postponed, Refusal
from . import Outcome, arguments, attempts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OF_A_RUN = True  # goes on in the copy of the skill that the run began with


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    attempts.add(parser)
    parser.add_argument("--retry", metavar="N[,M]", help="instead of an edit: try stored attempts on today's state")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--inline", action="store_true", help="measure here and now, however long it takes")
    way.add_argument("--queue", action="store_true", help="leave it to the controller or hook, however short it is")
    way.add_argument("--waiting", action="store_true", help="run the trial that was left waiting; {} when none is")


def run(args: argparse.Namespace) -> Outcome:
    """Run the experiment; the answer is one compact line, because an agent pays for every token."""
    from ..kernel import ports
    from ..kernel.core import jsontext
    from ..kernel.core.choices import AUTO, INLINE, QUEUE
    from ..kernel.run import trial

    if args.waiting:
        answer = _queue().run_left(arguments.layout_of(args))
        return Outcome(answer, text=jsontext.dumps(answer))
    if args.retry is not None:
        answer = _retried(args)
        return Outcome(answer, text=jsontext.dumps(answer))
    layout, attempt = arguments.layout_of(args), attempts.of(args)
    way = INLINE if args.inline else QUEUE if args.queue else AUTO
    try:
        answer = trial.run_trial(layout, attempt, way)
    except Postponed as reason:
        queue = ports.first("session", "queue")
        if queue and queue.put_off(layout, attempt):
            raise Postponed(f"{reason}; or end your turn: it waits, and is run while you are away") from None
        raise
    return Outcome(answer, text=jsontext.dumps(answer))


def _queue() -> Any:
    from ..kernel import ports

    found = ports.first("session", "queue")
    if found is None:
        raise Refusal("this installation has no folder `waiting`, which --waiting needs; install the skill again")
    return found


def _retried(args: argparse.Namespace) -> Mapping[str, Any]:
    from ..kernel import ports

    if not re.fullmatch(r"[0-9]{1,6}[a-z]?(,[0-9]{1,6}[a-z]?)?", args.retry):
        raise Refusal(f"--retry {args.retry[:20]!r} is no iteration, expected one such as 12, or two such as 9,12")
    retry = ports.first("session", "retry")
    if retry is None:
        raise Refusal("this installation has no folder `search`, which --retry needs; install the skill again")
    found: Mapping[str, Any] = retry(
        arguments.layout_of(args), [int(part) if part.isdigit() else part for part in args.retry.split(",")]
    )
    return found
