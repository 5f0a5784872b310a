"""What an agent says of its edit, as flags of every command that takes one."""

from __future__ import annotations

import argparse
import re

from ..kernel.core.errors import Refusal

TYPE_CHECKING = False  # `typing` itself costs more than `--help` may
if TYPE_CHECKING:
    from ..kernel.run.trial import Attempt


def add(parser: argparse.ArgumentParser) -> None:
    """The flags that describe an edit."""
    parser.add_argument("--description", default="", help="what was changed, one line")
    parser.add_argument("--label", action="append", default=[], help="repeatable, or comma separated")
    parser.add_argument("--searched", type=int, default=0, metavar="N", help="values tried outside before this one")
    parser.add_argument("--lesson", action="append", default=[], metavar="L-N", help="a lesson that was used")
    parser.add_argument("--knowing", action="store_true", help="the warning was read, the edit is wanted")
    parser.add_argument("--hypothesis", default="", help="why it should help; goes to the commit message")


def of(args: argparse.Namespace) -> Attempt:
    """What the flags say; raises `Refusal` without a description, or for a lesson that cannot be one."""
    from ..kernel.core import rows
    from ..kernel.run import trial

    if not args.description:
        raise Refusal("--description is missing, expected what was changed in one line; add it")
    labels, description = rows.describe(args.description, rows.labels(args.label))
    return trial.Attempt(description, labels, args.hypothesis, args.searched, args.knowing, lessons_of(args.lesson))


def lessons_of(values: list[str]) -> tuple[str, ...]:
    """Ids as the lessons file has them; raises `Refusal` for anything else."""
    found = [part.strip().upper() for value in values for part in value.split(",") if part.strip()]
    wrong = next((part for part in found if not re.fullmatch(r"L-[0-9]{1,6}", part)), "")
    if wrong:
        raise Refusal(f"--lesson {wrong[:20]!r} is no lesson, expected an id such as L-3; lessons.py list shows them")
    return tuple(dict.fromkeys(found))[:10]
