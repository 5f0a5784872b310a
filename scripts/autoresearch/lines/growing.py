"""The steps of a side line on disk: back to an earlier state, the comparison of tips, and what follows from it.

Content is put into the tree as any trial of the tool's own: noted first, finished or taken back after a kill. The
measurements before it leave the tree as it was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

from ..kernel.core import log_events, numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.rows import LINE, Row
from ..kernel.disk import bytecode, evidence
from ..kernel.disk.journal import Event
from ..kernel.disk.layout import Layout
from ..kernel.run import context, exact, intent, judge, leftovers, tree, trial
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent, TrialRepo
from ..kernel.run.judge import Verdict
from ..kernel.run.measure import Arms, Measurement
from ..kernel.system.gittrees import Trees
from ..search import past, retry
from . import choosing, steps
from .choosing import Earlier
from .steps import Line

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

FOLDER = "line"  # of captured output, in the evidence
MOST = 12  # steps of one command


def grow(layout: Layout) -> Mapping[str, Any]:
    """Take the steps that are due; the answer of the last one. Raises `Refusal` where none is."""
    with intent.alone(layout) as mended:
        run = context.load(layout)
        retry.refuse_edited(run)
        rows: list[Row] = []
        while steps.due(run) and len(rows) < MOST:
            run, row = _step(run)
            rows.append(row)
        if not rows:
            raise Refusal("no step of a side line is due, expected one; follow `next` of the last answer")
        answer = trial.answer(run, rows[-1], mended)
        return {**answer, "line": run.state.line, "steps": [f"{row.iteration} {row.description}" for row in rows]}


def _step(run: Run) -> tuple[Run, Row]:
    step = steps.due(run)
    if step == steps.OPEN:
        return _opened(run)
    line = steps.line_of(run)
    if step == steps.SETTLE:
        return _settled(run, line)
    return retry.tried(run, steps.attempts(run, line)) if step == steps.AGAIN else _closed(run, line)


def _opened(run: Run) -> tuple[Run, Row]:
    """The best earlier state that gives a number; where none is left, a row that says so ends the run."""
    repo = Trees(run.tree)
    for item in choosing.ordered(_earlier(run, repo), _stalled(run), run.config.direction):
        commit = _commit_at(run, item.iteration)
        measured, left = _measured(run, repo, commit)
        if measured.value is None:
            continue
        name = f"{chr(ord('b') + run.state.lines)} from {item.iteration}"
        events = [_event(run, run.state.iteration + 1, line=name, main=repo.head()), *left]
        said = f"{LINE}{name}] grows from the state of iteration {item.iteration}"
        with suppress(Refusal):  # a way back that a feature refuses, as one that silences a warning
            return _put(run, _Content(commit, item.iteration, said, measured), events)
    return _row(run, "blocked", "no earlier kept state is left for a side line", run.state.current_metric, ())


def _earlier(run: Run, repo: Trees) -> Iterator[Earlier]:
    """The states that may be gone back to: they stand, had no line yet, and hold all that somebody else committed."""
    lines = {event.get("iteration"): str(event.get("line", "")) for event in run.log.of_kind("line")}
    used = {int(name.rpartition(" ")[2]) for name in lines.values() if name and name != "None"}
    states = [row for row in past.standing(run) if row.iteration not in lines]
    since = max((number for number, row in enumerate(states) if row.status == "drift"), default=0)
    head = repo.head()
    for row in states[since:]:
        commit = _commit_at(run, row.iteration)
        if row.iteration not in used and row.metric is not None and repo.exists(commit):
            yield Earlier(row.iteration, row.metric, frozenset(repo.changed_paths(commit, head)))


def _stalled(run: Run) -> frozenset[str]:
    """The files of the ideas since the last keep."""
    last = max(row.iteration for row in past.standing(run))
    ideas = (item for item in past.trials(run) if item.row.iteration > last)
    return frozenset(path for item in ideas for path in past.paths(item.patch))


def _commit_at(run: Run, iteration: int) -> str:
    """Where HEAD stood after a row, "-" where the log does not say."""
    found = (event["heads"] for event in run.log.of_kind("heads") if event.get("iteration") == iteration)
    heads = next(found, None) or {}
    return str(heads.get(str(run.layout.root), "-"))


def _settled(run: Run, line: Line) -> tuple[Run, Row]:
    """The tip of the line against the main one, in turns: adopted, or back to the main content."""
    repo, main, number = Trees(run.tree), run.log.state_at(line.begun - 1).current_metric, run.state.iteration + 1
    if not steps.kept(run, line):
        content = _Content(
            line.main, line.begun - 1, f"{LINE}{line.name}] left, it kept nothing", Measurement(main, "", ())
        )
        return _put(run, content, [_event(run, line.begun, line="")])
    measured, left = _measured(run, repo, line.main, main)
    if measured.value is not None and _is_better(run, measured, main):
        evidence.write_json(
            evidence.folder(run.layout.evidence, number) / "line.json",
            {name: [s.to_dict() for s in getattr(measured, name)] for name in ("samples", "retained")},
        )
        why = f"{numbers.plain(measured.value)} against {numbers.plain(main)} of the main line"
        said = f"{LINE}{line.name}] adopted: {why}"
        return _row(run, "drift", said, measured.value, [_event(run, number, line=""), *left])
    said = f"{LINE}{line.name}] back to the main line, which is as good; what the line kept is tried there"
    content = _Content(line.main, line.begun - 1, said, Measurement(main, "", ()))
    return _put(run, content, [_event(run, line.begun), *left])


def _is_better(run: Run, measured: Measurement, main: Decimal) -> bool:
    """Whether the tip gains what is worth having over the main line."""
    assert measured.value is not None
    gain = numbers.gain(run.config.direction, measured.value, main)
    return gain > 0 and (gain >= run.config.min_delta if measured.improves is None else measured.improves)


def _closed(run: Run, line: Line) -> tuple[Run, Row]:
    """On the main line again, with what the side line gave it, or as it was; no content moves."""
    gained = steps.gained(run, line)
    said = f"{LINE}{line.name}] " + ("a part of it is kept on the main line" if gained else "left without a gain")
    event = _event(run, run.state.iteration + 1 if gained else line.back, line="")
    return _row(run, "drift", said, run.state.current_metric, [event])


def _event(run: Run, of: int, **more: str) -> Event:
    return log_events.make("line", at=context.now(), iteration=run.state.iteration + 1, of=of, **more)


@dataclass(frozen=True)
class _Content:
    """What is put into tree and branch: the content of a commit, its iteration, the words of the row, its number."""

    commit: str
    iteration: int
    said: str
    measured: Measurement


def _put(run: Run, content: _Content, events: Sequence[Event]) -> tuple[Run, Row]:
    """Another retained content, as a row; a kill before it is decided leaves the one of now."""
    repo = Trees(run.tree)
    paths = repo.changed_paths(repo.head(), content.commit)
    made = repo.tree_of(content.commit)
    attempt = trial.Attempt(content.said, knowing=True, own=(content.iteration,), content=made)
    first, *others = tree.edits(run)
    known = Verdict("drift", "-", f"the content of iteration {content.iteration}", content.measured)
    return trial.experiment(run, attempt, [replace(first, inside=paths), *others], events, known=known)


def _row(run: Run, status: str, said: str, metric: Decimal, events: Sequence[Event]) -> tuple[Run, Row]:
    """A row that moves no content."""
    with context.writing(run.layout) as (fresh, held):
        if fresh.state.iteration != run.state.iteration:
            raise Refusal("a row was recorded meanwhile, expected none; repeat the command")
        delta = numbers.signed(numbers.difference(metric, fresh.state.current_metric))
        commit = fresh.state.last_commit
        row = Row(fresh.state.iteration + 1, "", commit, metric, delta, "-", status, fresh.state.current_labels, said)
        after = context.append(fresh, held, events, [row])
    context.follow(run, row)
    return after, row


def _measured(run: Run, repo: Trees, other: str, main: Decimal | None = None) -> tuple[Measurement, Sequence[Event]]:
    """The number of another commit's content beside today's; with `main`, its number, today's beside that content.

    Tree and branch are as before afterwards, also after a kill; with what the checks left behind.
    """
    head, root = repo.head(), str(run.layout.root)
    before = {item.repo: item.untracked for item in tree.edits(run)}
    place, mark = TrialRepo(str(run.tree), head, other), f"line-{run.tag}-{os.getpid()}-{time.time_ns()}"
    note = Intent(run.state.iteration + 1, run.tag, mark, {root: place}, own=True, started=time.time(), root=root)
    note.write(run.layout.evidence)
    bench = replace(trial.bench_of(run, note), folder=run.layout.evidence / FOLDER)
    arms = judge.arms_of(note)
    bytecode.forget(repo.root, repo.changed_paths(head, other))
    repo.switch_content(head, other)
    try:
        sides = arms if main is None else Arms(arms.show_retained, arms.show_candidate)
        sides.show_candidate()
        found = exact.rule().measured(bench, sides, run.state.current_metric if main is None else main, other)
    finally:
        arms.show_retained()
    left = leftovers.settle(run, before, bench.folder)
    evidence.clear_intent(run.layout.evidence)
    return found, left
