"""A long log read from a mark: the snapshot notes how its first rows fold, so that the rest alone is parsed.

The log stays the truth: a mark holds only while its digest is that of the log's first bytes and of the fold together,
so that an edit of either is noticed, and everything is read again. What the mark leaves out is parsed when asked for.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from ..kernel.core import fold, jsontext, log_events, rows
from ..kernel.core.fold import Folding
from ..kernel.core.frozen import dataclass
from ..kernel.core.rows import Row
from ..kernel.disk import evidence, journal
from ..kernel.disk.journal import EVENT, Event, Log

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any, Callable

    Writes = tuple[tuple[Sequence[Event], Sequence[Row]], ...]

PREFIX = "prefix"  # the key in the snapshot
STEP = 500  # rows between marks; between one and two steps are parsed
_BACK = ("amended", "taken_back", "line")  # events that change what is before them


@dataclass(frozen=True)
class Mark:
    """How many bytes and rows lie before it, and their fold."""

    size: int
    count: int
    folding: Folding

    def to_dict(self, data: bytes) -> dict[str, Any]:
        """The mark as the snapshot keeps it."""
        body = {"bytes": self.size, "rows": self.count, "fold": _told(self.folding)}
        return {**body, "sha256": _digest(data, body)}


_VALUES = ("baseline", "best", "claimed")
# Given anew, written in another form, or not carried: which values hold nothing that was taken back.
_NOT_CARRIED = ("direction", "commits", "turns", "standing", "retained", "last")


def _copied(folding: Folding) -> Folding:
    """The same so far; what is added to one is not added to the other."""
    other = Folding.__new__(Folding)
    other.__dict__.update(vars(folding), counts=dict(folding.counts), standing=list(folding.standing))
    return other


def _told(folding: Folding) -> dict[str, Any]:
    rows = (("retained", folding.retained), ("last", folding.last))
    ends = {name: [row.commit, row.metric, row.status, list(row.labels)] for name, row in rows}
    return {**{name: value for name, value in vars(folding).items() if name not in _NOT_CARRIED}, **ends}


def _folding(data: Mapping[str, Any], direction: str) -> Folding:
    """What goes on from a noted fold; no row after it may take a kept iteration back."""
    found = Folding.__new__(Folding)
    found.__dict__.update(data, direction=direction, commits={}, turns={}, standing=[])
    found.__dict__.update({name: Decimal(str(data[name])) for name in _VALUES})
    found.counts = {name: int(data["counts"][name]) for name in fold.COUNTERS}
    found.retained, found.last = (_row(data["iteration"], *data[name]) for name in ("retained", "last"))
    return found


def _row(iteration: int, commit: str, metric: Any, status: str, labels: list[str]) -> Row:
    value = None if metric is None else Decimal(str(metric))
    return Row(iteration, "", commit, value, "", "-", status, tuple(labels), "")


def _digest(data: bytes, body: Mapping[str, Any]) -> str:
    import hashlib  # brings a library of its own, which a short log does not need

    found = hashlib.sha256(memoryview(data)[: body["bytes"]])
    found.update(jsontext.dumps(body).encode("utf-8", "replace"))
    return found.hexdigest()


def parser(state: Path) -> Callable[[bytes], Log]:
    """What reads a log by the mark in the snapshot `state`; without one that holds, all of it."""
    return lambda data: parse(data, (evidence.read_json(state) or {}).get(PREFIX))


def parse(data: bytes, noted: object = None) -> Log:
    """The log in `data`; raises `ValueError` as `journal.parse` does."""
    data = data[: data.rfind(b"\n") + 1]
    head = _header(data)
    begun = _resumed(data, noted, head) if isinstance(noted, Mapping) else None
    collecting = gc.isenabled()
    gc.disable()  # each of the many small objects is in use or gone at once
    try:
        reading = _Reading(data, head, begun)
        if begun and reading.reaches_back:
            reading = _Reading(data, head, None)
        return Marked(reading, noted if begun and reading.mark is begun else None)
    finally:
        if collecting:
            gc.enable()


def _header(data: bytes) -> dict[str, str]:
    """The comments above the rows."""
    head: dict[str, str] = {}
    for line in data[: data.find(b"\n" + rows.HEADER.encode()) + 1].decode("utf-8").split("\n"):
        if line[:1] == "#" and not line.startswith(EVENT):
            journal.comment(line.rstrip("\r"), head)
    return head


def _resumed(data: bytes, noted: Mapping[str, Any], head: Mapping[str, str]) -> Mark | None:
    """The mark, where it is that of this log."""
    try:
        body = {name: noted[name] for name in ("bytes", "rows", "fold")}
        size, count = body["bytes"], body["rows"]
        sound = type(size) is int and type(count) is int and 0 < size <= len(data)
        if not sound or data[size - 1 : size] != b"\n" or _digest(data, body) != noted["sha256"]:
            return None
        direction = "higher" if head.get("metric_direction") == "higher" else "lower"
        return Mark(size, count, _folding(body["fold"], direction))
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        return None


class _Reading:
    """One pass over the lines behind a mark: each is checked and folded, and none is kept."""

    def __init__(self, data: bytes, head: Mapping[str, str], begun: Mark | None) -> None:
        self.data, self.header, self.begun = data, dict(head), begun
        self.folding = _copied(begun.folding) if begun else None
        self.problem: ValueError | None = None
        self.count = begun.count if begun else 0
        self.last: Row | None = None
        self.plain = True  # no comment below the header, no event in another spelling than ours
        self.reaches_back = False
        self.lines = data[begun.size if begun else 0 :].decode("utf-8").split("\n")[:-1]
        self._marks: list[tuple[int, int, Folding]] = []
        self._events = self._told()
        self._pass()

    def _told(self) -> Log:
        """The events that a fold asks for, as a log without rows."""
        kinds = tuple(f'"{kind}"' for kind in ("repos", *_BACK))
        known = [line for line in self.lines if line[:2] == "# " and line.startswith(EVENT)]
        told = [journal.event_of(line) for line in known if "repo_commits" in line or any(k in line for k in kinds)]
        if self.begun:
            at = self.begun.folding.iteration
            self.reaches_back = any(e.get("kind") in _BACK or e.get("iteration", at) in range(at + 1) for e in told)
        return Log(self.header, (), journal.Events(told))

    def _pass(self) -> None:
        seen, batch = self.begun is not None, False
        commits, words = self._events.repo_commits(), journal.amendments(self._events.events)
        if self.folding is not None:
            self.folding.commits = commits
        pending: tuple[int, int] | None = None  # line and rows before a write whose main row is yet to come
        for at, line in enumerate(self.lines):
            line = line[:-1] if line[-1:] == "\r" else line
            if line[:1] == "#":
                if line.startswith(EVENT):
                    kind = self._kind(line)
                    pending = pending or (None if kind in log_events.ALONE else (at, self.count))
                    batch = batch or kind == "batch"
                    continue
                journal.comment(line, self.header)
                self.plain = self.plain and not seen
            elif line == rows.HEADER:
                seen = True
            elif line.strip():
                row = journal.row_of(line, at + 1, seen)
                self._add(journal.reworded(row, words), at, commits)
                if batch and row.worker:
                    continue
            pending, batch = None, False
        if not seen:
            raise ValueError("the column header is missing")
        cut = len(self.lines) if pending is None else pending[0]
        self.count = self.count if pending is None else pending[1]
        self.size = self._before(cut)

    def _kind(self, line: str) -> object:
        self.plain = self.plain and line.startswith(journal.OWN)
        return journal.kind_of(line)

    def _add(self, row: Row, at: int, commits: fold.RepoCommits) -> None:
        self.count += 1
        self.last = row
        if self.problem:
            return
        try:
            if self.folding is None:
                self.folding = Folding(row, self._events.direction, commits, self._events.turns())
            else:
                self.folding.add(row)
        except ValueError as error:
            self.problem = error
        if not self.count % STEP and row.is_main and self.folding is not None:
            self._marks = [*self._marks[-1:], (at + 1, self.count, _copied(self.folding))]

    def _before(self, at: int) -> int:
        """The bytes before a line, counted from the end, which is near."""
        return len(self.data) - sum(len(line.encode("utf-8")) + 1 for line in self.lines[at:])

    @cached_property
    def mark(self) -> Mark | None:
        """Where the next reader begins: a new mark, the one of this reading, or none."""
        if not self.plain or self.problem:
            return None
        if len(self._marks) < 2:
            return self.begun
        at, count, folding = self._marks[0]
        return Mark(self._before(at), count, folding)


def last(log: Log) -> Row:
    """The last row; there is one in every log that was begun."""
    return log.last if isinstance(log, Marked) else log.rows[-1]


class Marked(Log):
    """A log whose fold is known; its rows and events are parsed when somebody asks for all of them."""

    _reading: _Reading
    _noted: object
    _more: tuple[tuple[Sequence[Event], Sequence[Row]], ...]

    def __init__(
        self, reading: _Reading, noted: object, more: tuple[tuple[Sequence[Event], Sequence[Row]], ...] = ()
    ) -> None:
        """`noted` is the mark as it was found, where it still is the one to note; `more` was appended since."""
        size = reading.size
        self.__dict__.update(header=reading.header, size=size, _reading=reading, _noted=noted, _more=more)

    @cached_property
    def _whole(self) -> Log:
        log = journal.parse(self._reading.data)
        for events, new in self._more:
            log = log.extended(events, new, self.size)
        return log

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """All rows, parsed now."""
        return self._whole.rows

    @cached_property
    def events(self) -> journal.Events:
        """All events, each parsed when it is asked for."""
        return self._whole.events

    @cached_property
    def state(self) -> fold.State:
        """The fold; raises `ValueError` for a log that is not sound."""
        if self._reading.problem or self._reading.folding is None:
            raise self._reading.problem or ValueError("no rows")
        if not self._more:
            return self._reading.folding.state()
        folding = _copied(self._reading.folding)
        for row in (row for _, new in self._more for row in new):
            folding.add(row)
        return folding.state()

    def state_at(self, iteration: int) -> fold.State:
        """The fold of the rows up to `iteration`."""
        end = self._reading.data.find(b"\n%d\t" % (iteration + 1)) + 1
        return parse(self._reading.data[:end], self._noted).state if end else self._whole.state_at(iteration)

    @property
    def last(self) -> Row:
        """The last row."""
        found = self._more[-1][1][-1] if self._more else self._reading.last
        return found or self.rows[-1]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self._reading.count + sum(len(new) for _, new in self._more)

    def of_kind(self, *kinds: str, holding: str = "") -> tuple[Event, ...]:
        """The events of these kinds; where all are spelled as we write them, no other one is parsed."""
        if not self._reading.plain:
            return super().of_kind(*kinds, holding=holding)
        lines = sorted(found for kind in kinds for found in self._lines(kind) if holding in found[1])
        more = (event for events, _ in self._more for event in events if event.get("kind") in kinds)
        return (*(event for event in (journal.event_of(line) for _, line in lines) if event), *more)

    def backwards(self, kind: str, holding: str = "") -> Iterator[Event]:
        """The events of a kind, the last one first."""
        return iter(self.of_kind(kind, holding=holding)[::-1])

    def _lines(self, kind: str) -> Iterator[tuple[int, str]]:
        data, start = self._reading.data, f'\n{journal.OWN}{kind}"'.encode()
        at = data.find(start, 0, self._reading.size)
        while at >= 0:
            end = data.index(b"\n", at + 1)
            yield at, data[at + 1 : end].decode("utf-8").rstrip("\r")
            at = data.find(start, end, self._reading.size)

    def marked(self) -> Mapping[str, Any]:
        """The mark for the snapshot."""
        if isinstance(self._noted, Mapping):
            return {PREFIX: self._noted}
        mark = self._reading.mark
        return {PREFIX: mark.to_dict(self._reading.data)} if mark else {}

    def extended(self, events: Sequence[Event], new: Sequence[Row], size: int) -> Log:
        """The log after an append; one that changes what is before it needs all."""
        if any(event.get("kind") in (*_BACK, "repos") for event in events):
            return self._whole.extended(events, new, size)
        log = Marked(self._reading, self._noted, (*self._more, (events, new)))
        log.__dict__["size"] = size
        return log
