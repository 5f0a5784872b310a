"""Say what keeps a run from working here, each finding with the line that fixes it; only --mend changes anything."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ..cli import Outcome, arguments, people

MENDS = ("trust", "skill", "permissions", "no-permissions")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    parser.add_argument("--verify", default="", metavar="CMD", help="a check to try twice (default: the run's)")
    parser.add_argument(
        "--mend",
        choices=MENDS,
        help="change Codex's settings: trust this project, switch this skill on, "
        "or let its sandbox write .git (no-permissions takes that back)",
    )
    people.add_format(parser)


def run(args: argparse.Namespace) -> Outcome:
    """Look at everything, or mend one thing; exit code 1 when something blocks a run."""
    from . import diagnosis

    if args.mend:
        from . import mending

        told = mending.mend(arguments.root_of(args), args.mend)
        return people.answer(args, told, told["message"])
    with people.Progress() as progress:
        answer = diagnosis.answer(diagnosis.examine(arguments.layout_of(args), args.verify, progress.step))
    return people.answer(args, answer, _text(answer), 1 if answer["decision"] == "block" else 0)


def _text(answer: Mapping[str, Any]) -> str:
    lines = []
    for item in answer["findings"]:
        lines.append(f"{item['severity']:6} {item['area']:10} {item['what']}")
        if item["fix"]:
            lines.append(f"{'':17} fix: {item['fix']}")
    counts = ", ".join(f"{number} {level}" for level, number in answer["counts"].items())
    return "\n".join([*lines, "", counts])
