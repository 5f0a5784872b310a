"""Make one shipped check: METRIC lines, the ways out beside them, and the findings as `file:line: text`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..cli import Outcome
from . import kinds
from .kinds import KINDS

# Each option, its placeholder (None: a switch), and what it does; a kind names those that it takes.
OPTIONS = {
    "option": ("ARG", "one argument handed on to the tool, again for each (--option=--strict)"),
    "tool": ("PATH", "the tool itself; for tsc, ts-any and interface the tsconfig"),
    "python": ("PATH", "the interpreter that runs the project (default: that of its virtual environment)"),
    "runs": ("N", "how often: of tests, with other seeds each time, so that flaky ones show"),
    "count-broken": (None, "count a test file that cannot be loaded instead of refusing it"),
    "branches": (None, "count ways out of a line that no test takes (missed_branches) instead of lines"),
    "build": ("CMD", "the command that writes what is read"),
    "clean": ("CMD", "the command that removes what an earlier build left"),
    "serve": ("CMD", "the command that starts the server; {port} in it is a free port"),
    "header": ("TEXT", "one header of every request, again for each; a secret by its variable"),
    "setup": (
        "CODE",
        "statements that come before the call and are not measured (Go: 'v := New(\"a\")' for 'v.Match(3)')",
    ),
    "wall": (None, "the clock instead of processor time: waiting counts"),
    "against": ("REV", "compare with a copy of that commit, in turns"),
    "ending": (".EXT", "files with this ending, again for each"),
    "over": ("N", "the complexity that is still accepted (default 10)"),
    "least": ("N", "lines in a row that make a repetition (default 6)"),
    "seeds": ("LIST", 'seeds (default "1 2 3")'),
    "judge": ("CMD", "the command that prints a score of 0 to 10 for the text in {file}"),
    "anchors": ("DIR", "texts of known quality in good/ and bad/, which the judge must tell apart"),
    "name": ("KEY", "the name of the loss in the command's output (default loss)"),
}
LISTS = ("option", "ending", "header")
INTERMIXED = True
FINDINGS = 2000  # findings shown; the numbers count all of them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Kind, operands, and every option of any kind; the help beside a kind tells of that one alone."""
    told = _told(sys.argv[1:])
    parser.add_argument("kind", choices=sorted(KINDS), metavar="KIND", help="; ".join(map(_row, told)))
    parser.add_argument(
        "operands", nargs="*", metavar="OPERAND", help="what the kind asks for; a command or code as one"
    )
    parser.add_argument("--root", default=".", metavar="DIR", help="the project's folder (default: the current one)")
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds that one program may take (default 1800)")
    parser.add_argument("--findings", type=int, default=FINDINGS, metavar="N", help="findings shown at most")
    most = "as a guard: exit 1 when the metric (with --against its percent) is above N"
    parser.add_argument("--at-most", type=float, metavar="N", help=most)
    for name, (placeholder, help) in OPTIONS.items():
        users = ", ".join(kind.name for kind in told if name in kind.options.split())
        shown = f"{help} ({users})" if users else argparse.SUPPRESS
        if placeholder is None:
            parser.add_argument(f"--{name}", action="store_true", default=None, help=shown)
        else:
            parser.add_argument(
                f"--{name}", metavar=placeholder, help=shown, action="append" if name in LISTS else "store"
            )


def _told(words: Sequence[str]) -> Sequence[kinds.Kind]:
    """The kinds that the help is about: the one that the words name, else all."""
    return [KINDS[word] for word in words if word in KINDS][:1] or list(KINDS.values())


def _row(kind: kinds.Kind) -> str:
    return f"{kind.name} {kind.operands}: {kind.what}".replace("%", "%%")


def run(args: argparse.Namespace) -> Outcome:
    """Measure; with --at-most the exit code is the guard's verdict."""
    from ..kernel.core.errors import Refusal
    from .toolbox import Request

    kind = kinds.of(args.kind)
    given = {name: getattr(args, name.replace("-", "_")) for name in OPTIONS}
    foreign = [name for name, value in given.items() if value is not None and name not in kind.options.split()]
    if foreign:
        takes = ", ".join(f"--{name}" for name in kind.options.split()) or "none"
        raise Refusal(f"{kind.name} takes no --{foreign[0]}, expected only: {takes}; leave it out")
    root = Path(args.root).resolve()
    if not root.is_dir():
        raise Refusal(f"{args.root} is no folder, expected the project's; see --root")
    options = {name.replace("-", "_"): value for name, value in given.items()}
    counted = kind.measure(Request(root, tuple(args.operands), {**options, "timeout": args.timeout}))
    value = counted.metrics.get("percent", next(iter(counted.metrics.values())))
    failed = args.at_most is not None and float(value) > args.at_most
    return Outcome({}, int(failed), counted.text(args.findings))
