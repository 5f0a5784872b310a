"""Write the report of a run: one self-contained HTML file, and the same as Markdown for a pull request."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cli import Outcome, arguments, people


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    parser.add_argument("--html", metavar="PATH", help="instead of autoresearch-evidence/report.html")
    parser.add_argument("--markdown", metavar="PATH", help="instead of autoresearch-evidence/report.md")
    add = parser.add_argument
    add("--worth", action="store_true", help="measure first what each kept experiment is worth today")
    add("--total", action="store_true", help="measure first the true total, baseline against final state in turns")
    add("--setup", default="", metavar="CMD", help="with these: run in the clean checkout before the checks")
    add("--link", action="append", default=[], metavar="PATH", help="with these: untracked path to link there")
    people.add_format(parser)


def run(args: argparse.Namespace) -> Outcome:
    """Write both files and answer with their paths and the headline."""
    from . import report_files

    layout = arguments.layout_of(args)
    with people.Progress() as progress:
        if args.worth or args.total:
            from ..finalize import final_branch, true_total
            from ..finalize.recheck import Needs

        if args.total:
            true_total.total(layout, Needs(tuple(args.link), args.setup), progress.step)
        if args.worth:
            final_branch.worth(layout, Needs(tuple(args.link), args.setup), progress.step)
        progress.step("writing the report")
        wanted = {"html": args.html, "markdown": args.markdown}
        answer = report_files.write(layout, {name: Path(path) for name, path in wanted.items() if path}, time.time())
    return people.answer(args, answer, _text(answer))


def _text(answer: Mapping[str, Any]) -> str:
    lines = [f"{answer['headline']}.", "", f"HTML      {answer['html']}", f"Markdown  {answer['markdown']}"]
    return "\n".join(lines + [f"note: {note}" for note in answer["notes"]])
