"""A reported parallel batch: worker rows and one main row in one write (docs/artifacts.md, Commands)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..kernel.core import decision, jsontext, numbers, rows
from ..kernel.core.choices import GUARDS
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field
from ..kernel.core.rows import Row
from ..kernel.core.text import one_line
from ..kernel.disk.layout import Layout
from ..kernel.run import context, record
from ..kernel.run.context import Run

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


def judged(run: Run, worker: Worker) -> decision.Outcome:
    """What a worker's result is worth on its own."""
    crashed = worker.status != "completed"
    outcome = decision.decide(run.config.direction, run.state.current_metric, worker.metric, worker.guard, crashed)
    if outcome.status == "keep" and worker.commit == "-":
        return decision.Outcome("discard", True, "no commit")
    return decision.gate_labels(outcome, run.config.required_keep_labels, worker.labels)


def best(run: Run, workers: Sequence[Worker]) -> Worker | None:
    """The winner: best metric, then the smaller diff, then the worker id; None when nothing may be kept."""
    kept = [worker for worker in workers if judged(run, worker).status == "keep"]
    sign = 1 if run.config.direction == "lower" else -1
    return min(kept, key=lambda w: (sign * (w.metric or 0), w.diff_size, w.worker_id), default=None)


def worker_row(run: Run, number: int, worker: Worker) -> Row:
    """The row of one worker, with its own outcome."""
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
    return Row(
        number, worker.worker_id, worker.commit, metric, delta, worker.guard, outcome.status, worker.labels, text
    )


def main_row(run: Run, number: int, winner: Worker | None, count: int) -> Row:
    """The batch's one counting row: the winner's keep, or one discard."""
    current = run.state.current_metric
    if winner is None or winner.metric is None:
        text = f"[PARALLEL batch] no winner among {count} workers"
        return Row(number, "", run.state.last_commit, current, "0", "-", "discard", (), text)
    delta = numbers.signed(numbers.difference(winner.metric, current))
    text = f"[PARALLEL batch] selected worker-{winner.worker_id}: {winner.description}"
    return Row(number, "", winner.commit, winner.metric, delta, winner.guard, "keep", winner.labels, text)


def append(layout: Layout, workers: Sequence[Worker]) -> dict[str, Any]:
    """Record the batch; the answer of `select_parallel_batch`."""
    with context.writing(layout) as (run, held):
        if run.config.measured:
            raise Refusal("this run is measured, expected no typed results; use autoresearch_run_batch.py close")
        number = run.state.iteration + 1
        winner = best(run, workers)
        main = main_row(run, number, winner, len(workers))
        lines = [worker_row(run, number, worker) for worker in workers] + [main]
        commits = winner.repo_commits if winner else {}
        events = [{"kind": "batch", "iteration": number, "rows": len(lines)}, *record.repo_event(number, commits)]
        after = context.append(run, held, events, lines)
    record.follow(run, main)
    return {
        "iteration": number,
        "selected_worker": winner.worker_id if winner else None,
        "status": main.status,
        "retained_metric": after.state.current_metric,
        "retained_labels": after.state.current_labels,
    }
