"""The attempts of a run as they can be used again: row, cost, and the patch that lies in evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..kernel.core.frozen import dataclass
from ..kernel.core.rows import Row
from ..kernel.disk import evidence, regular
from ..kernel.run.context import Run

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

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
        return whole_patch(self.folder / "patch.diff")


def whole_patch(path: Path) -> bytes:
    """A patch in evidence, b"" when it is missing or cut."""
    try:
        patch = regular.read_bytes(path)
    except OSError:
        return b""
    return b"" if len(patch) > evidence.PATCH_LIMIT else patch


def trials(run: Run) -> Iterator[Past]:
    """The measured attempts of the run, the latest first, at most `MOST`."""
    events = {e["iteration"]: e for e in run.log.events if e.get("kind") == "trial" and "iteration" in e}
    rows = [row for row in run.log.rows if row.is_main and row.iteration in events][-MOST:]
    for row in reversed(rows):
        yield Past(row, events[row.iteration], evidence.folder(run.layout.evidence, row.iteration))


def losers(run: Run) -> Iterator[Past]:
    """The workers of batches that were measured and passed over, the latest first."""
    rows = [row for row in run.log.rows if row.worker and row.status == "discard"][-MOST:]
    for row in reversed(rows):
        yield Past(row, {}, evidence.folder(run.layout.evidence, row.iteration) / row.worker)
