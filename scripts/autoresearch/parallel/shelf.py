"""Proposals that were measured beside the main tree and did not gain: each waits here for its row.

So a worker goes on while the main tree is in use for a longer trial. One folder each: what the check printed, and a
note, which is written last. Whoever has the main tree next records them in the order in which they were measured.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..kernel.core.frozen import dataclass
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.run.context import Run
from ..kernel.run.judge import Verdict
from . import proposed, verdicts
from .proposed import WorkerProposal

_NOTE = "shelved.json"


@dataclass(frozen=True)
class Shelved:
    """A worker's proposal with its verdict, its folder, and the retained commit that it was compared with."""

    folder: Path
    letter: str
    proposal: WorkerProposal
    verdict: Verdict
    met: str


def _root(layout: Layout) -> Path:
    return evidence.workers_folder(layout.evidence) / "shelf"


def fresh(layout: Layout, letter: str) -> Path:
    """A folder for what is measured now."""
    folder = _root(layout) / f"{time.time_ns()}-{letter}"
    folder.mkdir(parents=True)
    return folder


def put(item: Shelved) -> None:
    """From here on it is decided, and gets its row also after a kill."""
    said = {"proposal": vars(item.proposal), "verdict": verdicts.packed(item.verdict), "met": item.met}
    evidence.write_json(item.folder / _NOTE, said)


def waiting(layout: Layout) -> list[Shelved]:
    """All that wait, the oldest first."""
    root = _root(layout)
    names = sorted(os.listdir(root)) if root.is_dir() else []
    return [found for found in (_read(root / name) for name in names) if found]


def _read(folder: Path) -> Shelved | None:
    data = evidence.read_json(folder / _NOTE)
    try:
        if data is None:
            return None
        proposal, verdict = proposed.parsed(data["proposal"]), verdicts.unpacked(data["verdict"])
        return Shelved(folder, folder.name.rpartition("-")[2], proposal, verdict, data["met"])
    except (KeyError, TypeError, AttributeError, ArithmeticError):
        return None


def recorded(run: Run, item: Shelved) -> int:
    """The iteration under which a recorder that was killed then has put it into the log, 0 for none."""
    found = (
        e
        for e in run.log.of_kind("trial", holding=item.proposal.commit)
        if e.get("told", {}).get("proposal") == item.proposal.commit
    )
    return next((int(event["iteration"]) for event in found), 0)


def drop(item: Shelved, target: Path | None = None) -> None:
    """It is settled; what its check left goes to `target`, the evidence of an iteration."""
    import shutil

    for path in item.folder.iterdir() if target else ():
        if target and path.name not in (_NOTE, evidence.PATCH):
            os.replace(path, target / path.name)
    shutil.rmtree(item.folder, ignore_errors=True)
