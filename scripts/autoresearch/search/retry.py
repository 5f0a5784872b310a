"""Stored attempts tried again on today's state, alone or in pairs: each a full trial with a row of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import islice

from ..kernel.core import numbers, scope
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.rows import LINE, Row
from ..kernel.core.statuses import those
from ..kernel.core.text import listing, one_line
from ..kernel.disk.layout import Layout, script
from ..kernel.run import context, intent, tree, trial, trial_gate
from ..kernel.run.context import Run
from ..kernel.system.git import GitError
from ..kernel.system.gittrees import Trees
from . import candidates, past, thought
from .candidates import Choice, Stored
from .past import Past

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

    from .candidates import Name

SHARE = 0.2  # of the measuring time of the latest trials
GROUND = (*those("retains"), "baseline")


def stored(run: Run) -> list[Stored]:
    """The attempts of the log that were not kept, in their order, with what was learnt of them since."""
    found = []
    seen = list(past.trials(run))[::-1]
    again = _again(seen)
    for item in [*seen, *past.losers(run)]:
        if item.row.status == "discard" and "own" not in item.event:
            later = again.get(str(item.name), [])
            found.append(_stored(run, item, later))
    return found


def _again(seen: Sequence[Past]) -> dict[str, list[Past]]:
    """The tool's own trials by the attempts that they were made of."""
    found: dict[str, list[Past]] = {}
    for item in seen:
        for number in item.event.get("own", ()):
            found.setdefault(str(number), []).append(item)
    return found


def _stored(run: Run, item: Past, later: Sequence[Past]) -> Stored:
    alone = [one for one in later if len(one.event["own"]) == 1]
    gain = float(_gain(run, item.row.metric, item.row.delta))
    paths = frozenset(past.paths(item.patch))
    failed = "kept" if any(one.row.status == "keep" for one in later) else _failed(item)
    last = max([item.row.iteration, *(one.row.iteration for one in alone)])
    reach, ground = _reach(run, item, gain), _ground(run, last)
    return Stored(item.row.iteration, gain, reach, failed, paths, ground, len(alone), item.row.worker)


def _gain(run: Run, metric: Decimal | None, delta: str) -> Decimal:
    moved = Decimal(delta) if metric is not None and numbers.is_number(delta) else Decimal(0)
    return -moved if run.config.direction == "lower" else moved


def _reach(run: Run, item: Past, gain: float) -> float:
    """The best end of the interval, as a gain over what was retained then."""
    ends = item.event.get("interval")
    if not ends or item.row.metric is None:
        return gain
    best = (min if run.config.direction == "lower" else max)(float(end) for end in ends)
    return gain + abs(best - float(item.row.metric))


def _failed(item: Past) -> str:
    if item.row.guard == "fail":
        return "guard"
    why = str(item.event.get("why", ""))
    found = (
        name
        for text, name in (("required:", "require"), ("confirm", "confirm"), ("missing", "labels"))
        if why.startswith(text)
    )
    return next(found, "metric")


def _ground(run: Run, iteration: int) -> int:
    """The iteration whose state was retained when `iteration` was measured."""
    rows = (row for row in reversed(run.log.rows) if row.is_main and row.status in GROUND)
    return next((row.iteration for row in rows if row.iteration < iteration), 0)


def choices(run: Run) -> list[Choice]:
    """What may be tried now, the best first; pairs after single ones of equal hope."""
    known = stored(run)
    tried = {tuple(e["own"]) for e in run.log.of_kind("trial", holding='"own"') if "own" in e}
    least = float(run.config.min_delta)
    found = candidates.singles(known, _ground(run, run.state.iteration + 1), least)
    detectable = run.config.noise.get("smallest_detectable")
    if run.config.noise.get("kind") == "noisy" and detectable is not None:
        found += candidates.pairs(known, tried, float(detectable))
    return sorted((one for one in found if one.iterations not in tried), key=lambda choice: -choice.hope)


def allowance(run: Run) -> int:
    """How many tries are left after the last keep or pivot of the agent's own, within their share of the time."""
    trials = islice(run.log.backwards("trial"), thought.LATEST)
    took = [(float(e.get("took") or e.get("seconds") or 0), "own" in e) for e in trials]
    if not candidates.affordable(sum(s for s, own in took if own), sum(s for s, _ in took), SHARE):
        return 0
    known = thought.of_run(run)
    if not known.affords(known.measuring):
        return 0
    done = 0
    for row in reversed(run.log.rows):
        if row.is_main and not row.is_own and row.status in ("keep", "pivot"):
            break
        done += row.is_own
    return max(0, run.config.retries - done)


def command(choice: Choice) -> str:
    """The line that tries it."""
    return f"python3 {script('run_trial')} --repo . --retry {','.join(map(str, choice.iterations))}"


def fits(run: Run, choice: Choice) -> bool:
    """Whether the attempts can be put onto today's state; nothing is touched."""
    try:
        _prepared(run, choice.iterations)
        return True
    except (Refusal, GitError, OSError):
        return False


def retry(layout: Layout, iterations: Sequence[Name]) -> Mapping[str, Any]:
    """Try stored attempts on today's state; the answer of a trial. Raises `Refusal` with nothing recorded."""
    with intent.alone(layout) as mended:
        run = context.load(layout)
        trial_gate.refuse_finished(run)
        refuse_edited(run)
        if len(iterations) > 2:
            raise Refusal("--retry takes one iteration or two different ones, such as 12 or 9,12")
        return trial.answer(*tried(run, iterations), mended)


def tried(run: Run, iterations: Sequence[Name]) -> tuple[Run, Row]:
    """The same by a caller that holds the trial lock and has looked at the tree."""
    return trial.experiment(run, *_prepared(run, tuple(iterations)))


def refuse_edited(run: Run) -> None:
    """Refuse what the tool's own trials need: one repository, no open batch, no edit in the tree."""
    trial_gate.refuse_batch(run)
    if run.config.companions:
        raise Refusal("this run has companion repositories, expected one repository; make the edit again by hand")
    trial_gate.refuse_edited(run)


def _prepared(run: Run, iterations: tuple[Name, ...]) -> tuple[trial.Attempt, Sequence[tree.Edits]]:
    """The attempt with the content that it puts into the tree, and the edits as they will be."""
    items = _wanted(run, iterations)
    repo = Trees(run.tree)
    head = repo.head()
    content = base = repo.tree_of(head)
    for item in items:
        content = content and repo.patched(content, item.patch)
    if not content or content == base:
        problem = "is in today's state already" if content else "does not fit onto today's state"
        raise Refusal(f"the edit of {_named(iterations)} {problem}, expected a change; nothing was run")
    paths = tuple(entry.path for entry in repo.entries(base, content))
    beyond = scope.outside(paths, run.config.scope)
    if beyond:
        raise Refusal(f"the edit of {_named(iterations)} leaves the scope ({listing(beyond)}); nothing was run")
    said = " + ".join(one_line(_unmarked(item.row.description), 200) for item in items)
    labels = tuple(dict.fromkeys(label for item in items for label in item.row.labels))
    mark = f"[{'PAIR' if len(items) == 2 else 'RETRY'} {'+'.join(map(str, iterations))}]"
    attempt = trial.Attempt(f"{mark} {said}", labels, knowing=True, own=iterations, content=content)
    first, *others = tree.edits(run)
    return attempt, [replace(first, inside=paths), *others]


def _unmarked(description: str) -> str:
    return description.partition("] ")[2] if description.startswith(LINE) else description


def _named(iterations: Sequence[Name]) -> str:
    return f"iteration{'s' * (len(iterations) > 1)} {' and '.join(map(str, iterations))}"


def _wanted(run: Run, iterations: Sequence[Name]) -> list[Past]:
    if not 1 <= len(set(iterations)) == len(iterations):
        raise Refusal("one iteration was named twice, expected different ones, such as 9,12")
    stands = past.standing(run)
    known = {item.name: item for item in (*past.trials(run), *past.losers(run))}
    for number in iterations:
        if number not in known or known[number].row in stands or not known[number].patch:
            raise Refusal(
                f"iteration {number} cannot be tried again, expected one that was measured and is not kept, with its "
                "patch in evidence; research-results.tsv lists them"
            )
    return [known[number] for number in iterations]
