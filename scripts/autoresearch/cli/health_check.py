"""Check disk, git, scope, check and artifacts of a run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ..run import health
from . import arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of contract section 5."""
    arguments.add_paths(parser)
    arguments.add_scopes(parser)
    parser.add_argument("--verify-cmd", default="", help="the check whose programs must be there")
    parser.add_argument("--min-free-mb", type=int, default=health.DEFAULT_MIN_FREE_MB, metavar="N")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The health decision."""
    layout = arguments.layout_of(args)
    return health.health(layout, args.verify_cmd, arguments.scopes_of(args, layout), args.min_free_mb)
