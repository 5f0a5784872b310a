"""The results log as an append-only journal: header comments, `# event:` lines, rows (docs/artifacts.md, The log).

One writer at a time: lock the log itself, cut what a torn write left, one write, fsync, release.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from .. import ports
from ..core import fold, jsontext, log_events, rows
from ..core.errors import Refusal
from ..core.frozen import Any, dataclass, replace
from ..core.rows import Row
from ..core.text import DESCRIPTION_LIMIT, one_line
from . import atomic, locks, regular

Event = Mapping[str, Any]
EVENT = "# event: "
REMEDY = (
    ", expected a sound log; correct that line or restore the file, or autoresearch_init_run.py --force archives it"
)
OWN = EVENT + '{"kind": "'  # as we write them: the kind is known before anything is parsed


class Events(Sequence[Event]):
    """The events of a log in their order, each parsed when it is first asked for."""

    def __init__(self, items: Iterable[str | Event] = ()) -> None:
        """`items` are lines, or events that are parsed already."""
        self._items = list(items)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._items)

    def __getitem__(self, at: Any) -> Any:
        """The event at a place, or those of a slice."""
        if isinstance(at, slice):
            return tuple(self)[at]
        item = self._items[at]
        if isinstance(item, str):
            item = self._items[at] = event_of(item)
        return item

    def and_then(self, more: Sequence[Event]) -> Events:
        """With others behind them."""
        both = Events([*self._items, *more])
        places = both._places = {kind: [*found] for kind, found in self._places.items()}
        for at, event in enumerate(more, len(self)):
            places.setdefault(event.get("kind"), []).append(at)
        return both

    @cached_property
    def _places(self) -> dict[object, list[int]]:
        found: dict[object, list[int]] = {}
        for at, item in enumerate(self._items):
            found.setdefault(kind_of(item) if isinstance(item, str) else item.get("kind"), []).append(at)
        return found

    def of_kind(self, *kinds: str, holding: str = "") -> Iterator[Event]:
        """Those of these kinds; lines without the text `holding` are left out before they are parsed."""
        places = [at for kind in kinds for at in self._places.get(kind, ())]
        return self._those(sorted(places) if len(kinds) > 1 else places, holding)

    def backwards(self, kind: str, holding: str = "") -> Iterator[Event]:
        """Those of a kind, the last one first."""
        return self._those(reversed(self._places.get(kind, ())), holding)

    def holding(self, text: str) -> Iterator[Event]:
        """Those of any kind whose line has the text in it."""
        return self._those([at for at, item in enumerate(self._items) if not isinstance(item, str) or text in item])

    def _those(self, places: Iterable[int], holding: str = "") -> Iterator[Event]:
        for at in places:
            item = self._items[at]
            if not isinstance(item, str) or holding in item:
                event = self[at]
                if event:
                    yield event


@dataclass(frozen=True)
class Log:
    """A parsed log. `size` is the length in bytes of its complete part."""

    header: Mapping[str, str]
    rows: tuple[Row, ...]
    events: Events
    size: int = 0

    @property
    def direction(self) -> str:
        """`lower` or `higher`."""
        return "higher" if self.header.get("metric_direction") == "higher" else "lower"

    @cached_property
    def state(self) -> fold.State:
        """The fold of all rows; raises `ValueError` for a log that is not sound."""
        return fold.fold(self.rows, self.direction, self.repo_commits(), self.turns())

    def state_at(self, iteration: int) -> fold.State:
        """The fold of the rows up to `iteration`."""
        return fold.fold(fold.prefix(self.rows, iteration), self.direction, self.repo_commits(), self.turns())

    def repo_commits(self) -> dict[int, Mapping[str, str]]:
        """Repo commits by iteration; a later event for one iteration wins (it replaces one whose row was torn)."""
        return {
            event["iteration"]: event["repo_commits"]
            for event in self.events.holding("repo_commits")
            if isinstance(event.get("iteration"), int) and isinstance(event.get("repo_commits"), Mapping)
        }

    def turns(self) -> dict[int, tuple[int, str | None]]:
        """What each drift takes back, and which side line it begins or ends: see `fold.Turns`."""
        found = (event for event in self.of_kind("taken_back", "line") if isinstance(event.get("iteration"), int))
        return {e["iteration"]: (e["of"], e.get("line")) for e in found if isinstance(e.get("of"), int)}

    @property
    def count(self) -> int:
        """How many rows there are, those of workers included."""
        return len(self.rows)

    def of_kind(self, *kinds: str, holding: str = "") -> tuple[Event, ...]:
        """The events of these kinds, in the order of the log; those without the text `holding` may be left out."""
        return tuple(self.events.of_kind(*kinds, holding=holding))

    def backwards(self, kind: str, holding: str = "") -> Iterator[Event]:
        """The events of a kind, the last one first; no more are parsed than are taken."""
        return self.events.backwards(kind, holding)

    def trial_of(self, iteration: int) -> Event:
        """The event of the trial that is this iteration, {} where it was none."""
        return next((event for event in self.backwards("trial") if event.get("iteration") == iteration), {})

    def marked(self) -> Mapping[str, Any]:
        """What the snapshot notes of it for the next reader."""
        return {}

    def extended(self, events: Sequence[Event], new: Sequence[Row], size: int) -> Log:
        """The log after an append."""
        known = _amended((*self.rows, *new), Events(events))
        return replace(self, rows=known, events=self.events.and_then(events), size=size)


_latest: tuple[bytes, Log] = (b"", Log({}, (), Events()))  # what was parsed last, and the log that it is


def parse(data: bytes) -> Log:
    """The log in `data`, parsed once for all who ask until something is added.

    An unfinished last line or write is left out. Raises `ValueError` naming the line that is wrong.
    """
    global _latest
    known, log = _latest
    if data != known or not data:
        log = parsed(data)
        _latest = (data, log)
    return log


def parsed(data: bytes) -> Log:
    """Read the bytes of a log.

    A write begins with its events and ends with its main row. Worker rows belong to one only after a `batch` event:
    another tool may have written them one by one.
    """
    complete = data[: data.rfind(b"\n") + 1]
    lines = complete.decode("utf-8").split("\n")[:-1]
    header: dict[str, str] = {}
    found: list[Row] = []
    events: list[str | Event] = []
    seen_header = batch = False
    begun: tuple[int, int, int] | None = None  # lines, rows and events before a write whose main row is yet to come
    for number, line in enumerate(lines):
        line = line[:-1] if line[-1:] == "\r" else line
        if line[:1] == "#":
            if line.startswith(EVENT):
                kind = kind_of(line)
                if begun is not None or kind not in log_events.ALONE:
                    begun = begun or (number, len(found), len(events))
                events.append(line)
                batch = batch or kind == "batch"
                continue
            comment(line, header)
        elif line == rows.HEADER:
            seen_header = True
        elif line.strip():
            found.append(row_of(line, number + 1, seen_header))
            if batch and found[-1].worker:
                continue
        begun, batch = None, False
    if not seen_header:
        raise ValueError("the column header is missing")
    at, kept_rows, kept_events = begun or (len(lines), len(found), len(events))
    size = len(complete) - sum(len(line.encode()) + 1 for line in lines[at:])
    said = Events(events[:kept_events])
    return Log(header, _amended(found[:kept_rows], said), said, size)


def _amended(found: Sequence[Row], events: Events) -> tuple[Row, ...]:
    words = amendments(events.of_kind("amended"))
    return tuple(reworded(row, words) for row in found) if words else tuple(found)


def amendments(events: Iterable[Event]) -> Mapping[object, str]:
    """What is said anew of an iteration; in the file its row stays as it was written."""
    return {event.get("of"): str(event.get("text", "")) for event in events if event.get("kind") == "amended"}


def reworded(row: Row, words: Mapping[object, str]) -> Row:
    """The row with the words that were amended."""
    if not words or not row.is_main or row.iteration not in words:
        return row
    return row._replace(description=one_line(words[row.iteration], DESCRIPTION_LIMIT))


def kind_of(line: str) -> object:
    """The kind of the event of such a line, None where it says none."""
    if line.startswith(OWN):
        return line[len(OWN) : line.find('"', len(OWN))]
    return event_of(line).get("kind")


def event_of(line: str) -> Event:
    """The event of a line that begins with `EVENT`; {} for one that cannot be read."""
    return jsontext.mapping(line[len(EVENT) :])


def comment(line: str, header: dict[str, str]) -> None:
    """Add what a comment line tells to the header."""
    key, colon, value = line[1:].partition(":")
    if colon:
        header[key.strip()] = value.strip()


def row_of(line: str, number: int, seen_header: bool) -> Row:
    """The row of a line; raises `ValueError` naming the line."""
    if not seen_header:
        raise ValueError(f"line {number}: a row before the column header")
    try:
        return rows.parse_row(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


def read(path: Path, parser: Callable[[bytes], Log] = parse) -> Log:
    """The log at `path`; raises `FileNotFoundError`, or `ValueError` when it cannot be read as one."""
    try:
        return _read(path, regular.read_bytes(path), parser, False)[1]
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"not readable: {error.strerror}") from None


def _read(path: Path, data: bytes, parser: Callable[[bytes], Log], write: bool) -> tuple[bytes, Log]:
    """The bytes in our form and their log; what another program made of them is for the port `row`."""
    try:
        if data[-1:] == b"\n":
            return data, _folded(parser(data))
    except ValueError:
        pass
    data = ports.first("row", "tidied", lambda path, data, write: data)(path, data, write)
    return data, _folded(parser(data))


def _folded(log: Log) -> Log:
    """The log; raises `ValueError` for one that is not sound."""
    if log.count:
        log.state  # noqa: B018 - raises for a log that cannot be folded
    return log


class LockedLog:
    """The log while its lock is held: what it says, and the only way to add to it."""

    def __init__(self, handle: int, path: Path, log: Log) -> None:
        """Wrap an open, locked descriptor."""
        self._handle, self._path = handle, path
        self.log = log

    def append(self, events: Sequence[Event], new: Sequence[Row]) -> Log:
        """Add events and rows in one durable write; the main row comes last, it is what makes the write count.

        Worker rows need a `batch` event before them.
        """
        global _latest
        lines = [EVENT + jsontext.dumps(event) for event in events] + [rows.format_row(row) for row in new]
        data = "".join(line + "\n" for line in lines).encode("utf-8", "replace")
        (known, log), before = _latest, self.log
        after = before.extended(*_as_read(data), before.size + len(data))
        try:
            os.ftruncate(self._handle, self.log.size)
            _write_at(self._handle, data, self.log.size)
        except OSError as error:
            os.ftruncate(self._handle, self.log.size)
            raise atomic.unwritable(self._path, error) from None
        if log is before:
            _latest = (known[: before.size] + data, after)
        self.log = after
        return after


def _as_read(data: bytes) -> tuple[list[Event], list[Row]]:
    """Events and rows of one write, as any reader will see them."""
    lines = data.decode("utf-8").split("\n")[:-1]
    events = [event_of(line) for line in lines if line.startswith(EVENT)]
    return events, [rows.parse_row(line) for line in lines if not line.startswith(EVENT)]


def _write_at(handle: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written
    os.fsync(handle)


def missing(path: Path) -> Refusal:
    """The refusal where there is no log."""
    return Refusal(f"there is no run here ({path.name} is missing); start one with autoresearch_init_run.py")


@contextmanager
def locked(path: Path, parser: Callable[[bytes], Log] = parse) -> Iterator[LockedLog]:
    """Hold the log's lock and read it; raises `Refusal` when it is missing, unreadable or not writable."""
    try:
        handle = locks.open_locked(path, os.O_RDWR)
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise atomic.unwritable(path, error) from None
    try:
        log = _parsed(handle, path, parser)
        if log:
            yield LockedLog(handle, path, log)
        else:
            with locked(path, parser) as anew:
                yield anew
    finally:
        os.close(handle)


def _parsed(handle: int, path: Path, parser: Callable[[bytes], Log]) -> Log | None:
    """The log, None where another file has its place now: it was written anew."""
    try:
        data = os.pread(handle, os.fstat(handle).st_size, 0)
        tidy, log = _read(path, data, parser, True)
        return log if tidy == data else None
    except ValueError as error:
        raise Refusal(f"{path.name} cannot be read ({error}){REMEDY}") from None
