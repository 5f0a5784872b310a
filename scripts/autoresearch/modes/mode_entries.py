"""The logs of debug, fix, security and ship: entries, one record in, one record out.

A log is comment lines, a header, then records. The fields of a record that have no column travel in an
`# event: {json}` line directly before its row, in the same write. Everything else in the folder is rendered
from this one file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..kernel.core import jsontext, text
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field
from .mode_schemas import SHIPMENTS, Schema

FIELD_LIMIT = 8000
_EVENT = "# event: "
_AGREED = "# agreed: "
_LIMIT = "# limit: "
_NAME = re.compile(r"([0-9]{6}-[0-9]{4})-([a-z0-9][a-z0-9-]*)")


@dataclass(frozen=True)
class ModeEntry:
    """One accepted row: its kind and its non-empty fields."""

    kind: str
    values: Mapping[str, str]

    def get(self, name: str) -> str:
        """The field's text, empty when the row does not have it."""
        return self.values.get(name, "")


@dataclass(frozen=True)
class Context:
    """What a row is checked against.

    `files` maps the paths that the row's locations name, and that are files of the repo, to their number of
    lines; `now` is the time stamp of the row; `muted` is what the row's patch mutes; `measured` says that the
    row is taken over from a run's own log; `agreed` is what the user consented to, empty where it was not noted.
    """

    history: tuple[ModeEntry, ...] = ()
    queue: tuple[Mapping[str, str], ...] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    now: str = ""
    muted: tuple[str, ...] = ()
    measured: bool = False
    agreed: str = ""


def split_name(name: str) -> tuple[str, str]:
    """`{YYMMDD}-{HHMM}` and slug of a mode folder's name; raises `Refusal` for any other name."""
    match = _NAME.fullmatch(name)
    if match is None:
        shown = text.one_line(name, 60)
        raise Refusal(f"{shown!r} is not a mode folder, expected YYMMDD-HHMM-slug; pass the dir that `open` answered")
    return match[1], match[2]


def slug_of(given: str) -> str:
    """`given` as at most 40 lowercase letters, digits and dashes; raises `Refusal` when nothing is left."""
    slug = re.sub(r"[^a-z0-9]+", "-", given.lower())[:40].strip("-")
    if not slug:
        raise Refusal("slug has no letter or digit, expected a short name such as login-503; pass --slug NAME")
    return slug


def head(
    schema: Schema,
    slug: str,
    created: str,
    queue: Iterable[Mapping[str, str]] = (),
    agreed: str = "",
    limit: int | None = None,
) -> str:
    """The comment lines and the header of a new log.

    `queue` are findings imported from a debug folder, `agreed` is what the user asked for and consented to, `limit`
    the agreed number of hypotheses or attacks.
    """
    lines = [f"# mode: {schema.mode}", f"# slug: {slug}", f"# created: {created}"]
    lines += [f"{_AGREED}{text.one_line(agreed, FIELD_LIMIT)}"] if agreed.strip() else []
    lines += [f"{_LIMIT}{limit}"] if limit is not None else []
    lines += [f"# queue: {jsontext.dumps(item)}" for item in queue]
    return "\n".join([*lines, "\t".join(schema.columns)]) + "\n"


_TELLING = (
    *("severity", "status", "title", "hypothesis", "item", "phase", "command", "stride", "owasp"),
    *("target", "description"),
)


def brief(schema: Schema, entry: ModeEntry) -> str:
    """A row in one short line, fit to be told to the user: its number, what it is, and of what."""
    facts = [text.one_line(entry.get(name), 70) for name in _TELLING if entry.get(name)]
    number = "" if schema.mode == "ship" else f"{entry.get('iteration')} "
    return f"{number}{entry.kind}: {', '.join(facts[:3])}"


def record(schema: Schema, entry: ModeEntry) -> str:
    """What is appended for `entry`: its event line where fields have no column, then its row."""
    extras = {name: entry.get(name) for name in schema.extras if entry.get(name)}
    event = f"{_EVENT}{jsontext.dumps(extras)}\n" if extras else ""
    cells = [text.one_line(entry.get(name), FIELD_LIMIT) or "-" for name in schema.columns]
    return event + "\t".join(cells) + "\n"


def whole_length(data: bytes) -> int:
    """How many bytes of a log are whole records: a torn line, and an event without its row, are not."""
    end = data.rfind(b"\n") + 1
    while end:
        start = data.rfind(b"\n", 0, end - 1) + 1
        if not data.startswith(_EVENT.encode(), start):
            break
        end = start
    return end


def read_agreed(log: str) -> str:
    """What was agreed when the folder was opened, empty when nothing was said."""
    return next((line[len(_AGREED) :] for line in log.split("\n") if line.startswith(_AGREED)), "")


def read_limit(log: str) -> int | None:
    """The agreed number of hypotheses or attacks, None without one."""
    found = next((line[len(_LIMIT) :] for line in log.split("\n") if line.startswith(_LIMIT)), "")
    return int(found) if found.isdecimal() else None


def read_queue(log: str) -> tuple[Mapping[str, str], ...]:
    """The findings imported when a fix folder was opened, in the order of severity they were written in."""
    marker = "# queue: "
    return tuple(_mapping(line[len(marker) :], line) for line in log.split("\n") if line.startswith(marker))


def read(schema: Schema, log: str) -> tuple[ModeEntry, ...]:
    """The entries of a log of whole records; raises `Refusal` naming a line that is none."""
    entries: list[ModeEntry] = []
    extras: Mapping[str, str] = {}
    for number, line in enumerate(log.split("\n"), 1):
        if line.startswith(_EVENT):
            extras = _mapping(line[len(_EVENT) :], f"line {number}")
        elif line and not line.startswith("#") and line != "\t".join(schema.columns):
            entries.append(_entry(schema, line.split("\t"), extras, number))
            extras = {}
    return tuple(entries)


def _entry(schema: Schema, cells: list[str], extras: Mapping[str, str], number: int) -> ModeEntry:
    if len(cells) != len(schema.columns):
        raise Refusal(
            f"line {number} of {schema.log} has {len(cells)} cells, expected {len(schema.columns)}: "
            "it was edited by hand; restore that line"
        )
    columns = {name: cell for name, cell in zip(schema.columns, cells) if cell not in ("", "-")}
    values = {**columns, **extras}
    return ModeEntry(kind_of(schema, values), values)


def _mapping(document: str, where: str) -> Mapping[str, str]:
    try:
        return {str(key): str(value) for key, value in jsontext.loads(document).items()}
    except (ValueError, AttributeError):
        shown = text.one_line(where, 60)
        raise Refusal(f"{shown} of the mode log is no JSON object: it was edited by hand; restore that line") from None


def kind_of(schema: Schema, values: Mapping[str, str]) -> str:
    """The kind of entry that these fields make, empty when they make none."""
    if schema.mode == "ship":
        return values.get("kind") or _ship_kind(values)
    kind = values.get({"debug": "result", "fix": "status"}.get(schema.mode, "type"), "")
    if kind == "finding" and values.get("result", "confirmed") != "confirmed":
        kind = "ruled-out"
    return kind if kind in schema.kinds else ""


def _ship_kind(values: Mapping[str, str]) -> str:
    kind = values.get("type", "")
    if kind in ("check", "rollback", "monitor"):
        return kind
    if "phase" in values:
        return "phase"
    return "action" if kind in SHIPMENTS else ""
