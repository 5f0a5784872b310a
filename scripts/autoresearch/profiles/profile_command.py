"""Profile a command or a call of the project: lines `SHARE % FUNCTION FILE:LINE`, the largest first."""

from __future__ import annotations

import argparse

from ..cli import Outcome

SECONDS = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A command, or a call with its setup; the profiler."""
    add = parser.add_argument
    add("command", nargs="?", default="", metavar="CMD", help="the command to profile, as one argument")
    add("--call", default="", metavar="CODE", help="an expression of Python instead of a command, called for 2 s")
    add("--setup", default="", metavar="CODE", help="statements before the call")
    add("--node", action="store_true", help="the call is JavaScript")
    add("--by", default="", choices=("cprofile", "cpu-prof", "perf"), help="the profiler (default: the one that fits)")
    add("--root", default=".", metavar="DIR", help="the project's folder (default: the current one)")
    add("--timeout", type=float, default=SECONDS, metavar="S", help="seconds that it may take (default 600)")


def run(args: argparse.Namespace) -> Outcome:
    """Profile and print."""
    from pathlib import Path

    from ..checks.toolbox import Request
    from ..kernel.core.errors import Refusal
    from . import profilers

    root = Path(args.root).resolve()
    if bool(args.command) == bool(args.call) or not root.is_dir():
        raise Refusal("expected a folder and either CMD or --call CODE, one of the two; see --help")
    request = Request(root, (), {"timeout": args.timeout})
    if args.call:
        found = profilers.of_call(request, args.call, args.setup, args.node)
    else:
        found = profilers.of_command(request, args.command, args.by)
    if not found:
        raise Refusal("no function of the project shows up, expected some; give it more to do, or another command")
    return Outcome({}, 0, "\n".join(f"{spot.share:.1f} % {spot.name}" for spot in found))
