"""Turn the edit in the tree into one finished experiment: commit, verify, guard, decide, keep or undo, record."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping

from ..kernel.core.errors import Refusal
from . import Outcome, arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    parser.add_argument("--description", default="", help="what was changed, one line")
    parser.add_argument("--retry", metavar="N[,M]", help="instead of an edit: try stored attempts on today's state")
    parser.add_argument("--label", action="append", default=[], help="repeatable, or comma separated")
    parser.add_argument("--searched", type=int, default=0, metavar="N", help="values tried outside before this one")
    parser.add_argument("--lesson", action="append", default=[], metavar="L-N", help="a lesson that was used")
    parser.add_argument("--knowing", action="store_true", help="the warning was read, the edit is wanted")
    parser.add_argument("--hypothesis", default="", help="why it should help; goes to the commit message")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--inline", action="store_true", help="measure here and now, however long it takes")
    way.add_argument("--queue", action="store_true", help="leave it to the controller or hook, however short it is")
    way.add_argument("--waiting", action="store_true", help="run the trial that was left waiting; {} when none is")


def run(args: argparse.Namespace) -> Outcome:
    """Run the experiment; the answer is one compact line, because an agent pays for every token."""
    from ..kernel.core import jsontext, rows
    from ..kernel.run import trial, waiting

    if args.waiting:
        answer = trial.run_waiting(arguments.layout_of(args))
        return Outcome(answer, text=jsontext.dumps(answer))
    if args.retry is not None:
        answer = _retried(args)
        return Outcome(answer, text=jsontext.dumps(answer))
    if not args.description:
        raise Refusal("--description is missing, expected what was changed in one line; add it")
    labels, description = rows.describe(args.description, rows.labels(args.label))
    attempt = trial.Attempt(description, labels, args.hypothesis, args.searched, args.knowing, lessons_of(args.lesson))
    way = waiting.INLINE if args.inline else waiting.QUEUE if args.queue else waiting.AUTO
    answer = trial.run_trial(arguments.layout_of(args), attempt, way)
    return Outcome(answer, text=jsontext.dumps(answer))


def _retried(args: argparse.Namespace) -> Mapping[str, Any]:
    from ..kernel import ports

    if not re.fullmatch(r"[0-9]{1,6}[a-z]?(,[0-9]{1,6}[a-z]?)?", args.retry):
        raise Refusal(f"--retry {args.retry[:20]!r} is no iteration, expected one such as 12, or two such as 9,12")
    retry = ports.provider("retrying", None)
    if retry is None:
        raise Refusal("this installation has no folder `search`, which --retry needs; install the skill again")
    found: Mapping[str, Any] = retry(
        arguments.layout_of(args), [int(part) if part.isdigit() else part for part in args.retry.split(",")]
    )
    return found


def lessons_of(values: list[str]) -> tuple[str, ...]:
    """Ids as the lessons file has them; raises `Refusal` for anything else."""
    found = [part.strip().upper() for value in values for part in value.split(",") if part.strip()]
    wrong = next((part for part in found if not re.fullmatch(r"L-[0-9]{1,6}", part)), "")
    if wrong:
        raise Refusal(f"--lesson {wrong[:20]!r} is no lesson, expected an id such as L-3; lessons.py list shows them")
    return tuple(dict.fromkeys(found))[:10]
