"""Take the steps of a side line that are due: begin one, compare its tip with the main line, adopt it or leave it."""

from __future__ import annotations

import argparse

from ..cli import Outcome, arguments

OF_A_RUN = True  # goes on in the copy of the skill that the run began with


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run."""
    arguments.add_paths(parser)


def run(args: argparse.Namespace) -> Outcome:
    """The answer of the last step in one compact line."""
    from ..kernel.core import jsontext
    from . import growing

    answer = growing.grow(arguments.layout_of(args))
    return Outcome(answer, text=jsontext.dumps(answer))
