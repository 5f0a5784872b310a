"""Run the whole loop on a bundled program with a scripted agent: under a minute, no account, no network."""

from __future__ import annotations

import argparse
import sys

from ..cli import Outcome


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    add = parser.add_argument
    add("--keep", metavar="DIR", default="", help="play in this new or empty folder (default: a temporary one)")
    add("--codex", action="store_true", help="let the installed Codex make the edits (uses your account)")
    add("--format", choices=("text", "json"), help="default: text on a terminal, else JSON")


def run(args: argparse.Namespace) -> Outcome:
    """Play it; each trial is told as it happens, on stderr when stdout is for the JSON result."""
    from . import demo_run

    text = args.format == "text" or (args.format is None and sys.stdout.isatty())
    stream = sys.stdout if text else sys.stderr

    def tell(line: str) -> None:
        """Print one line at once."""
        stream.buffer.write((line + "\n").encode(stream.encoding, "replace"))
        stream.flush()

    result = demo_run.play(args.keep, args.codex, tell)
    return Outcome(result, text="" if text else None)
