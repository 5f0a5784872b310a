"""Record a reported parallel batch: one row a worker and one main row."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OF_A_RUN = True  # goes on in the copy of the skill that the run began with


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    parser.add_argument("--batch-file", required=True, metavar="PATH", help="JSON array with one object a worker")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """Append the batch."""
    from pathlib import Path

    from ..kernel.core.errors import Refusal
    from . import selection

    try:
        from ..kernel.disk import regular

        text = regular.read_text(Path(args.batch_file))
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"--batch-file {args.batch_file} cannot be read ({error}), expected a JSON file") from None
    return selection.append(arguments.layout_of(args), selection.parse(text))
