"""Rows of the results log: statuses, labels, one line in, one line out. All escaping of cells is here."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Iterable
from decimal import Decimal

from . import numbers, text
from .choices import GUARDS
from .errors import Refusal
from .statuses import TABLE, those

COLUMNS = ("iteration", "commit", "metric", "delta", "guard", "status", "description")
HEADER = "\t".join(COLUMNS)
_GUARDS, RETAINED = frozenset(GUARDS), those("retains")
LABEL_LIMIT = 20
# How the descriptions begin of trials that the tool made by itself, of stored attempts; nobody else's may.
_OWN = ("[RETRY ", "[PAIR ")
LINE = "[LINE "  # and those of a side line
_LABEL = re.compile(r"[a-z0-9][a-z0-9._/-]{0,63}")
_PREFIX = re.compile(r"\[labels: ([^\]]*)\] ?")
_ITERATION = re.compile(r"([0-9]{1,9})([a-z]*)")


TYPE_CHECKING = False  # `typing` costs more start-up time than reading a thousand rows
if TYPE_CHECKING:
    from typing import NamedTuple

    class _Cells(NamedTuple):
        iteration: int
        worker: str
        commit: str
        metric: Decimal | None
        delta: str
        guard: str
        status: str
        labels: tuple[str, ...]
        description: str

else:
    _Cells = namedtuple("_Cells", "iteration worker commit metric delta guard status labels description")


class Row(_Cells):
    """One line of the log. A named tuple, not a dataclass: ten thousand are read on each append.

    `worker` is the lowercase suffix of a worker row, "" for a main row; `description` lacks the label prefix.
    """

    __slots__ = ()

    @property
    def is_main(self) -> bool:
        """Whether the row counts as an iteration."""
        return not self.worker

    @property
    def is_own(self) -> bool:
        """Whether the tool made the trial by itself: no budget of iterations pays for it, and it is no strike."""
        return self.description[:1] == "[" and self.description.startswith(_OWN)


def labels(values: Iterable[str]) -> tuple[str, ...]:
    """Labels in lowercase, unique, in the order given; each value may hold several, comma separated."""
    found = (part.strip().lower() for value in values for part in value.split(","))
    unique = tuple(dict.fromkeys(part for part in found if part))
    for label in unique:
        if not _LABEL.fullmatch(label):
            shown = text.one_line(label, 40)
            raise Refusal(f"label {shown!r} is not usable, expected letters, digits and . _ / - ; rename it")
    if len(unique) > LABEL_LIMIT:
        raise Refusal(f"{len(unique)} labels given, expected at most {LABEL_LIMIT}; keep the ones that gate something")
    return unique


def split_labels(cell: str) -> tuple[tuple[str, ...], str]:
    """Separate the `[labels: a, b] ` prefix of a description cell from its text."""
    match = _PREFIX.match(cell) if cell[:1] == "[" else None
    if not match:
        return (), cell
    found = dict.fromkeys(part.strip().lower() for part in match.group(1).split(",") if part.strip())
    return tuple(found), cell[match.end() :]


def describe(description: str, given: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Clean a description; a label prefix typed into it joins `given`, so that it reads back the same."""
    rest = text.one_line(description)
    found: list[str] = list(given)
    while _PREFIX.match(rest):
        more, rest = split_labels(rest)
        found += more
    while rest.startswith((*_OWN, LINE)):
        rest = rest[1:]
    return labels(found), rest.strip()


def _numbered(cell: str) -> tuple[int, str]:
    """Iteration number and worker suffix of the first cell."""
    if cell.isdecimal() and cell.isascii() and len(cell) < 10:
        return int(cell), ""
    where = _ITERATION.fullmatch(cell)
    if where is None:
        raise ValueError(f"iteration {cell[:20]!r}")
    return int(where[1]), where[2]


def parse_row(line: str) -> Row:
    """Read one line; raises `ValueError` saying which cell is wrong."""
    cells = line.split("\t")
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{len(cells)} cells instead of {len(COLUMNS)}")
    iteration, worker = _numbered(cells[0])
    metric, status, guard = cells[2], cells[5], cells[4]
    # Plain digits are most of what is read, and need no regular expression.
    if not (metric.isdecimal() and metric.isascii()) and metric != "-" and not numbers.is_number(metric):
        raise ValueError(f"metric {metric[:20]!r}")
    if status not in TABLE:
        raise ValueError(f"status {status[:20]!r}")
    if guard not in _GUARDS:
        raise ValueError(f"guard {guard[:20]!r}")
    tags, description = split_labels(cells[6])
    value = None if metric == "-" else Decimal(metric)
    return Row(iteration, worker, cells[1], value, cells[3], guard, status, tags, description)


def format_row(row: Row) -> str:
    """One line without its line break; every cell is clean by construction or cleaned here."""
    prefix = f"[labels: {', '.join(row.labels)}] " if row.labels else ""
    metric = "-" if row.metric is None else numbers.plain(row.metric)
    cells = (
        f"{row.iteration}{row.worker}",
        text.one_line(row.commit, 64) or "-",
        metric,
        row.delta,
        row.guard,
        row.status,
        prefix + text.one_line(row.description),
    )
    return "\t".join(cells)
