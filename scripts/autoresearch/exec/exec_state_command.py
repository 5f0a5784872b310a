"""Name exec mode's scratch snapshot; --lines tells what came of the run, --cleanup removes the snapshot."""

from __future__ import annotations

import argparse

from ..cli import Outcome, arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    parser.add_argument("--repo", "--repo-root", dest="repo", metavar="DIR", help="any folder inside the repository")
    parser.add_argument("--lines", action="store_true", help="print the run's JSON lines and last line, from its log")
    parser.add_argument("--cleanup", action="store_true", help="remove the snapshot and its folder")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the plain path")


def run(args: argparse.Namespace) -> Outcome:
    """The path, and whether something was removed."""
    from ..kernel.disk import layout
    from . import scratch

    path = layout.exec_state_path(arguments.root_of(args))
    lines = _lines(args) if args.lines else ""
    removed = scratch.remove(path) if args.cleanup else False
    payload = {"state_path": str(path), "exists": path.exists(), "removed": removed}
    return Outcome(payload) if args.json else Outcome(payload, text=lines or str(path))


def _lines(args: argparse.Namespace) -> str:
    """What the exec script would have printed, for a session that was started without it."""
    from ..kernel.core import jsontext
    from ..kernel.disk.layout import standard
    from . import exec_run as exec_mode

    return "\n".join(map(jsontext.dumps, exec_mode.told(standard(arguments.root_of(args)))))
