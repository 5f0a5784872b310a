"""The attempts of a run as they can be used again: row, cost, and the patch that lies in evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from ..kernel.core.frozen import dataclass
from ..kernel.core.rows import Row
from ..kernel.core.statuses import those
from ..kernel.disk import evidence, regular
from ..kernel.run.context import Run

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

_RETAINS = those("retains")
MOST = 300  # attempts that are looked at, the latest ones


@dataclass(frozen=True)
class Past:
    """One recorded trial: its row, its event, and where its evidence lies."""

    row: Row
    event: Mapping[str, Any]
    folder: Path

    @property
    def name(self) -> int | str:
        """How it is called: its iteration, `12a` where it is a worker's."""
        return f"{self.row.iteration}{self.row.worker}" if self.row.worker else self.row.iteration

    @property
    def patch(self) -> bytes:
        """The edit that was measured; empty where it is gone or was too large to be kept whole."""
        return whole_patch(self.folder / evidence.PATCH)


def whole_patch(path: Path) -> bytes:
    """A patch in evidence, b"" when it is missing or cut."""
    try:
        patch = regular.read_bytes(path)
    except OSError:
        return b""
    return b"" if len(patch) > evidence.PATCH_LIMIT else patch


def paths(patch: bytes) -> list[str]:
    """The files that a patch touches."""
    lines = patch.decode("utf-8", "replace").split("\n")
    return [line.rpartition(" b/")[2] for line in lines if line.startswith("diff --git ")]


def lines_of(events: Iterable[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """The steps of side lines, by the iteration of their rows."""
    return {event["iteration"]: event for event in events if event.get("kind") == "line"}


def left(rows: Iterable[Row], events: Iterable[Mapping[str, Any]]) -> set[int]:
    """The kept iterations whose content is not part of the final state, because a side line went another way."""
    gone, start, begun = set[int](), 0, 0
    for at, event in sorted(lines_of(events).items()):
        if event.get("line"):
            start, begun = int(str(event["line"]).rpartition(" ")[2]), at
        elif event["of"] == begun:  # back to the main line: what the side line kept is left
            gone |= set(range(begun, at))
            start = begun
        else:  # adopted, or closed after the way back, when start is begun: then nothing more is left
            gone |= set(range(start + 1, begun))
    return {row.iteration for row in rows if row.status == "keep" and row.iteration in gone}


def standing(run: Run) -> list[Row]:
    """The rows whose retained state stands: not taken back, and not of a side line that was left. The oldest first."""
    turns, found = run.log.turns(), list[Row]()
    gone_on = left(run.log.rows, run.log.of_kind("line"))
    for row in run.log.rows:
        if row.is_main and row.status in _RETAINS and row.iteration not in gone_on:
            gone = turns.get(row.iteration, (row.iteration, None))[0]
            found = [*(one for one in found if one.iteration < gone), row]
    return found


def in_content(run: Run) -> set[int]:
    """The retained rows that today's content holds: on a side line not those that were kept after its beginning."""
    stands = {row.iteration for row in standing(run)}
    if not run.state.line:
        return stands
    begun = next(event for event in reversed(run.log.of_kind("line")) if event.get("line"))
    start, first = int(str(begun["line"]).rpartition(" ")[2]), int(begun["iteration"])
    back = any(event["iteration"] > first for event in run.log.of_kind("line"))
    return stands if back else {at for at in stands if at <= start or at >= first}


def trials(run: Run) -> Iterator[Past]:
    """The measured attempts of the run, the latest first, at most `MOST`."""
    latest = list(islice(run.log.backwards("trial"), MOST))
    events = {event["iteration"]: event for event in reversed(latest) if "iteration" in event}
    for row in (
        row for row in reversed(run.log.rows) if row.is_main and row.iteration in events and row.status != "drift"
    ):
        yield Past(row, events[row.iteration], evidence.folder(run.layout.evidence, row.iteration))


def losers(run: Run) -> Iterator[Past]:
    """The workers of batches that were measured and passed over, the latest first."""
    for row in islice((r for r in reversed(run.log.rows) if r.worker and r.status == "discard"), MOST):
        yield Past(row, {}, evidence.folder(run.layout.evidence, row.iteration) / row.worker)
