"""Show a run on one screen, live in a terminal, once elsewhere: progress, last rows, noise, budget, controller."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from ..cli import Outcome, arguments

if TYPE_CHECKING:
    from ..kernel.disk.layout import Layout
    from .terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    parser.add_argument("--once", action="store_true", help="print one screen and end")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json: the figures, once")


def run(args: argparse.Namespace) -> Outcome:
    """Follow the run until q or Ctrl-C; without a terminal, or with --once, one screen as text."""
    from . import headline, live

    seen = live.LiveView(arguments.layout_of(args), terminal())
    if args.format == "json":
        return Outcome(headline.facts(seen.account))
    is_live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    if args.once or not is_live:
        return Outcome({}, text=seen.text(size(), live=False))
    try:
        live.follow(seen, sys.stdin.fileno() if sys.stdin.isatty() else None, sys.stdout.fileno())
    except KeyboardInterrupt:
        pass  # the usual way to leave
    return Outcome({}, text="")


def screen(layout: Layout) -> str:
    """One screen for who shows more beside it; "" where there is no run to show."""
    from ..kernel.core.errors import Refusal
    from . import live

    try:
        return live.LiveView(layout, terminal()).text(size(), live=False)
    except Refusal:
        return ""


def terminal() -> Terminal:
    """What stdout can show."""
    from .terminal import Terminal

    unicode = "utf" in (sys.stdout.encoding or "").lower()
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    return Terminal(unicode=unicode, colour=colour)


def size() -> os.terminal_size:
    """The terminal's size; where there is none, the usual one, or what COLUMNS and LINES say."""
    try:
        return os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        pass
    given = [os.environ.get(name, "") for name in ("COLUMNS", "LINES")]
    columns, lines = (int(text) if text.isdigit() and int(text) > 0 else 0 for text in given)
    return os.terminal_size((columns or 80, lines or 24))
