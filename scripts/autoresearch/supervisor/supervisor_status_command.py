"""Decide whether a run goes on, stops, or needs a human."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments
from ..kernel.core.choices import MAX_STAGNATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    parser.add_argument(
        "--max-stagnation",
        type=int,
        default=MAX_STAGNATION,
        metavar="N",
        help="sessions in a row without a new row before a human is asked (0: never)",
    )
    parser.add_argument("--after-run", action="store_true", help="a session has just ended: count it")
    parser.add_argument("--write-state", action="store_true", help="keep the counters in the snapshot")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The supervisor's decision."""
    from . import supervisor

    return supervisor.status(arguments.layout_of(args), args.max_stagnation, args.after_run, args.write_state)
