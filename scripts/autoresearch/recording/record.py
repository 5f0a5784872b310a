"""Recording a row that a person or an agent reports: the rules of docs/artifacts.md, The fold; then one append."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ..kernel.core import decision, log_events, numbers
from ..kernel.core.choices import SEARCH_AFTER
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field
from ..kernel.core.rows import Row
from ..kernel.core.statuses import TABLE
from ..kernel.core.text import DESCRIPTION_LIMIT, one_line
from ..kernel.disk import evidence
from ..kernel.disk.journal import Event, parse
from ..kernel.disk.layout import Layout
from ..kernel.run import context
from ..kernel.run.context import Run
from ..longlog import marked

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Report:
    """What is reported of one iteration; `metric` is exact, labels are clean."""

    status: str
    description: str = ""
    metric: Decimal | None = None
    commit: str = "-"
    guard: str = "-"
    labels: tuple[str, ...] = ()
    repo_commits: Mapping[str, str] = field(default_factory=dict)


def check(run: Run, report: Report) -> None:
    """Raise `Refusal` for a report that cannot become a row of this run."""
    if run.config.measured:
        _check_measured(run, report)
    if "metric" in TABLE[report.status].needs and report.metric is None:
        raise Refusal(f"{report.status} needs a metric, expected --metric NUMBER; measure first")
    if "commit" in TABLE[report.status].needs and report.commit == "-":
        raise Refusal(f"{report.status} needs the trial's commit, expected --commit HASH; commit before you verify")
    if report.status == "refine" and report.commit == "-" and (report.metric is not None or report.guard != "-"):
        raise Refusal("a refine with a metric or guard was a trial, expected --commit HASH; add it or drop the figures")
    if report.status == "keep":
        _check_keep(run, report)


def _check_measured(run: Run, report: Report) -> None:
    if TABLE[report.status].trial_only:
        raise Refusal(
            f"this run is measured: a typed {report.status} is not accepted; "
            "leave the edit in place and run autoresearch_run_trial.py, which measures and records it"
        )
    if report.metric is not None or report.guard != "-":
        raise Refusal(
            f"this run is measured: --metric and --guard are not accepted with {report.status}; drop them, "
            "the tool measures"
        )
    if report.status == "search":
        from ..guidance import ladder

        refusal = (
            "web search is disabled" if run.config.web_search != "enabled" else ladder.search_refusal(run.log.rows)
        )
        if refusal:
            raise Refusal(f"a search may not be logged now ({refusal}); go on with the next experiment")


def _check_keep(run: Run, report: Report) -> None:
    retained = run.state.current_metric
    if report.metric is None or not numbers.better(run.config.direction, report.metric, retained):
        raise Refusal(
            f"keep does not improve on the retained metric {numbers.plain(retained)} "
            f"(direction {run.config.direction}); record it as discard"
        )
    if report.guard == "fail":
        raise Refusal("keep with a failed guard, expected guard pass or -; record it as discard")


def row_of(run: Run, report: Report) -> Row:
    """The row that a checked report becomes."""
    state = run.state
    missing = decision.missing_labels(run.config.required_keep_labels, report.labels)
    status, description = report.status, report.description
    if status == "keep" and missing:
        status = "discard"
        description = _noted(description, f"missing required label: {', '.join(missing)}")
    if status == "pivot" and state.pivot_count + 1 > SEARCH_AFTER and run.config.web_search != "enabled":
        description = _noted(description, "web search skipped: disabled")
    commit = state.last_commit if status == "drift" and report.commit == "-" else report.commit
    metric = state.current_metric if report.metric is None else report.metric
    delta = numbers.signed(numbers.difference(metric, state.current_metric))
    return Row(state.iteration + 1, "", commit, metric, delta, report.guard, status, report.labels, description)


def _noted(description: str, note: str) -> str:
    """The description with a note that stays readable however long the description is."""
    note = f" ({one_line(note, 500)})"
    return one_line(description, DESCRIPTION_LIMIT - len(note)) + note


def all_commits(run: Run, commit: str, given: Mapping[str, str]) -> dict[str, str]:
    """The commit of each repository after a trial, {} for a run with one; without a new one it keeps its last."""
    if not given and not run.config.companions:
        return {}
    mine = {} if commit == "-" else {str(run.layout.root): commit}
    return {**run.state.last_repo_commits, **given, **mine}


def append(layout: Layout, report: Report, more: Sequence[Event] = ()) -> tuple[Run, Row]:
    """Check, append with `more` events, snapshot; then the lesson. Raises `Refusal` with nothing written."""
    # A drift changes how the rows before it count, and a search asks all of them.
    every = bool(more) or report.status in ("drift", "search")
    parser = parse if every else marked.parser(layout.state)
    with context.writing(layout, parser) as (run, held):
        check(run, report)
        if not evidence.intent_path(layout.evidence).exists():
            row = row_of(run, report)
            commits = all_commits(run, row.commit, report.repo_commits)
            after = context.append(run, held, [*log_events.repos(row.iteration, commits), *more], [row])
            context.follow(run, row)
            return after, row
    from ..kernel.run import intent

    with intent.alone(layout):  # refused while the trial runs; a killed one is finished or taken back first
        pass
    return append(layout, report, more)


def answer(run: Run, row: Row) -> dict[str, Any]:
    """The JSON answer of `record_iteration`."""
    return {
        **run.layout.names("results", "state"),
        "iteration": row.iteration,
        "status": row.status,
        "retained_metric": run.state.current_metric,
        "retained_labels": run.state.current_labels,
        "trial_metric": row.metric,
        "trial_labels": row.labels,
        "trial_repo_commits": dict(run.state.last_trial_repo_commits),
        "description": row.description,
        **context.answered(run, row, {}),
    }
