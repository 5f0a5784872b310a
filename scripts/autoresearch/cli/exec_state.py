"""Name exec mode's scratch snapshot; --cleanup removes it."""

from __future__ import annotations

import argparse

from . import Outcome, arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of contract section 5."""
    parser.add_argument("--repo", "--repo-root", dest="repo", metavar="DIR", help="any folder inside the repository")
    parser.add_argument("--cleanup", action="store_true", help="remove the snapshot and its folder")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the plain path")


def run(args: argparse.Namespace) -> Outcome:
    """The path, and whether something was removed."""
    from ..disk import layout, scratch

    path = layout.exec_state_path(arguments.root_of(args))
    removed = scratch.remove(path) if args.cleanup else False
    payload = {"state_path": str(path), "exists": path.exists(), "removed": removed}
    return Outcome(payload) if args.json else Outcome(payload, text=str(path))
