"""A log as another program left it, brought into our form: what a spreadsheet or an editor made of it, and a last line
without its end. Nothing of it is lost: what the form has no place for stays in a comment or in the old file.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..kernel.core import rows
from ..kernel.core.frozen import Any, dataclass
from ..kernel.core.rows import COLUMNS, Row
from ..kernel.core.text import one_line
from ..kernel.disk import atomic, journal, snapshot
from ..kernel.disk.journal import Log
from ..kernel.run.context import Run

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_NUMBERED = COLUMNS.index("iteration")
_seen: dict[str, Tidied] = {}  # what this command read, by path
_kept: dict[str, str] = {}  # what it wrote anew, and what to say of it


@dataclass(frozen=True)
class Tidied:
    """The log in our form, and what was otherwise, in words; `lost`: the old file holds more than the new one."""

    data: bytes
    found: tuple[str, ...] = ()
    lost: bool = False


def tidied(path: Path, data: bytes, write: bool) -> bytes:
    """The bytes of the log at `path` in our form; with `write` they are put there, and the old ones kept as `….bak`.

    What is not understood comes back as it is or nearly so, for the reader to say what is wrong with it.
    """
    found = _formed(path, data)
    if found.data == data or not _sound(found.data):
        return found.data
    _seen[str(path)] = found
    if write:
        _replace(path, data, found)
    return found.data


def _replace(path: Path, data: bytes, found: Tidied) -> None:
    """Put the log there; the caller holds its lock. Raises `Refusal` with the old one in its place."""
    where = atomic.aside(path) if found.lost else None
    if where is not None:
        _keep(where, data)
    atomic.replace(path, found.data.decode("utf-8"))
    kept = f"; the file as it was is {where.name}" if where else ""
    _kept[str(path)] = f"{'; '.join(found.found)}{kept}"


def _keep(where: Path, data: bytes) -> None:
    """A copy that is on the disk before what it was copied from goes."""
    try:
        with open(where, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise atomic.unwritable(where, error) from None


def shown(run: Run, _row: Row, _found: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer tells of a log that was written anew."""
    told = _kept.pop(str(run.layout.results), "")
    return {"log_written_anew": told} if told else {}


def told(path: Path) -> tuple[str, ...]:
    """What was otherwise about the log at `path` than we write it, once it was read: a sentence, or none."""
    if str(path) in _kept:
        return (f"{path.name} was written anew: {_kept[str(path)]}",)
    found = _seen.get(str(path))
    if found is None or not found.found:
        return ()
    kept = ", and keeps the file as it was as ….bak" if found.lost else ""
    return (f"{path.name}: {'; '.join(found.found)}; the next row writes it anew{kept}",)


def _sound(data: bytes) -> bool:
    try:
        log = journal.parsed(data)
        return not log.rows or log.state is not None
    except ValueError:
        return False


def _formed(path: Path, data: bytes) -> Tidied:
    text, words = _decoded(data)
    ended = _ended(path, text)
    if not words and _sound(ended.data):
        return ended
    lines, more = _lines(text.split("\n"))
    found = _ended(path, "\n".join(lines))
    if not _sound(found.data):
        return found
    noted = "\n".join(_noted(found.data.decode("utf-8").split("\n"), more))
    odd = _said(more) if more or not words else ()
    return Tidied(noted.encode("utf-8"), (*words, *odd, *found.found), True)


def _decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text, and what was not UTF-8 with our line ends."""
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    words = [f"it began with a byte order mark ({_MARKS[mark]})"] if mark else []
    if mark and mark != codecs.BOM_UTF8:
        text = data[len(mark) :].decode(_MARKS[mark], "replace")
    else:
        text, others = _by_line(data[len(mark) :])
        words += [f"line {others[0]} was not UTF-8 and is read as Windows-1252"] if others else []
    if "\n" not in text:
        text = text.replace("\r", "\n")
    return text.replace("\r\n", "\n"), tuple(words)


def _by_line(data: bytes) -> tuple[str, list[int]]:
    """The text, each line in UTF-8 or else in the usual code page of Windows, and the numbers of the latter."""
    lines, others = [], []
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            lines.append(line.decode("cp1252", "replace"))
            others.append(number)
    return "\n".join(lines), others


def _ended(path: Path, text: str) -> Tidied:
    """The text with its last line ended where that is a whole row, else without the line."""
    head, _, tail = text.rpartition("\n")
    if not tail:
        return Tidied(text.encode("utf-8"))
    head += "\n" if head else ""
    try:
        log = journal.parsed(head.encode("utf-8"))
    except ValueError:
        return Tidied(f"{text}\n".encode())
    event = tail.startswith(journal.EVENT) or journal.EVENT.startswith(tail)
    ours = event or bool(log.events) or log.size < len(head.encode("utf-8"))
    follows = _follows(log, tail)
    remark = tail[0] == "#" and not event
    if remark or (follows and (not ours or _is_known(path, tail))):
        return Tidied(f"{text}\n".encode(), ("the end of its last line was missing",))
    if ours and not follows:  # what a write of ours left that was cut short: it counts for nothing
        return Tidied(text.encode("utf-8"))
    number = head.count("\n") + 1
    words = f"line {number} ends in the middle and counts for nothing ({one_line(tail, 120)})"
    return Tidied(head.encode("utf-8"), (words,), True)


def _follows(log: Log, line: str) -> bool:
    """Whether the line is a whole row that may follow the log's."""
    try:
        row = rows.parse_row(line)
        last = max((known.iteration for known in log.rows), default=-1)
        after = log.rows[-1] if log.rows else None
        return row.iteration == (last + 1 if after is None or after.is_main else last)
    except ValueError:
        return False


def _is_known(path: Path, line: str) -> bool:
    """Whether the snapshot, which is written after a row, has it already: then the row was written whole."""
    state = (snapshot.tolerant(path.with_name("autoresearch-state.json")) or {}).get("state")
    number = state.get("iteration") if isinstance(state, dict) else None
    return isinstance(number, int) and number >= rows.parse_row(line).iteration


def _lines(lines: Sequence[str]) -> tuple[list[str], dict[int, tuple[str, ...]]]:
    """The lines with our seven columns, and what other columns hold, by the number of the line."""
    columns: _Columns | None = None
    out: list[str] = []
    more: dict[int, tuple[str, ...]] = {}
    for number, line in enumerate(lines):
        if line[:1] == "#" or not line.strip():
            out.append(line if line[:1] == "#" else "")
            continue
        cells = [_unquoted(cell) for cell in line.split("\t")]
        if columns is None:
            columns = _Columns(tuple(cell.strip() for cell in cells))
            if not columns.known:
                return list(lines), {}
            out.append(rows.HEADER)
            continue
        cells = columns.filled(cells) if number < len(lines) - 1 else cells
        out.append(columns.row(cells) or line)
        rest = columns.rest(cells)
        if rest:
            more[number] = rest
    return out, more


@dataclass(frozen=True)
class _Columns:
    """The names above the columns of another program's table."""

    names: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether all of ours are there."""
        return set(COLUMNS) <= set(self.names)

    def filled(self, cells: list[str]) -> list[str]:
        """The cells with the empty ones that were left out at the end of the line."""
        needed = 1 + max(self.names.index(column) for column in COLUMNS[:-1])
        return cells + [""] * (len(self.names) - len(cells)) if len(cells) >= needed else cells

    def row(self, cells: Sequence[str]) -> str:
        """The seven cells in our order, "" where there are too few."""
        places = [self.names.index(column) for column in COLUMNS]
        return "\t".join(cells[at] for at in places) if len(cells) > max(places) else ""

    def rest(self, cells: Sequence[str]) -> tuple[str, ...]:
        """What the other columns hold."""
        ours = {self.names.index(column) for column in COLUMNS}
        named = ((self._name(at), cell) for at, cell in enumerate(cells) if at not in ours and cell.strip())
        return tuple(f"{name} = {one_line(cell, 500)}" for name, cell in named)

    def _name(self, at: int) -> str:
        name = self.names[at] if at < len(self.names) else ""
        return one_line(name, 60) or f"column {at + 1}"


def _unquoted(cell: str) -> str:
    """A cell as a spreadsheet meant it."""
    inner = cell[1:-1]
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if quoted else cell


def _noted(lines: Sequence[str], more: Mapping[int, tuple[str, ...]]) -> list[str]:
    """The lines with a comment above each row that had more columns."""
    out: list[str] = []
    for number, line in enumerate(lines):
        if number in more:
            out.append(f"# beside {line.split(chr(9))[_NUMBERED]}: {', '.join(more[number])}")
        out.append(line)
    return out


def _said(more: Mapping[int, tuple[str, ...]]) -> tuple[str, ...]:
    held = f", and what they hold in {len(more)} rows is in comments" if more else ""
    return (f"its columns were not the usual seven{held}",)
