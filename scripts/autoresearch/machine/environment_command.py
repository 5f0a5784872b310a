"""Report the machine: CPU, memory, disk, accelerators, toolchains, container, network policy, Codex."""

from __future__ import annotations

import argparse

from ..cli import Outcome, arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_repo(parser)
    parser.add_argument("--summary", action="store_true", help="the header line instead of JSON")
    parser.add_argument("--web-search", choices=("enabled", "disabled"), default="disabled")


def run(args: argparse.Namespace) -> Outcome:
    """Probe; no outbound connection is tried while search is off."""
    from . import probe

    found = probe.environment(arguments.root_of(args), args.web_search == "enabled")
    line = probe.summary(found)
    return Outcome({**found, "summary": line}, text=line if args.summary else None)
