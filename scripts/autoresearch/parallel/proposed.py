"""A worker's proposal: its edit as a commit on the state that it started from, and what it says of it.

It lies in the evidence until it is settled, so that whoever measures needs nothing of the session that made it.
"""

from __future__ import annotations

from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, names
from ..kernel.core.text import listing, one_line
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context, trial, trial_gate
from ..kernel.run.context import Run
from . import batch as batches
from . import measuring
from .batch import Batch, WorkerPlace

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@dataclass(frozen=True)
class WorkerProposal:
    """A worker's commit, the commit it stands on, and what the agent says of it."""

    base: str
    commit: str
    description: str
    labels: tuple[str, ...] = ()
    hypothesis: str = ""
    searched: int = 0
    lessons: tuple[str, ...] = ()


def _path(layout: Layout, letter: str) -> Path:
    return evidence.workers_folder(layout.evidence) / letter / "proposal.json"


def place_of(batch: Batch, letter: str) -> WorkerPlace:
    """The worker of this letter; raises `Refusal` when there is none."""
    found = next((place for place in batch.places if place.id == letter), None)
    if found is None:
        raise Refusal(f"there is no worker {letter[:8]!r}, expected one of {listing([p.id for p in batch.places])}")
    return found


def read(layout: Layout, letter: str) -> WorkerProposal | None:
    """What the worker has proposed and nobody has settled yet."""
    data = evidence.read_json(_path(layout, letter))
    try:
        return parsed(data) if data else None
    except (KeyError, TypeError):
        return None


def parsed(data: Mapping[str, Any]) -> WorkerProposal:
    """A proposal as JSON holds it; raises `KeyError` or `TypeError` for what is none."""
    return WorkerProposal(**{**data, **{name: tuple(data[name]) for name in ("labels", "lessons")}})


def drop(layout: Layout, letter: str) -> None:
    """It is settled."""
    _path(layout, letter).unlink(missing_ok=True)


def base_of(layout: Layout, batch: Batch, place: WorkerPlace) -> str:
    """The commit that the worker's folder started from."""
    noted = evidence.read_json(_base_path(layout, place)) or {}
    return str(noted.get("base") or batch.base)


def _base_path(layout: Layout, place: WorkerPlace) -> Path:
    return evidence.workers_folder(layout.evidence) / place.id / "base.json"


def note_base(layout: Layout, place: WorkerPlace, base: str) -> None:
    """The worker's folder starts from another commit."""
    evidence.write_json(_base_path(layout, place), {"base": base})


def propose(layout: Layout, letter: str, attempt: trial.Attempt) -> Mapping[str, Any]:
    """Note what lies in the worker's folder as its proposal; raises `Refusal` for what no trial would admit."""
    run, batch = context.load(layout), batches.read(layout)
    place = place_of(batch, letter)
    trial_gate.refuse_finished(run)
    base = base_of(layout, batch, place)
    worker = measuring.candidate(run, batches.solo(batch, place, base), place)
    if not worker.commit:
        raise Refusal(f"nothing is changed in {place.path}, expected an edit there; make one, then propose it")
    _refuse(run, worker.patch, attempt)
    said = {name: getattr(attempt, name) for name in names(WorkerProposal) if name not in ("base", "commit")}
    evidence.write_json(_path(layout, letter), {"base": base, "commit": worker.commit, **said})
    return {
        "worker": letter,
        "status": "queued",
        "description": one_line(attempt.description, 200),
        "next": {
            "action": "end_turn",
            "do": "End your turn now, with one line and without another edit or command. The proposal is measured "
            "while you are away; its answer opens your next turn.",
        },
    }


def _refuse(run: Run, patch: bytes, attempt: trial.Attempt) -> None:
    refusal = trial_gate.refusal_of(run, patch, attempt)
    if refusal:
        raise Refusal(refusal)
