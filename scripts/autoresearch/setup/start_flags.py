"""What the commands that start a run share: the flags of the last dry run or of a proposal, the machine's line."""

from __future__ import annotations

import argparse

from ..cli import arguments
from ..kernel.core.errors import Refusal
from ..kernel.core.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The agreement, `--as-rehearsed` and `--as-proposed`, and a baseline that is reported."""
    arguments.add_config(parser)
    add = parser.add_argument
    add("--as-proposed", type=int, metavar="N", help="take the scout's Nth proposal; other flags win")
    add("--as-rehearsed", action="store_true", help="take the flags of the last --dry-run; others win")
    add("--baseline-metric", help="a reported baseline instead of a measured one")
    add("--baseline-commit", default="")
    add("--baseline-description", default="")
    add("--repo-commit", action="append", metavar="PATH=COMMIT", help="a repository's baseline commit")


def flags(args: argparse.Namespace) -> dict[str, Any]:
    """The configuration flags that were given, as a later `--as-rehearsed` takes them."""
    known = argparse.ArgumentParser(add_help=False)
    arguments.add_config(known)
    given = {name: getattr(args, name) for name in vars(known.parse_args([]))}
    return {name: value for name, value in given.items() if value is not None and name != "session_mode"}


def take_over(args: argparse.Namespace, root: Path) -> None:
    """Fill the flags that were not given with those of the last dry run or of a proposal, where that is asked for."""
    from . import rehearsal

    noted = rehearsal.read(root) if args.as_rehearsed else {}
    if args.as_proposed is not None:
        offer = rehearsal.proposed(root, args.as_proposed)
        lacking = args.verify is None and (offer.get("fill_in") or offer.get("install"))
        if lacking:
            raise Refusal(
                f"proposal {args.as_proposed} is not ready ({one_line(str(lacking), 120)}), expected what it lacks: "
                f"install that with the user's consent, or pass --verify {one_line(str(offer['verify']), 400)}"
            )
        noted = {**noted, **offer}
    for name, value in noted.items():
        if name in args and getattr(args, name) is None:
            setattr(args, name, value)


def environment_of(args: argparse.Namespace, root: Path) -> str:
    """The header's line on the machine: as given, else as it is found."""
    from ..machine import probe

    return probe.line(root) if args.environment_summary is None else str(args.environment_summary)
