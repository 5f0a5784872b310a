"""One experiment from edit to row: gate, commit, verify, guard, decide, keep or undo, record, say what comes next."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..core import ladder, nextstep, numbers, rows
from ..core.errors import Refusal
from ..core.frozen import dataclass
from ..core.rows import Row
from ..core.text import DESCRIPTION_LIMIT, block, one_line
from ..disk import evidence, hashes, locks
from ..disk.layout import Layout
from ..system.git import GitError, Repo
from . import budget, context, gate, intent, isolation, judge, measure, record, tree
from .context import Run
from .intent import Intent, Place
from .judge import Verdict


@dataclass(frozen=True)
class Attempt:
    """What the agent says of its edit; all of it is data."""

    description: str
    labels: tuple[str, ...] = ()
    hypothesis: str = ""


def run_trial(layout: Layout, attempt: Attempt) -> Mapping[str, Any]:
    """Turn the edit in the tree into a recorded experiment; raises `Refusal` with nothing committed or recorded."""
    context.load(layout)
    busy = "another trial is running here, expected one at a time; wait for it and repeat the command"
    with locks.held(layout.evidence / "trial.lock", busy):
        mended = intent.finish(layout)
        run = context.load(layout)
        gate.refuse_finished(run)
        found = gate.admitted(run, tree.edits(run))
        edited = [item for item in found if item.inside]
        try:
            after, row = _experiment(run, attempt, edited) if edited else _no_op(run, attempt)
        except GitError as error:
            raise isolation.explained(error, run.tree) from None
        return _answer(after, run, row, mended)


def _no_op(run: Run, attempt: Attempt) -> tuple[Run, Row]:
    """Nothing changed: a row that says so."""
    report = record.Report("no-op", attempt.description or "no change", labels=attempt.labels)
    with context.writing(run.layout) as (fresh, held):
        row = record.row_of(fresh, report)
        return context.save(fresh, held.append((), [row])), row


def _experiment(run: Run, attempt: Attempt, edited: Sequence[tree.Edits]) -> tuple[Run, Row]:
    note = _begin(run, edited)
    note = _commit(run, note, attempt, edited)
    _, known = _patches(run, note)
    tried = gate.tried_before(run, known)
    if tried:
        _take_back(run.layout, note)
        raise Refusal(tried)
    before = {item.repo: set(Repo(item.tree).untracked_roots()) for item in edited}
    verdict = judge.judge(run, _bench(run, note), note, attempt.labels)
    events = [_trial_event(run, note, verdict, attempt, known), *_leftovers(run, before)]
    row = _row(run, note, verdict, attempt)
    _keep_evidence(run, note, verdict, attempt, row)
    note = Intent(
        **{
            **vars(note),
            "row": rows.format_row(row),
            "events": tuple(events + _repo_events(run, note)),
            "rollback": "" if row.status == "keep" else isolation.rollback(run),
            "lesson": one_line(attempt.hypothesis, 300),
        }
    ).write(run.layout.evidence)
    after = intent.complete(run.layout, note)
    evidence.clear_intent(run.layout.evidence)
    return after, row


def _begin(run: Run, edited: Sequence[tree.Edits]) -> Intent:
    """Note what is about to happen, durably, before anything is touched."""
    names = {item.repo for item in edited} | {str(run.layout.root)}
    places = {name: Place(str(where), Repo(where).head()) for name, (where, _) in run.trees().items() if name in names}
    iteration = run.state.iteration + 1
    mark = f"{run.tag}-{iteration}-{os.getpid()}-{time.time_ns()}"
    return Intent(iteration, run.tag, mark, places, started=time.time()).write(run.layout.evidence)


def _commit(run: Run, note: Intent, attempt: Attempt, edited: Sequence[tree.Edits]) -> Intent:
    message = _message(note, attempt)
    commits: dict[str, str] = {}
    try:
        for item in edited:
            hashes.forget_bytecode(item.tree, item.inside)
            commits[item.repo] = Repo(item.tree).commit_paths(item.inside, message)
    except (GitError, ValueError) as error:
        _take_back(run.layout, note)
        if isinstance(error, ValueError):
            raise Refusal(f"nothing to commit ({error}), expected a changed file; edit something and repeat") from None
        raise
    return intent.with_commits(note, commits).write(run.layout.evidence)


def _message(note: Intent, attempt: Attempt) -> str:
    subject = one_line(attempt.description, 160) or f"iteration {note.iteration}"
    body = block(attempt.hypothesis, 2000).strip()
    return f"experiment: {subject}\n\n" + (f"{body}\n\n" if body else "") + intent.trailers(note)


def _take_back(layout: Layout, note: Intent) -> None:
    """Commits back to uncommitted edits: the call is refused and leaves things as they were."""
    intent.finish(layout)


def _bench(run: Run, note: Intent) -> measure.Bench:
    seconds = run.config.noise.get("seconds")
    limit = measure.limit_of(run.config, None if seconds is None else float(seconds))
    return measure.Bench(run.tree, evidence.folder(run.layout.evidence, note.iteration), run.config, limit, note.mark)


def _patches(run: Run, note: Intent) -> tuple[bytes, str]:
    """The patch of the attempt over all its repositories, kept as evidence, and its key."""
    parts = []
    for name, place in note.places.items():
        if place.trial:
            title = b"" if name == str(run.layout.root) else f"# repository {Path(name).name}\n".encode()
            parts.append(title + Repo(Path(place.tree)).patch(place.base, place.trial, evidence.PATCH_LIMIT))
    patch = b"".join(parts)
    evidence.write_bytes(
        evidence.folder(run.layout.evidence, note.iteration) / "patch.diff", patch, 2 * evidence.PATCH_LIMIT
    )
    return patch, gate.key_of(run, patch)


def _trial_event(run: Run, note: Intent, verdict: Verdict, attempt: Attempt, key: str) -> dict[str, Any]:
    """What has no column: key of the patch, cost, how sure, other metrics."""
    measured = verdict.measurement
    out: dict[str, Any] = {
        "kind": "trial",
        "iteration": note.iteration,
        "at": context.now(),
        "key": key,
        "runs": measured.runs,
        "seconds": Decimal(f"{measured.seconds:.3f}"),
        "why": one_line(verdict.reason, 200),
    }
    if measured.interval:
        out["interval"] = list(measured.interval)
    if measured.samples and measured.samples[0].others:
        out["others"] = dict(list(measured.samples[0].others.items())[:20])
    if verdict.unlikely:
        out["unlikely"] = True
    if attempt.hypothesis:
        out["hypothesis"] = one_line(attempt.hypothesis, 300)
    return out


def _repo_events(run: Run, note: Intent) -> list[Mapping[str, Any]]:
    if not run.config.companions:
        return []
    return record.repo_event(note.iteration, {name: place.trial or place.base for name, place in note.places.items()})


def _leftovers(run: Run, before: Mapping[str, set[str]]) -> list[Mapping[str, Any]]:
    """Undo what the checks did to tracked files, and note what new files they leave."""
    from .baseline import byproduct_event

    events: list[Mapping[str, Any]] = []
    for name, (where, _) in run.trees().items():
        if name in before:
            item = tree.sort(name, where, run.trees()[name][1], run.log.events, run.layout.own_paths())
            untracked = {path for root in Repo(where).untracked_roots() for path in [root]}
            touched = [p for p in (*item.inside, *item.outside) if not tree.is_below(p, tuple(untracked))]
            if touched:
                Repo(where).restore(touched)
            events += byproduct_event(name, where, before[name])
    return events


def _row(run: Run, note: Intent, verdict: Verdict, attempt: Attempt) -> Row:
    primary = note.places[str(run.layout.root)]
    metric = verdict.measurement.value
    retained = run.state.current_metric
    shown = retained if metric is None else metric
    delta = numbers.signed(numbers.difference(shown, retained))
    suffix = f" ({verdict.note})" if verdict.note else ""
    description = one_line(attempt.description, DESCRIPTION_LIMIT - len(suffix) - 200) + suffix
    commit = Repo(run.tree).short(primary.trial or primary.base)
    return Row(note.iteration, "", commit, shown, delta, verdict.guard, verdict.status, attempt.labels, description)


def _keep_evidence(run: Run, note: Intent, verdict: Verdict, attempt: Attempt, row: Row) -> None:
    measured = verdict.measurement
    evidence.write_json(
        evidence.folder(run.layout.evidence, note.iteration) / "trial.json",
        {
            "iteration": note.iteration,
            "at": context.now(),
            "description": row.description,
            "hypothesis": block(attempt.hypothesis, 4000),
            "status": verdict.status,
            "reason": verdict.reason,
            "metric": measured.value,
            "retained_before": run.state.current_metric,
            "interval": measured.interval,
            "guard": verdict.guard,
            "checks": verdict.checks,
            "samples": [sample.to_dict() for sample in measured.samples],
            "retained_samples": [sample.to_dict() for sample in measured.retained],
            "commits": {name: vars(place) for name, place in note.places.items()},
        },
    )


def _answer(after: Run, before: Run, row: Row, mended: str) -> Mapping[str, Any]:
    """The answer: under 400 tokens, and enough for an agent that remembers nothing."""
    state = after.state
    event = next(
        (e for e in reversed(after.log.events) if e.get("kind") == "trial" and e.get("iteration") == row.iteration), {}
    )
    out: dict[str, Any] = {
        "iteration": row.iteration,
        "status": row.status,
        "metric": row.metric,
        "delta": row.delta,
        "guard": row.guard,
        "commit": row.commit,
        "retained_metric": state.current_metric,
        "best_metric": state.best_metric,
        "best_iteration": state.best_iteration,
        "decision": event.get("why", "nothing changed"),
        "evidence_path": f"{after.layout.evidence.name}/{row.iteration:04d}" if event else "",
        "next": nextstep.step(after.config, after.mode, state, after.log.rows, budget.spent(after)),
    }
    if mended:
        out["recovered"] = mended
    if ladder.same_crash(after.log.rows) >= 5 and out["next"]["action"] not in ("stop", "needs_human"):
        out["next"] = {
            "action": "needs_human",
            "reason": "the same crash 5 times in a row",
            "do": "Record --status blocked with the cause, then tell the user.",
        }
    return out
