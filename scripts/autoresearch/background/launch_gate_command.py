"""Say whether a background run may start here: fresh, resumable, blocked by one that runs, or a matter for a human."""

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


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The gate's decision."""
    from . import launch_facts

    return launch_facts.answer(arguments.layout_of(args))
