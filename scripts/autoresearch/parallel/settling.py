"""One worker's proposal turned into a row: brought up to the retained state, measured, kept or thrown away.

A proposal that is alone is measured in the main tree, as any trial is; so are all whose noisy numbers would disturb
each other. Where several are settled at once they are measured in their own worktrees, side by side. Their workers
then go on. What did not gain is decided, and whoever has the main tree next records it; a would-be keep is measured
once more, on the merged tree (`record`), while its worker's folder holds it already.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ..findings import changed_places
from ..kernel.core.errors import Postponed, Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.rows import Row
from ..kernel.disk import evidence, locks
from ..kernel.disk.layout import Layout
from ..kernel.run import context, intent, trial, trial_gate
from ..kernel.run.context import Run
from ..kernel.run.judge import Verdict
from ..kernel.system.git import GitError, Repo
from ..kernel.system.gittrees import Trees
from . import apart, beside, measuring, proposed, runners, shelf, untried
from . import batch as batches
from .anew import renew
from .batch import Batch, WorkerPlace
from .proposed import WorkerProposal
from .shelf import Shelved

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_GAINED = (
    "It is measured again on the merged tree while you go on; your folder holds it already. A later answer tells "
    "whether it was kept. Go on with another idea."
)
HOW = "in your own folder, with run_batch propose in place of run_trial"


def settle(layout: Layout, letter: str) -> Mapping[str, Any]:
    """Settle the worker's proposal; {} when it has none. The worker's folder then holds the retained state.

    Raises `Refusal` where the run is over or the proposal is not admitted, with the proposal dropped, and `Postponed`
    where the machine is too busy, with the proposal kept the first times.
    """
    batch = batches.read(layout)
    place = proposed.place_of(batch, letter)
    proposal, began = proposed.read(layout, letter), time.time()
    if proposal is None:
        return {}
    with locks.held(_own(layout, letter), f"worker {letter} is being settled, expected nobody; wait for it"):
        try:
            answer, base = _settled(layout, batch, place, proposal)
        except Postponed:
            note = evidence.postponed(layout.evidence)
            if float(note.get("at", 0)) >= began and int(note.get("times", 0)) > trial.POSTPONED_AT_MOST:
                anew(layout, place)
            raise
        except Refusal:
            anew(layout, place)
            raise
        anew(layout, place, base)
    return {**answer, **_caught_up(layout, proposal.commit)}


def prove(layout: Layout, letter: str) -> Mapping[str, Any]:
    """Whether the check sees the workers' folders, shown on the tool's own while they think or are measured; then
    whether noisy numbers may be measured at one time.

    Raises `Refusal` where it does not. Until then nobody records what was measured aside.
    """
    batch = batches.read(layout)
    place = proposed.place_of(batch, letter)
    with locks.held(_own(layout, letter), "", wait=True), locks.held(_turn(layout), "", wait=True):
        run = context.load(layout)
        for own in batch.tools:
            batches.remove(run, own)
            batches.make(run, batch, own)
        batches.prove(run, batch, place)
        said = beside.prove(run, batch)
        for own in batch.tools:
            batches.remove(run, own)
        replace(batch, proved=True).write(layout.evidence)
    _caught_up(layout, "")
    return {"worker": letter, "proved": True, **({"side_by_side": said} if said else {})}


def record(layout: Layout, letter: str) -> Mapping[str, Any]:
    """What waits on the shelf into the log, up to the first would-be keep, which is measured again; the answer to it.

    Raises `Postponed` where it cannot be measured now: it waits on.
    """
    with locks.held(_own(layout, letter), "", wait=True):
        return _confirmed(layout)


def _confirmed(layout: Layout) -> Mapping[str, Any]:
    """The first would-be keep of the shelf measured in the main tree, once it is free; {} for none."""
    with locks.held(_turn(layout), "", wait=True):
        gain = next(filter(_gains, shelf.waiting(layout)), None)
        if gain is None or not batches.read(layout).proved:
            return {}
        with _clean(layout):
            answer = _record_all(layout, gain.proposal.commit, gain)
    return {"worker": gain.letter, **answer}


def has_gain(layout: Layout, letter: str = "") -> bool:
    """Whether a would-be keep, of this worker or of any, waits to be measured on the merged tree."""
    return any(_gains(item) and letter in ("", item.letter) for item in shelf.waiting(layout))


def _gains(item: Shelved) -> bool:
    return item.verdict.status == "keep"


def anew(layout: Layout, place: WorkerPlace, base: str = "") -> None:
    """The worker's folder as the retained state is, or as `base`; what git ignores in it stays."""
    run = context.load(layout)
    head = base or _retained(run)[0]
    renew(run, place.path, head)
    proposed.note_base(layout, place, head)
    proposed.drop(layout, place.id)


def forget(layout: Layout, place: WorkerPlace) -> None:
    """A session ended without a proposal: its edit goes, kept as a patch."""
    run, batch = context.load(layout), batches.read(layout)
    _saved(run, batch, place)
    anew(layout, place)


def _settled(
    layout: Layout, batch: Batch, place: WorkerPlace, proposal: WorkerProposal
) -> tuple[Mapping[str, Any], str]:
    """The answer, and the commit that the worker goes on from where that is not the retained one.

    What was measured aside is on the shelf, all else is in the log. A gain of a worker with accelerators of its own is
    measured again in its place: they bear one run at a time.
    """
    while has_gain(layout, place.id) and not _merged(context.load(layout), proposal):
        if not _confirmed(layout):  # it builds on that gain
            break
    run = context.load(layout)
    trial_gate.refuse_finished(run)
    if apart.bears(run) and _others(layout, batch, place):
        with apart.turn(run):
            found = _aside(run, batch, place, proposal)
        if not (_gains(found) and place.devices):
            shelf.put(found)
            return _awaiting(run, found), Repo(Path(place.path)).head() if _gains(found) else ""
        shelf.drop(found)
    with locks.held(_turn(layout), "", wait=True), _clean(layout) as mended:
        if batches.read(layout).proved:
            _record_all(layout)
        run = context.load(layout)
        trial_gate.refuse_finished(run)
        return _answered(*_put(run, place.id, proposal), mended), ""


@contextmanager
def _clean(layout: Layout) -> Iterator[str]:
    """Hold the trial lock over a main tree without an edit that somebody made there: it would be measured too."""
    with batches.alone(layout) as mended:
        yield "; ".join(filter(None, (mended, untried.take_back(context.load(layout)))))


def _turn(layout: Layout) -> Path:
    """The lock of whoever has the main tree."""
    return _own(layout, "main")


def _own(layout: Layout, letter: str) -> Path:
    """The lock of whoever settles this worker's proposal."""
    return evidence.workers_folder(layout.evidence) / f"{letter}.lock"


def _others(layout: Layout, batch: Batch, place: WorkerPlace) -> bool:
    """Whether another worker's proposal is being settled: then the main tree is for what is short, and for keeps."""
    return any(locks.is_held(_own(layout, other.id)) for other in batch.places if other.id != place.id)


def _retained(run: Run) -> tuple[str, str]:
    """The commit and the content that the log's last row left; HEAD is elsewhere while somebody's trial runs."""
    primary = str(run.layout.root)
    heads = (event["heads"] for event in run.log.backwards("heads"))
    commit = next((found[primary] for found in heads if primary in found), "") or Repo(run.tree).head()
    return commit, Trees(run.tree).tree_of(commit)


def _aside(run: Run, batch: Batch, place: WorkerPlace, proposal: WorkerProposal) -> Shelved:
    """The verdict on the proposal, brought up to the retained state, in the worker's own worktree."""
    head, _ = _retained(run)
    message = f"experiment: {proposal.description}\n\nAutoresearch-Run: {run.tag}\n"
    commit = Trees(run.tree).commit_tree(_content(run, place.id, proposal), head, message)
    renew(run, place.path, commit)
    worker = measuring.MeasuredWorker(place, commit, _attempt(place.id, proposal))
    folder = shelf.fresh(run.layout, place.id)
    verdict = measuring.judged(run, batches.solo(batch, place, head), worker, folder)
    measuring.put_off(run, worker, verdict)
    verdict = changed_places.added(run, folder, verdict)
    return Shelved(folder, place.id, proposal, verdict, run.state.last_commit)


def _awaiting(run: Run, found: Shelved) -> Mapping[str, Any]:
    """The answer to what is on the shelf: decided, though its row is yet to come."""
    verdict, current = found.verdict, run.state.current_metric
    return {
        "worker": found.letter,
        "status": verdict.status,
        "metric": verdict.measurement.value,
        "retained_metric": current,
        "guard": verdict.guard,
        "decision": verdict.reason,
        **verdict.told,
        "next": {
            "action": "continue",
            "do": _GAINED if _gains(found) else "Its row follows once the main tree is free. Go on with another idea.",
            "how": HOW,
        },
    }


def _caught_up(layout: Layout, own: str) -> Mapping[str, Any]:
    """Record what is on the shelf, unless somebody has the main tree: that one then does it. The answer to `own`."""
    answer: Mapping[str, Any] = {}
    while _ready(layout, None) and batches.read(layout).proved:
        try:
            with locks.held(_turn(layout), intent.BUSY), _clean(layout):
                answer = _record_all(layout, own) or answer
        except Refusal:
            break
    return answer


def _ready(layout: Layout, gain: Shelved | None) -> list[Shelved]:
    """What gets its row now, in the order in which it was measured: up to the first would-be keep, `gain` included."""
    found = shelf.waiting(layout)
    first = next((index for index, item in enumerate(found) if _gains(item)), len(found))
    return found[: first + 1] if gain else found[:first]


def _record_all(layout: Layout, own: str = "", gain: Shelved | None = None) -> Mapping[str, Any]:
    """A row for each verdict that is ready; the answer to the proposal with the commit `own`. The caller is alone.

    What is not admitted any more (the run is over, it conflicts with a later keep, it was tried) stays as a patch.
    """
    answer: Mapping[str, Any] = {}
    for item in _ready(layout, gain):
        run = context.load(layout)
        number = shelf.recorded(run, item)
        try:
            if not number:
                trial_gate.refuse_finished(run)
                known = None if _gains(item) else _told(run, item)
                after, row = _put(run, item.letter, item.proposal, known)
                number = row.iteration
                answer = _answered(after, row, "") if item.proposal.commit == own else answer
        except Postponed:
            raise
        except Refusal as refusal:
            number = _undone(run, item.proposal)
            told = {"status": "refused", "decision": str(refusal)}
            answer = told if item.proposal.commit == own else answer
        shelf.drop(item, evidence.folder(layout.evidence, number))
    return answer


def _told(run: Run, item: Shelved) -> Verdict:
    """The verdict as its row tells it: by which proposal, and on which state where that is no more the retained one."""
    moved = "" if item.met == run.state.last_commit else f"measured on {item.met}"
    note = "; ".join(filter(None, (item.verdict.note, moved)))
    return replace(item.verdict, note=note, told={**item.verdict.told, "proposal": item.proposal.commit})


def _put(run: Run, letter: str, proposal: WorkerProposal, known: Verdict | None = None) -> tuple[Run, Row]:
    """The proposal as an experiment of the main tree; `known` is its verdict where it was measured."""
    attempt = replace(_attempt(letter, proposal), content=_content(run, letter, proposal))
    with nullcontext() if known else apart.turn(run):
        return runners.put(run, attempt, known)


def _answered(after: Run, row: Row, mended: str) -> Mapping[str, Any]:
    answer = dict(trial.answer(after, row, mended))
    return {**answer, "next": {**answer["next"], "how": HOW}}


def _content(run: Run, letter: str, proposal: WorkerProposal) -> str:
    """The tree of the retained state with the proposal in it; raises `Refusal` where they conflict."""
    content = _merged(run, proposal)
    if content:
        return content
    name = evidence.folder(run.layout.evidence, _undone(run, proposal)).name
    raise Refusal(
        f"the proposal of worker {letter} does not apply to what is retained by now, or is in it already; its patch "
        f"is in {name}/{evidence.UNDONE} of the evidence, make what is still wanted of it anew"
    )


def _merged(run: Run, proposal: WorkerProposal) -> str:
    return runners.on_top(run, proposal.base, proposal.commit, _retained(run)[1])


def _undone(run: Run, proposal: WorkerProposal) -> int:
    """Keep its patch beside the attempts that were undone; the iteration in whose evidence it is."""
    number = run.state.iteration + 1
    patch = Repo(run.tree).patch(proposal.base, proposal.commit, evidence.PATCH_LIMIT)
    evidence.add_patch(evidence.folder(run.layout.evidence, number) / evidence.UNDONE, patch)
    return number


def _attempt(letter: str, proposal: WorkerProposal) -> trial.Attempt:
    said = {name: getattr(proposal, name) for name in ("labels", "hypothesis", "searched", "lessons")}
    return trial.Attempt(f"[PARALLEL worker-{letter}] {proposal.description}", knowing=True, **said)


def give_up(layout: Layout) -> str:
    """Drop a crew that nobody works for any more; what its workers had not settled stays as a patch. "" without one.

    The caller holds no lock of the run; raises `Refusal` where a trial runs.
    """
    if not evidence.batch_path(layout.evidence).exists():
        return ""
    with batches.alone(layout):
        run, batch = context.load(layout), batches.read(layout)
        if not batch.crew:
            return ""
        batches.take_back(run, batch)
        for item in shelf.waiting(layout):
            if _gains(item) or not batch.proved:
                _undone(run, item.proposal)
                shelf.drop(item)
        _record_all(layout)
        run = context.load(layout)
        kept = [place.id for place in batch.workers if _saved(run, batch, place)]
        batches.drop(run, batch)
    return f"what workers {', '.join(kept)} had not settled is kept as a patch" if kept else ""


def _saved(run: Run, batch: Batch, place: WorkerPlace) -> bool:
    """Keep what a worker has changed beside the attempts that were undone; whether there was anything."""
    base = proposed.base_of(run.layout, batch, place)
    try:
        patch = measuring.candidate(run, batches.solo(batch, place, base), place).patch
    except (Refusal, GitError):
        return False
    folder = evidence.folder(run.layout.evidence, run.state.iteration + 1)
    if patch:
        evidence.add_patch(folder / evidence.UNDONE, patch)
    return bool(patch)
