"""Write and check the folder and log of a debug, fix, security or ship session."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..cli import Outcome, arguments
from ..kernel.core.choices import SEVERITIES
from ..kernel.core.errors import Refusal
from ..kernel.core.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Spelled out, and what does the work imported by `run`: --help is not to wait for it.
MODES = ("debug", "fix", "security", "ship")
INPUT_LIMIT = 2_000_000  # bytes that a field may bring; the field itself is bounded further


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`open`, `add` and `summary`."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="{open,add,summary}")
    opened = commands.add_parser("open", help="make the folder with all its files", allow_abbrev=False)
    arguments.add_repo(opened)
    opened.add_argument("--mode", required=True, choices=MODES)
    opened.add_argument("--slug", required=True, help="short name of the subject, e.g. login-503")
    opened.add_argument("--from-debug", metavar="DIR", help="import a debug or security folder's findings into a fix")
    opened.add_argument("--only", action="append", metavar="ID", help="of those findings only this one; repeatable")
    opened.add_argument("--limit", type=int, metavar="N", help="agreed number of hypotheses or attacks")
    opened.add_argument("--agreed", default="", help="symptom, scope, consents: what a later session must know")
    added = commands.add_parser("add", help="check and record one row, or several", allow_abbrev=False)
    added.add_argument("--dir", required=True, help="the folder that open answered")
    added.add_argument(
        "fields",
        nargs="+",
        metavar="FIELD=VALUE",
        help="FIELD=@FILE reads a file, FIELD=@- stdin, FIELD=@@… is a value that begins with @; "
        "a + by itself begins the next row, and all are recorded or none",
    )
    summary = commands.add_parser("summary", help="finish the files, answer with score and gate", allow_abbrev=False)
    summary.add_argument("--dir", required=True, help="the folder that open answered")
    summary.add_argument("--fail-on", choices=SEVERITIES, help="exit 1 when the gate fails at this severity")


def run(args: argparse.Namespace) -> Mapping[str, Any] | Outcome:
    """Do one of the three; a gate that was asked for and fails is exit code 1 with the whole answer."""
    from . import mode_session

    if args.command == "open":
        source = Path(args.from_debug) if args.from_debug else None
        wanted = mode_session.Opening(args.mode, args.slug, source, tuple(args.only or ()), args.agreed, args.limit)
        return mode_session.open_folder(arguments.root_of(args), wanted, time.time())
    if args.command == "add":
        return _line(mode_session.add_rows(Path(args.dir), [_fields(row) for row in _rows(args.fields)], time.time()))
    answer = mode_session.summarize(Path(args.dir), args.fail_on or "", time.time())
    return Outcome(answer, 1 if answer["failed"] else 0)


def _line(answer: Mapping[str, Any]) -> Outcome:
    """One compact line: there is an answer for every row, and an agent pays for each."""
    from ..kernel.core import jsontext

    return Outcome(answer, text=jsontext.dumps(answer))


def _rows(given: Sequence[str]) -> list[list[str]]:
    """The fields of each row; a lone + stands between rows."""
    rows: list[list[str]] = [[]]
    for item in given:
        if item == "+":
            rows.append([])
        else:
            rows[-1].append(item)
    if not all(rows):
        raise Refusal("a row has no field, expected FIELD=VALUE around each +; nothing was recorded, repeat corrected")
    return rows


def _fields(given: Sequence[str]) -> Mapping[str, str]:
    """The fields of a row, files and stdin read; raises `Refusal` naming every one that cannot be."""
    fields: dict[str, str] = {}
    problems: list[str] = []
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            problems.append(f"{one_line(item, 40)!r} is not FIELD=VALUE")
        elif name in fields:
            problems.append(f"{one_line(name, 40)} is given twice")
        else:
            fields[name] = ""
            try:
                fields[name] = _content(value)
            except Refusal as refusal:
                problems.append(f"{one_line(name, 40)}: {refusal}")
    if problems:
        raise Refusal(f"{'; '.join(problems)}. Nothing was recorded; correct it and add the row again")
    return fields


def _content(value: str) -> str:
    if value.startswith("@@"):
        return value[1:]
    if not value.startswith("@"):
        return value
    from .mode_folder import read_input

    return read_input(Path("/dev/stdin" if value == "@-" else value[1:]), INPUT_LIMIT)
