"""Measure the true total of a run: its baseline against its final state, in turns, beside what the log claims."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ..cli import Outcome, arguments, people


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and what a clean checkout may need."""
    arguments.add_paths(parser)
    add = parser.add_argument
    add("--setup", default="", metavar="CMD", help="run in the clean checkout before the checks, e.g. 'npm ci'")
    add("--link", action="append", default=[], metavar="PATH", help="untracked path to link there, e.g. node_modules")
    add("--seconds", type=float, default=0.0, metavar="S", help="begin no pair of runs after so long (default: 300)")
    people.add_format(parser)


def run(args: argparse.Namespace) -> Outcome:
    """Measure; progress goes to stderr."""
    from . import true_total
    from .recheck import Needs

    with people.Progress() as progress:
        answer: Mapping[str, Any] = true_total.total(
            arguments.layout_of(args), Needs(tuple(args.link), args.setup, max(0.0, args.seconds)), progress.step
        )
    return people.answer(args, answer, str(answer["message"]))
