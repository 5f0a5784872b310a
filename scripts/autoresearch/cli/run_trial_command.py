"""Turn the edit in the tree into one finished experiment: commit, verify, guard, decide, keep or undo, record."""

from __future__ import annotations

import argparse

from . import Outcome, arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    parser.add_argument("--description", required=True, help="what was changed, one line")
    parser.add_argument("--label", action="append", default=[], help="repeatable, or comma separated")
    parser.add_argument("--hypothesis", default="", help="why it should help; goes to the commit message")


def run(args: argparse.Namespace) -> Outcome:
    """Run the experiment; the answer is one compact line, because an agent pays for every token."""
    from ..kernel.core import jsontext, rows
    from ..kernel.run import trial

    labels, description = rows.describe(args.description, rows.labels(args.label))
    attempt = trial.Attempt(description, labels, args.hypothesis)
    answer = trial.run_trial(arguments.layout_of(args), attempt)
    return Outcome(answer, text=jsontext.dumps(answer))
