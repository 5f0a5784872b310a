"""Record one finished iteration in the results log."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments
from ..kernel.core.choices import GUARDS
from ..kernel.core.errors import Refusal
from ..kernel.core.statuses import RECORDABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..kernel.disk.layout import Layout

OF_A_RUN = True  # goes on in the copy of the skill that the run began with


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--status", choices=RECORDABLE)
    what.add_argument("--amend", type=int, metavar="N", help="say anew, by --description, what was tried in row N")
    parser.add_argument("--metric", help="the measured number (reported runs only)")
    parser.add_argument("--commit", default="-", help="hash of the trial's commit")
    parser.add_argument("--guard", choices=GUARDS, default="-")
    parser.add_argument("--description", default="", help="what was tried, one line")
    parser.add_argument("--label", action="append", default=[], help="repeatable, or comma separated")
    parser.add_argument("--repo-commit", action="append", metavar="PATH=COMMIT", help="a companion's commit")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """Append the row, or the event that amends one."""
    from ..kernel.core import rows
    from . import record

    layout = arguments.layout_of(args)
    if args.amend is not None:
        return _amended(args, layout)
    labels, description = rows.describe(args.description, rows.labels(args.label))
    report = record.Report(
        status=args.status,
        description=description,
        metric=arguments.number_of(args.metric, "metric"),
        commit=_commit(args.commit),
        guard=args.guard,
        labels=labels,
        repo_commits=arguments.commits_of(args.repo_commit, layout.root),
    )
    if args.status == "drift":
        from . import drift

        return record.answer(*drift.append(layout, report))
    return record.answer(*record.append(layout, report))


def _amended(args: argparse.Namespace, layout: Layout) -> Mapping[str, Any]:
    from ..agreement import agreement
    from . import record

    given = (args.metric, args.label, args.repo_commit, args.commit != "-", args.guard != "-")
    if any(given):
        raise Refusal("--amend changes words alone, expected --description and no figure, commit or label; drop those")
    return record.answer(*agreement.amend(layout, args.amend, args.description))


def _commit(text: str) -> str:
    from ..kernel.core.text import one_line

    if one_line(text, 64) != text or " " in text or not text:
        raise Refusal(f"commit is {text[:40]!r}, expected a hash such as a1b2c3d, or - where nothing was committed")
    return text
