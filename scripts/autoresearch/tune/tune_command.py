"""Search one to five constants of the code by measuring; the best values become one trial, one row."""

from __future__ import annotations

import argparse

from ..cli import Outcome, arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which constants, and how many measurements."""
    arguments.add_paths(parser)
    words = ("FILE", "PATTERN", "LOW", "HIGH", "SCALE")
    text = "a number to search: pattern with one group around it, its range, linear or log; repeatable"
    parser.add_argument("--constant", nargs=5, action="append", required=True, metavar=words, help=text)
    parser.add_argument("--description", required=True, help="what is tuned, one line")
    parser.add_argument("--runs", type=int, default=40, metavar="N", help="measurements (default: 40)")


def run(args: argparse.Namespace) -> Outcome:
    """The trial's answer in one compact line."""
    from ..kernel.core import jsontext
    from ..kernel.core.errors import Refusal
    from . import tuner

    if not 4 <= args.runs <= 400:
        raise Refusal(f"--runs is {args.runs}, expected 4 to 400")
    constants = tuple(tuner.constant(values) for values in args.constant)
    wish = tuner.TuneRequest(constants, tuner.described(args.description), args.runs)
    answer = tuner.tune(arguments.layout_of(args), wish)
    return Outcome(answer, text=jsontext.dumps(answer))
