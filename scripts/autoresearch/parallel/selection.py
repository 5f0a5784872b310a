"""A reported parallel batch: worker rows and one main row in one write (docs/artifacts.md, Commands)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..kernel.core import decision, jsontext, log_events, numbers, rows
from ..kernel.core.choices import GUARDS
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field
from ..kernel.core.rows import Row
from ..kernel.core.text import listing, one_line
from ..kernel.disk.layout import Layout
from ..kernel.run import context
from ..kernel.run.context import Run
from ..recording import record

WORKER_STATUSES = ("completed", "crash", "timeout")


@dataclass(frozen=True)
class Worker:
    """What one worker reports."""

    worker_id: str
    description: str
    commit: str = "-"
    metric: Decimal | None = None
    guard: str = "-"
    status: str = "completed"
    labels: tuple[str, ...] = ()
    repo_commits: Mapping[str, str] = field(default_factory=dict)
    diff_size: int = 0


def parse(text: str) -> tuple[Worker, ...]:
    """Read a batch file; raises `Refusal` naming every problem."""
    try:
        data = jsontext.loads(text)
    except ValueError as error:
        raise Refusal(f"the batch file is not JSON ({error}), expected an array of workers; correct it") from None
    if not isinstance(data, list) or not data:
        raise Refusal("the batch file holds no workers, expected a JSON array with one object each")
    workers = tuple(_worker(item) for item in data)
    if len({worker.worker_id for worker in workers}) != len(workers):
        raise Refusal("two workers have one worker_id, expected unique ids; rename one")
    return workers


def _worker(item: Any) -> Worker:
    if not isinstance(item, dict):
        raise Refusal("a worker is not a JSON object, expected worker_id and description at least")
    name = str(item.get("worker_id", ""))
    if not (name.isascii() and name.isalpha() and name.islower()) or len(name) > 8:
        raise Refusal(f"worker_id is {name[:20]!r}, expected lowercase letters such as 'a'")
    status, guard = str(item.get("status", "completed")), str(item.get("guard") or "-")
    if status not in WORKER_STATUSES or guard not in GUARDS:
        allowed = f"{', '.join(WORKER_STATUSES)} and pass, fail or -"
        raise Refusal(f"worker {name}: status {status[:20]!r}, guard {guard[:20]!r}; expected {allowed}")
    metric = None if item.get("metric") is None else numbers.parse(str(item["metric"]), f"metric of worker {name}")
    size = item.get("diff_size") or 0
    if not isinstance(size, int):
        raise Refusal(f"worker {name}: diff_size is {str(size)[:20]!r}, expected a whole number of lines")
    given = item.get("labels") or ()
    labels, description = rows.describe(
        str(item.get("description", "")), rows.labels([given] if isinstance(given, str) else [str(x) for x in given])
    )
    commits = item.get("repo_commits") or {}
    if not isinstance(commits, dict):
        raise Refusal(f"worker {name}: repo_commits is not an object, expected paths and commits")
    commit = one_line(str(item.get("commit") or "-"), 64)
    return Worker(
        name, description, commit, metric, guard, status, labels, {str(k): str(v) for k, v in commits.items()}, size
    )


def judged(run: Run, worker: Worker) -> decision.TrialOutcome:
    """What a worker's result is worth on its own."""
    crashed = worker.status != "completed"
    outcome = decision.decide(run.config.direction, run.state.current_metric, worker.metric, worker.guard, crashed)
    return decision.gate_labels(outcome, run.config.required_keep_labels, worker.labels)


def best(run: Run, workers: Sequence[Worker]) -> Worker | None:
    """The winner: best metric, then the smaller diff, then the worker id; None when nothing may be kept.

    Raises `Refusal` for one that would win and names no commit.
    """
    kept = [worker for worker in workers if judged(run, worker).status == "keep"]
    sign = 1 if run.config.direction == "lower" else -1
    found = min(kept, key=lambda w: (sign * (w.metric or 0), w.diff_size, w.worker_id), default=None)
    if found is not None and found.commit == "-":
        raise Refusal(f"worker {found.worker_id} would win and has no commit, expected the hash of its trial; add it")
    return found


def foremost(run: Run, workers: Sequence[Worker]) -> Worker | None:
    """The best trial of a batch without a winner: metric, then a passed guard, then the smaller diff, then the id."""
    sign = 1 if run.config.direction == "lower" else -1
    tried = [worker for worker in workers if worker.status == "completed" and worker.metric is not None]
    return min(tried, key=lambda w: (sign * (w.metric or 0), w.guard != "pass", w.diff_size, w.worker_id), default=None)


def passed_over(row: Row) -> Row:
    """The row of a worker that was not selected: improved or not, it is a discard, and its commit goes."""
    return row._replace(status="discard", commit="-") if row.status in ("keep", "discard") else row


def worker_row(run: Run, number: int, worker: Worker, winner: Worker | None) -> Row:
    """The row of one worker; only that of the `winner` says keep."""
    outcome = judged(run, worker)
    current = run.state.current_metric
    metric = current if worker.metric is None else worker.metric
    why = (
        " (timeout)"
        if worker.status == "timeout"
        else f" ({outcome.reason})"
        if outcome.reason.startswith("missing")
        else ""
    )
    text = f"[PARALLEL worker-{worker.worker_id}] {worker.description}{why}"
    delta = numbers.signed(numbers.difference(metric, current))
    status, letter = outcome.status, worker.worker_id
    row = Row(number, letter, worker.commit, metric, delta, worker.guard, status, worker.labels, text)
    return row if worker is winner else passed_over(row)


def main_row(run: Run, number: int, winner: Worker | None, workers: Sequence[Worker]) -> Row:
    """The batch's one counting row: the winner's keep, else the discard of the best trial, if there was any."""
    current = run.state.current_metric
    shown = winner or foremost(run, workers)
    none = f"[PARALLEL batch] no winner among {len(workers)} workers"
    if shown is None or shown.metric is None:
        return Row(number, "", "-", current, "0", "-", "discard", (), none)
    delta = numbers.signed(numbers.difference(shown.metric, current))
    status = "keep" if winner else "discard"
    text = "[PARALLEL batch] selected" if winner else f"{none}, the best was"
    text += f" worker-{shown.worker_id}: {shown.description}"
    return Row(number, "", shown.commit, shown.metric, delta, shown.guard, status, shown.labels, text)


def _refuse_outside(layout: Layout) -> None:
    """What the gate before a batch blocks for files outside the scope refuses a reported one too."""
    from ..health import health

    gate = health.commit_gate(layout, health.GateQuestion("prebatch"), health.repos(layout, None, {}))
    found = [f"{item['repo']}: {listing(item['unexpected_worktree'])}" for item in gate["repo_gates"]]
    found = [text for text, item in zip(found, gate["repo_gates"]) if item["unexpected_worktree"]]
    if found:
        raise Refusal(f"changes outside the scope in {'; '.join(found)}; commit or stash them, then repeat the command")


def append(layout: Layout, workers: Sequence[Worker]) -> dict[str, Any]:
    """Record the batch; the answer of `select_parallel_batch`."""
    _refuse_outside(layout)
    with context.writing(layout) as (run, held):
        if run.config.measured:
            raise Refusal("this run is measured, expected no typed results; use autoresearch_run_batch.py close")
        number = run.state.iteration + 1
        winner = best(run, workers)
        main = main_row(run, number, winner, workers)
        lines = [worker_row(run, number, worker, winner) for worker in workers] + [main]
        shown = winner or foremost(run, workers)
        commits = record.all_commits(run, main.commit, shown.repo_commits if shown else {})
        events = [log_events.make("batch", iteration=number, rows=len(lines)), *log_events.repos(number, commits)]
        after = context.append(run, held, events, lines)
    context.follow(run, main)
    return {
        **after.layout.names("results", "state"),
        "iteration": number,
        "selected_worker": winner.worker_id if winner else None,
        "status": main.status,
        "retained_metric": after.state.current_metric,
        "retained_labels": after.state.current_labels,
        **context.answered(after, main, {}),
    }
