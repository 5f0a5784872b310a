"""Check disk, git, scope, check and artifacts of a run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments
from ..kernel.core.choices import MIN_FREE_MB
from . import scope_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    scope_flags.add_scopes(parser)
    parser.add_argument("--verify-cmd", default="", help="the check whose programs must be there")
    parser.add_argument("--min-free-mb", type=int, default=MIN_FREE_MB, metavar="N")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The health decision."""
    from . import health

    layout = arguments.layout_of(args)
    return health.health(layout, args.verify_cmd, scope_flags.scopes_of(args, layout), args.min_free_mb)
