"""Print the prompt that a controller gives to its next session."""

from __future__ import annotations

import argparse

from ..cli import Outcome, arguments

OF_A_RUN = True  # goes on in the copy of the skill that the run began with


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)


def run(args: argparse.Namespace) -> Outcome:
    """The prompt as text."""
    from . import prompt_facts

    return Outcome({}, text=prompt_facts.text(arguments.layout_of(args)))
