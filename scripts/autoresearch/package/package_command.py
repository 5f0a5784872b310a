"""Write the skill as a plain bundle without tests, or as a plugin of Codex with its marketplace file and a zip."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`plugin OUT` and `skill OUT`."""
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("plugin", "a marketplace folder of one plugin, and its zip"), ("skill", "the plain bundle")):
        command = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        command.add_argument("out", metavar="OUT", help="a new folder")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """Write it and say how it is installed."""
    import os
    import shlex
    from pathlib import Path

    from .. import __version__
    from ..cli import outputs
    from . import bundle

    out = Path(os.path.abspath(args.out))
    outputs.refuse_folder(out, "OUT", parents=True)
    if args.command == "skill":
        return {"path": str(bundle.skill(out)), "version": __version__, "next": "copy it into .agents/skills"}
    archive = bundle.plugin(out, __version__)
    add = f"codex plugin marketplace add {shlex.quote(str(out))}"
    install = f"codex plugin add {bundle.NAME}@{bundle.MARKETPLACE}"
    return {"path": str(out), "zip": str(archive), "version": __version__, "next": f"{add} && {install}"}
