"""One experiment from edit to row: gate, commit, verify, guard, decide, keep or undo, record, say what comes next."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from .. import ports
from ..core import log_events, numbers, rows, timelimit
from ..core.choices import AUTO
from ..core.errors import Postponed, Refusal
from ..core.frozen import Any, replace
from ..core.rows import Row
from ..core.text import DESCRIPTION_LIMIT, block, listing, one_line
from ..core.timelimit import TimeLimit
from ..disk import bytecode, evidence
from ..disk.layout import Layout
from ..system.git import GitError, Repo
from ..system.gittrees import Trees
from . import branches, context, evaluator_lock, intent, judge, leftovers, measure, stale, tree, trial_gate
from .context import Run
from .intent import Attempt as Attempt
from .intent import Intent
from .judge import Verdict

# How often one edit is put off on a busy machine; the next time its row says that it is undecided.
POSTPONED_AT_MOST = 3


def run_trial(layout: Layout, attempt: Attempt, way: str = AUTO) -> Mapping[str, Any]:
    """Turn the edit in the tree into a recorded experiment; raises `Refusal` with nothing committed or recorded.

    `way` is how it is waited for: here (`inline`), by somebody else (`queue`), or as its length says (`auto`).
    """
    known = context.load(layout)
    note = intent.read(layout.evidence)
    before = set() if note is None else _inside(tree.edits(known)) - intent.shown(note)
    with intent.alone(layout) as mended:
        run = context.load(layout)
        trial_gate.refuse_batch(run)
        trial_gate.refuse_finished(run)
        found = trial_gate.admitted(run, tree.edits(run))
        _refuse_mixture(mended, before, _inside(found))
        edited = any(item.inside for item in found)
        queue = ports.first("session", "queue")
        if edited and queue and queue.is_wanted(run, way):
            _refuse_early(run, attempt, found)
            return dict(queue.note(run, attempt))
        after, row = experiment(run, attempt, found) if edited else _no_op(run, attempt)
        if queue:
            queue.drop(layout)
        return answer(after, row, mended)


def _refuse_early(run: Run, attempt: Attempt, found: Sequence[tree.Edits]) -> None:
    """Refuse what would be refused once it is run; where git is read-only that cannot be told yet."""
    try:
        patches = [
            (item, Repo(item.tree).worktree_patch(item.inside, evidence.PATCH_LIMIT)) for item in found if item.inside
        ]
    except (GitError, OSError):
        return
    refusal = trial_gate.refusal_of(run, b"".join(_titled(run, item.repo) + part for item, part in patches), attempt)
    if refusal:
        raise Refusal(refusal)


def _titled(run: Run, repo: str) -> bytes:
    return b"" if repo == str(run.layout.root) else f"# repository {Path(repo).name}\n".encode()


def _inside(found: Sequence[tree.Edits]) -> set[str]:
    return {path for item in found for path in item.inside}


def _refuse_mixture(mended: str, before: set[str], now: set[str]) -> None:
    """An interrupted edit that has come back beside a later one: measured together, neither would be judged."""
    back = now - before
    if before and back:
        raise Refusal(
            f"{mended}: its edit ({listing(sorted(back))}) lies beside a later one ({listing(sorted(before))}), "
            "expected one at a time; take one of them back with git restore, run the trial, then make the other again"
        )


def _no_op(run: Run, attempt: Attempt) -> tuple[Run, Row]:
    """Nothing changed: a row that says so."""
    said = attempt.description or "no change"
    with context.writing(run.layout) as (fresh, held):
        number, metric = fresh.state.iteration + 1, fresh.state.current_metric
        row = Row(number, "", "-", metric, "0", "-", "no-op", attempt.labels, said)
        return context.append(fresh, held, (), [row]), row


def experiment(
    run: Run,
    attempt: Attempt,
    found: Sequence[tree.Edits],
    first: Sequence[Mapping[str, Any]] = (),
    workers: Sequence[Row] = (),
    known: Verdict | None = None,
) -> tuple[Run, Row]:
    """Commit, measure, decide, undo or keep, record; events of the caller come `first`, `workers` are rows of a batch.

    With `known` this very content was measured on this very state: nothing is measured again. The caller holds the
    trial lock (`intent.alone`) and has admitted the edits. Raises `Refusal` for a repeated patch.
    """
    edited = [item for item in found if item.inside]
    note = _commit(run, _begin(run, edited), attempt, edited)
    key = _key(run, note, attempt)
    bench = bench_of(run, note)
    verdict = known or _judged(run, bench, note, attempt, key)
    note, verdict = _looked_again(run, bench, note, verdict, attempt)
    for place in note.places.values():
        stale.clear(Path(place.tree), note.started)  # of a git that a check killed
    verdict = _standing(note, verdict)
    left = leftovers.settle(run, {item.repo: item.untracked for item in found}, bench.folder)
    row = _row(run, note, verdict, attempt)
    _keep_evidence(run, note, verdict, attempt, row)
    note = replace(
        note,
        row=rows.format_row(row),
        events=(*first, _trial_event(note, verdict, attempt, key), *left, *_repo_events(run, note)),
        workers=tuple(map(rows.format_row, workers)),
        rollback="" if row.status in rows.RETAINED else _rollback(run, note),
        lesson=one_line(attempt.hypothesis, 300),
    ).write(run.layout.evidence)
    after = intent.complete(run.layout, note)
    evidence.clear_intent(run.layout.evidence)
    return after, row


def _judged(run: Run, bench: measure.Bench, note: Intent, attempt: Attempt, key: str) -> judge.Verdict:
    """The verdict; before `Postponed` is raised, the edit is back in the tree, uncommitted."""
    try:
        verdict = judge.judge(run, bench, note, attempt.labels)
        if verdict.status in ("discard", "crash") and verdict.measurement.wait and _may_wait(run, key):
            raise Postponed(verdict.measurement.wait)
        return verdict
    except Postponed as reason:
        intent.finish(run.layout)
        evidence.fresh_folder(run.layout.evidence, note.iteration)
        evidence.note_postponed(run.layout.evidence, key, time.time(), str(reason))
        raise


def _may_wait(run: Run, key: str) -> bool:
    """Whether this edit has not been put off too often on a machine that is never calm."""
    note = evidence.postponed(run.layout.evidence)
    return note.get("key") != key or int(note.get("times", 0)) < POSTPONED_AT_MOST


def _looked_again(
    run: Run, bench: measure.Bench, note: Intent, verdict: judge.Verdict, attempt: Attempt
) -> tuple[Intent, judge.Verdict]:
    """What a second look makes of the verdict; one that would have to wait is given up."""
    for look in ports.asked("measure", "look"):
        try:
            note, verdict = look(run, bench, note, verdict, attempt.labels)
        except Postponed:
            continue
    return note, verdict


def _standing(note: Intent, verdict: judge.Verdict) -> judge.Verdict:
    """A keep needs its edit on the branch; one that somebody took off it meanwhile is no result."""
    if verdict.status != "keep" or not any(intent.is_off(place) for place in note.places.values()):
        return verdict
    why = "crash: the experiment's commit was taken off its branch while it was measured (git reset, git update-ref)"
    return replace(verdict, status="crash", reason=why, note=why)


def _begin(run: Run, edited: Sequence[tree.Edits]) -> Intent:
    """Note what is about to happen, durably, before anything is touched."""
    names = {item.repo for item in edited} | {str(run.layout.root)}
    places = {name: intent.place_of(where) for name, (where, _) in run.trees().items() if name in names}
    # Under the log's lock: a row that is recorded now either counts already or sees the note.
    with context.writing(run.layout) as (fresh, _):
        iteration = fresh.state.iteration + 1
        evidence.fresh_folder(run.layout.evidence, iteration)
        mark = f"{run.tag}-{iteration}-{os.getpid()}-{time.time_ns()}"
        note = Intent(iteration, run.tag, mark, places, started=time.time(), root=str(run.layout.root))
        return note.write(run.layout.evidence)


def _commit(run: Run, note: Intent, attempt: Attempt, edited: Sequence[tree.Edits]) -> Intent:
    if attempt.content:
        return _put(run, note, attempt)
    message = _message(note, attempt)
    commits: dict[str, str] = {}
    try:
        for item in edited:
            bytecode.forget(item.tree, item.inside)
            commits[item.repo] = Repo(item.tree).commit_paths(item.inside, message)
    except (GitError, ValueError) as error:
        intent.finish(run.layout)  # back to uncommitted edits, as before the call
        if isinstance(error, ValueError):
            raise Refusal(f"nothing to commit ({error}), expected a changed file; edit something and repeat") from None
        raise
    return intent.with_commits(note, commits).write(run.layout.evidence)


def _put(run: Run, note: Intent, attempt: Attempt) -> Intent:
    """The tool's own attempt into tree and branch, noted first; until it is decided a kill takes it back."""
    (place,) = note.places.values()
    repo = Trees(Path(place.tree))
    commit = repo.commit_tree(attempt.content, place.base, _message(note, attempt))
    note = replace(intent.with_commits(note, dict.fromkeys(note.places, commit)), own=True).write(run.layout.evidence)
    repo.switch_content(place.base, commit)
    repo.repoint(place.base, commit)
    bytecode.forget(repo.root, repo.changed_paths(place.base, commit))
    return note


def _message(note: Intent, attempt: Attempt) -> str:
    subject = one_line(attempt.description, 160) or f"iteration {note.iteration}"
    body = block(attempt.hypothesis, 2000).strip()
    return f"experiment: {subject}\n\n" + (f"{body}\n\n" if body else "") + intent.trailers(note)


def bench_of(run: Run, note: Intent) -> measure.Bench:
    """Where the checks of a trial run, and what bounds them."""
    folder = evidence.folder(run.layout.evidence, note.iteration)
    guarded = tree.guarded(run, (Path(place.tree) for place in note.places.values()))
    queue = ports.first("session", "queue")
    lock, within = evaluator_lock.known(run.log), queue.sandbox(run) if queue else ()
    results = evaluator_lock.results(run.log)
    return measure.Bench(run.tree, folder, run.config, limit_of(run), note.mark, lock, within, results, guarded)


def limit_of(run: Run) -> TimeLimit:
    """How long a run of verify may take by now."""
    seconds = run.config.noise.get("seconds")
    usual = None if seconds is None else float(seconds)
    known = (*run.log.of_kind("trial", holding='"slowest"'), *run.log.of_kind("samples"))
    return measure.limit_of(run.config, usual, timelimit.slowest(known))


def _key(run: Run, note: Intent, attempt: Attempt) -> str:
    """The key of the attempt's patch, kept as evidence; raises `Refusal` for one that was tried before or mutes."""
    patch = _patch(run, note)
    refusal = trial_gate.refusal_of(run, patch, attempt)
    if refusal:
        intent.finish(run.layout)
        evidence.fresh_folder(run.layout.evidence, note.iteration)
        raise Refusal(refusal)
    folder = evidence.folder(run.layout.evidence, note.iteration)
    evidence.write_bytes(folder / evidence.PATCH, patch, 2 * evidence.PATCH_LIMIT)
    return trial_gate.key_of(run, patch)


def _patch(run: Run, note: Intent) -> bytes:
    """The patch of the attempt over all its repositories."""
    parts = []
    for name, place in note.places.items():
        if place.trial:
            parts.append(
                _titled(run, name) + Repo(Path(place.tree)).patch(place.base, place.trial, evidence.PATCH_LIMIT)
            )
    return b"".join(parts)


def _rollback(run: Run, note: Intent) -> str:
    """`reset` only where every repository of the trial is on an isolated branch: all are undone in one way."""
    changed = [Path(place.tree) for place in note.places.values() if place.trial]
    if "reset" not in run.config.rollback_policy:
        return "revert"
    return branches.rollback(run) if all(map(branches.is_isolated, changed)) else "revert"


def _trial_event(note: Intent, verdict: Verdict, attempt: Attempt, key: str) -> dict[str, Any]:
    """What has no column: key of the patch, cost, how sure, other metrics."""
    measured = verdict.measurement
    out: dict[str, Any] = log_events.make(
        "trial",
        iteration=note.iteration,
        at=context.now(),
        key=key,
        runs=measured.runs,
        seconds=Decimal(f"{measured.seconds:.3f}"),
        took=Decimal(f"{time.time() - note.started:.1f}"),
        why=one_line(verdict.reason, 200),
    )
    known = (*measured.retained, *(measured.samples if verdict.status == "keep" else ()))
    more: dict[str, Any] = {
        "slowest": known and Decimal(f"{max(measure.seconds_of(known)):.3f}"),
        "outcome": verdict.status == "discard" and measured.outcome,
        "confirm": verdict.checks.get("confirm"),
        "busy": measured.busy,
        "interval": list(measured.interval or ()),
        "others": dict(list(measured.others.items())[:20]),
        "unlikely": verdict.unlikely,
        "told": dict(verdict.told),
        "searched": attempt.searched,
        "own": list(attempt.own),
        "lessons": list(attempt.lessons),
        "hypothesis": one_line(attempt.hypothesis, 300),
    }
    return {**out, **{name: value for name, value in more.items() if value}}


def _repo_events(run: Run, note: Intent) -> list[dict[str, Any]]:
    if not run.config.companions:
        return []
    return log_events.repos(note.iteration, {name: place.trial or place.base for name, place in note.places.items()})


def _row(run: Run, note: Intent, verdict: Verdict, attempt: Attempt) -> Row:
    primary = note.places[str(run.layout.root)]
    metric, retained = verdict.measurement.value, run.state.current_metric
    shown = retained if metric is None else metric
    delta = numbers.signed(numbers.difference(shown, retained))
    notes = (verdict.note, f"best of {attempt.searched} values tried outside" if attempt.searched > 1 else "")
    suffix = "".join(f" ({note})" for note in notes if note)
    mark = f"{rows.LINE}{run.state.line}] " if run.state.line and not attempt.own else ""
    description = mark + one_line(attempt.description, DESCRIPTION_LIMIT - len(mark + suffix) - 200) + suffix
    commit = Repo(run.tree).short(primary.trial or primary.base)
    return Row(note.iteration, "", commit, shown, delta, verdict.guard, verdict.status, attempt.labels, description)


def _keep_evidence(run: Run, note: Intent, verdict: Verdict, attempt: Attempt, row: Row) -> None:
    measured = verdict.measurement
    evidence.write_json(
        evidence.folder(run.layout.evidence, note.iteration) / evidence.RECORD,
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
            "unlikely": verdict.unlikely,
            "guard": verdict.guard,
            "checks": verdict.checks,
            "samples": [sample.to_dict() for sample in measured.samples],
            "seed": note.seed,
            "retained_samples": [sample.to_dict() for sample in measured.retained],
            "commits": {name: vars(place) for name, place in note.places.items()},
        },
    )


def _next(after: Run, row: Row) -> dict[str, Any]:
    """What features say to do next, each knowing what was said before it."""
    found: dict[str, Any] = {}
    for told in ports.asked("row", "told"):
        found.update(told(after, row, found))
    return found


def answer(after: Run, row: Row, mended: str) -> Mapping[str, Any]:
    """The answer: under 400 tokens, and enough for an agent that remembers nothing."""
    state = after.state
    event = after.log.trial_of(row.iteration)
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
        "next": _next(after, row),
    }
    out.update(event.get("told", {}))
    out.update(context.answered(after, row, out))
    if mended:
        out["recovered"] = mended
    return out
