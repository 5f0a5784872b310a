"""Say whether an earlier run can be resumed, and from what."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    parser.add_argument("--write-repaired-state", action="store_true", help="rebuild the snapshot from the log")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The resume decision."""
    from . import resuming

    return resuming.check(arguments.layout_of(args), args.write_repaired_state)
