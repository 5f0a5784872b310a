"""List the lessons of earlier runs, or append one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments
from ..kernel.core.choices import OUTCOMES
from ..kernel.core.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .lessons import Lesson


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="print the entries", allow_abbrev=False)
    append = commands.add_parser("append", help="add one entry", allow_abbrev=False)
    for command in (listing, append):
        arguments.add_paths(command)
        command.add_argument("--lessons-path", metavar="PATH")
    listing.add_argument("--all", action="store_true", help="retired ones too, as written")
    append.add_argument("--title", required=True)
    append.add_argument("--strategy", required=True)
    append.add_argument("--outcome", required=True, choices=OUTCOMES)
    append.add_argument("--insight", required=True, help="what the description does not say")
    append.add_argument("--context", default="")
    append.add_argument("--iteration", default="", help="run-tag#N")
    append.add_argument("--timestamp", default="")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The entries, newest last; of a list what a run is to read."""
    from ..kernel.disk.layout import standard
    from . import lessons_file

    root = arguments.root_of(args)
    layout = standard(root)
    path = root / args.lessons_path if args.lessons_path else layout.lessons
    if args.lessons_path:
        from ..cli import outputs

        outputs.refuse(path, "--lessons-path", layout, r"^### L-\d|[Ll]essons", "lessons")
    if args.command == "list":
        entries = lessons_file.read(path)
    else:
        entries = list(lessons_file.append(path, _entry(args)))
    out: dict[str, Any] = {"lessons_path": str(path), "count": len(entries)}
    if args.command == "append":
        return {**out, **entries[-1].to_dict()}
    from . import lessons as rules

    shown = entries if args.all else rules.ranked(entries)
    return {**out, "retired": len(entries) - len(shown), "lessons": [entry.to_dict() for entry in shown]}


def _entry(args: argparse.Namespace) -> Lesson:
    from ..kernel.core.text import one_line
    from ..kernel.run.context import now
    from .lessons import Lesson

    for name in ("title", "strategy", "insight"):
        if not one_line(getattr(args, name)):
            raise Refusal(f"--{name} is empty, expected one line; a lesson that says nothing is not written")
    fields = ("title", "strategy", "outcome", "insight", "context", "iteration")
    values = {name: one_line(getattr(args, name)) for name in fields}
    return Lesson(number=0, timestamp=one_line(args.timestamp) or now(), **values)
