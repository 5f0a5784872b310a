"""Whether noisy checks disturb each other on disjoint sets of processors: shown once a run, before they overlap.

The retained code is run alone, as any trial is, and in all folders at one time, each kept to a set of its own: in
turns, in random order. Each folder's values must agree with those alone, and be about as steady
(`noise.equivalence.alike`). Where that is not shown noisy numbers wait for each other. What came of it is an event of
the log.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from ..kernel.core import log_events
from ..kernel.core.text import one_line
from ..kernel.disk import evidence, regular
from ..kernel.disk.layout import Layout
from ..kernel.run import context, measure
from ..kernel.run.context import Run
from ..kernel.system import interrupts, process
from ..machine import limits, load
from ..noise import equivalence, paired, sequential
from ..noise.outliers import Pair
from . import apart, child
from . import batch as batches
from .apart import Sets
from .batch import Batch, WorkerPlace

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

_TICK = 0.02  # seconds between looks at whose turn it is
_GRACE = 2.0
_ENDED = "its process was ended"


def opened(layout: Layout) -> dict[str, Any]:
    """What is found for the workers of a batch that was opened a moment ago, as its answer tells; it may take as long
    as a trial."""
    with batches.alone(layout):
        said = prove(context.load(layout), batches.read(layout))
    return {"side_by_side": said} if said else {}


def prove(run: Run, batch: Batch) -> str:
    """Whether noisy numbers may be measured at one time, in words, "" for exact ones; measured and noted once a run.

    The places of `_those` hold the retained code, and nobody else measures.
    """
    if not apart.is_noisy(run.config):
        return ""
    known = next(run.log.backwards(apart.KIND), {})
    if known and (apart.shown(run) or not known.get("sets")):
        return _said(apart.shown(run), str(known.get("why")))
    sets, why = _possible(run, batch)
    if sets:
        sets, why = _compared(run, batch, sets)
    if _ENDED in why:  # by somebody, which says nothing of the check: the next batch tries again
        return _said(sets, why)
    with context.writing(run.layout) as (fresh, held):
        at, number, told = context.now(), fresh.state.iteration, one_line(why, 300)
        event = log_events.make("apart", at=at, iteration=number, sets=[list(cpus) for cpus in sets], why=told)
        context.append(fresh, held, [event], [])
    return _said(sets, why)


def _said(sets: Sets, why: str) -> str:
    if not sets:
        return f"noisy numbers are measured one after another: {one_line(why, 300)}"
    named = " and ".join(",".join(map(str, cpus)) for cpus in sets)
    return f"noisy numbers are measured {len(sets)} at a time, on processors {named}: {one_line(why, 300)}"


def _those(batch: Batch) -> tuple[WorkerPlace, ...]:
    """The places that are compared: the tool's own of a crew, whose workers edit in theirs, else the workers'."""
    return batch.tools if batch.crew else batch.workers


def _possible(run: Run, batch: Batch) -> tuple[Sets, str]:
    devices = any(place.devices for place in batch.places)
    return apart.possible(run.config, len(batch.workers), devices)


def _folder(layout: Layout) -> Path:
    return evidence.workers_folder(layout.evidence) / "beside"


def _compared(run: Run, batch: Batch, sets: Sets) -> tuple[Sets, str]:
    """The sets where they were shown to be good for it, else none; and why."""
    import shutil

    places, folder = _those(batch)[: len(sets)], _folder(run.layout)
    shutil.rmtree(folder, ignore_errors=True)
    helpers = [child.start(run.layout, "beside", place, batch.mark, folder / f"{place.id}.txt") for place in places]
    try:
        return _rounds(run, batch, sets, dict(zip((place.id for place in places), helpers)))
    finally:
        process.end_marked(batch.mark, _GRACE)
        for helper in helpers:
            helper.poll()
        shutil.rmtree(folder, ignore_errors=True)


def _rounds(run: Run, batch: Batch, sets: Sets, helpers: Mapping[str, process.Process]) -> tuple[Sets, str]:
    """Rounds of one run alone and one of all, until each set is as good as alone, or one is not."""
    seed = int.from_bytes(hashlib.sha256(batch.mark.encode()).digest()[:8], "big")
    bench = batches.bench_of(run, batch, _those(batch)[0], _folder(run.layout))
    pairs: dict[str, list[Pair]] = {name: [] for name in helpers}
    while True:
        number = len(next(iter(pairs.values()))) + 1
        first = sequential.order(seed, number)
        got: dict[bool, Mapping[str, Any]] = {}
        for together in (first, not first):
            got[together] = _all(run.layout, helpers, number) if together else _alone(bench, number)
        problem = next((said for values in got.values() for said in values.values() if isinstance(said, str)), "")
        if problem:
            return (), f"a run gave no number ({one_line(problem, 200)})"
        for name, mine in pairs.items():
            mine.append((got[True][name], got[False]["alone"]))
        found = [equivalence.alike(run.config, mine) for mine in pairs.values()]
        refuted = next((index for index, (action, _) in enumerate(found) if action == "discard"), None)
        if refuted is not None:
            at = ",".join(map(str, sets[refuted]))
            return (), f"beside others on processors {at} and alone: {found[refuted][1]} ({load.read()})"
        if all(action == "keep" for action, _ in found):
            return sets, f"beside others and alone the retained code is {found[0][1]}"


def _alone(bench: measure.Bench, number: int) -> Mapping[str, Decimal | str]:
    sample = measure.verify(bench, f"alone-{number}", paired.SAMPLE_OUTPUT)
    return {"alone": sample.problem if sample.value is None else sample.value}


def _all(layout: Layout, helpers: Mapping[str, process.Process], number: int) -> Mapping[str, Decimal | str]:
    """The value of each folder, measured at one time; text for why there is none."""
    folder = _folder(layout)
    evidence.write_json(folder / "turn.json", {"number": number})
    found: dict[str, Decimal | str] = {}
    while len(found) < len(helpers):
        for name, helper in helpers.items():
            has_ended = helper.poll() is not None
            told = evidence.read_json(folder / f"{name}-{number}.json")
            if told:
                found[name] = str(told["problem"]) if told["value"] is None else Decimal(str(told["value"]))
            elif has_ended:
                found[name] = regular.read_text(folder / f"{name}.txt", "replace") or _ENDED
        interrupts.pause(_TICK)
    return found


def take_part(layout: Layout, letter: str) -> Mapping[str, Any]:
    """Run the check in this folder, on its own processors, whenever it is asked for: `run_batch beside`.

    It ends with the process that started it.
    """
    run, batch, parent = context.load(layout), batches.read(layout), os.getppid()
    sets, _ = _possible(run, batch)
    index = [place.id for place in _those(batch)].index(letter)
    folder, done = _folder(layout), 0
    bench = batches.bench_of(run, batch, _those(batch)[index], folder)
    with limits.kept_to(sets[index]):
        while os.getppid() == parent:
            asked = int((evidence.read_json(folder / "turn.json") or {}).get("number", 0))
            if asked > done:
                done = asked
                sample = measure.verify(bench, f"{letter}-{done}", paired.SAMPLE_OUTPUT)
                evidence.write_json(folder / f"{letter}-{done}.json", sample.to_dict())
            interrupts.pause(_TICK)
    return {}
