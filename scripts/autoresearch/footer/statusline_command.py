"""Serve the run's state to the footer of the interactive Codex (MCP on standard input and output; experimental)."""

from __future__ import annotations

import argparse

from ..cli import Outcome


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No flags: Codex names the folder with every request."""


def run(args: argparse.Namespace) -> Outcome:
    """Answer requests, a line each, until standard input ends."""
    import json
    import sys

    from . import provider

    for line in sys.stdin.buffer:
        try:
            answer = provider.reply(json.loads(line), _line)
        except ValueError:
            answer = provider.unreadable()
        if answer is not None:
            sys.stdout.buffer.write((json.dumps(answer, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
            sys.stdout.flush()
    return Outcome({}, text="")


def _line(folder: str) -> str:
    """The text of a folder, "" where no sound run is."""
    import os
    import time
    from pathlib import Path

    from ..cli.run_root import find_root
    from ..kernel.core.errors import Refusal
    from ..kernel.core.text import one_line
    from ..kernel.disk import layout
    from ..report import accounting, headline

    if not os.path.isabs(folder) or not os.path.isdir(folder):
        return ""
    where = layout.standard(find_root(Path(folder)))
    try:
        account = accounting.live(accounting.read(where, time.time()), where) if where.results.exists() else None
    except Refusal:
        return ""
    if account is None:
        return ""
    status = account.controller.status if account.controller else account.config.session_mode
    words = (f"autoresearch {status}", headline.movement(account), f"iteration {account.state.iteration}")
    return one_line(" · ".join(words), 160)
