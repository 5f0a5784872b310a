"""Park an idea, list the ideas, or say what became of one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments
from ..kernel.core.choices import IDEAS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SHOWN = 50  # entries a list prints: what a run loads is paid for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`add`, `list` and `set`."""
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="park one idea", allow_abbrev=False)
    listing = commands.add_parser("list", help="print the ideas, open ones first", allow_abbrev=False)
    mark = commands.add_parser("set", help="say what became of an idea", allow_abbrev=False)
    for command in (add, listing, mark):
        arguments.add_repo(command)
    add.add_argument("--text", required=True, help="one line: what to change, and why it should help")
    listing.add_argument("--status", choices=IDEAS, help="only these")
    mark.add_argument("--id", required=True, type=int, metavar="N")
    mark.add_argument("--status", required=True, choices=IDEAS)
    mark.add_argument("--note", help="one line: what was learnt")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The idea that was added or changed, or the list."""
    from . import ideas as rules
    from . import ideas_file

    path = arguments.layout_of(args).ideas
    if args.command == "list":
        return _listed(ideas_file.read(path), args.status)
    if args.command == "add":
        return ideas_file.change(path, lambda known: rules.added(known, args.text)).to_dict()
    return ideas_file.change(path, lambda known: rules.marked(known, args.id, args.status, args.note)).to_dict()


def _listed(entries: Any, status: str | None) -> Mapping[str, Any]:
    wanted = [idea for idea in entries if status in (None, idea.status)]
    wanted.sort(key=lambda idea: idea.status != "open")
    counts = {name: sum(idea.status == name for idea in entries) for name in IDEAS}
    return {"counts": counts, "ideas": [idea.to_dict() for idea in wanted[:SHOWN]]}
