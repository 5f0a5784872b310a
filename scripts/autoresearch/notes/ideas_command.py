"""Park an idea, list the ideas, say what became of one, or write down the limit of the number."""

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
    """`add`, `list`, `set` and `bound`."""
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="park one idea", allow_abbrev=False)
    listing = commands.add_parser("list", help="print the ideas, open ones first", allow_abbrev=False)
    mark = commands.add_parser("set", help="say what became of an idea", allow_abbrev=False)
    bound = commands.add_parser("bound", help="write down what the number cannot pass", allow_abbrev=False)
    for command in (add, listing, mark, bound):
        arguments.add_paths(command)
    add.add_argument("--text", required=True, help="one line: what to change, and why it should help")
    listing.add_argument("--status", choices=IDEAS, help="only these")
    mark.add_argument("--id", required=True, type=int, metavar="N")
    mark.add_argument("--status", required=True, choices=IDEAS)
    mark.add_argument("--note", help="one line: what was learnt")
    bound.add_argument("--value", required=True, metavar="N", help="the least (or most) that the number could be")
    bound.add_argument("--why", required=True, help="one line: which resource binds it")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The idea that was added or changed, or the list."""
    from . import ideas as rules
    from . import ideas_file

    path = arguments.layout_of(args).ideas
    if args.command == "bound":
        return _bounded(args, path)
    if args.command == "list":
        return _listed(ideas_file.read(path), args.status)
    if args.command == "add":
        return ideas_file.change(path, lambda known: rules.added(known, args.text)).to_dict()
    return ideas_file.change(path, lambda known: rules.marked(known, args.id, args.status, args.note)).to_dict()


def _bounded(args: argparse.Namespace, path: Any) -> Mapping[str, Any]:
    from ..kernel.run import context
    from . import bound, ideas_file

    found = bound.made(args.value, args.why)
    ideas_file.set_bound(path, found)
    out: dict[str, Any] = {"bound": found.value, "why": found.why}
    layout = arguments.layout_of(args)
    return {**out, **bound.told(context.load(layout))} if layout.results.exists() else out


def _listed(entries: Any, status: str | None) -> Mapping[str, Any]:
    wanted = [idea for idea in entries if status in (None, idea.status)]
    wanted.sort(key=lambda idea: idea.status != "open")
    counts = {name: sum(idea.status == name for idea in entries) for name in IDEAS}
    return {"counts": counts, "ideas": [idea.to_dict() for idea in wanted[:SHOWN]]}
