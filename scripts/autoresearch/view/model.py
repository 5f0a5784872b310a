"""What people are shown of a run: one account, read once, that the report, the screen and the status draw from.

Whatever comes from the log's events or from another program's file is taken for data: wrongly typed parts are left
out, text is bounded and cleaned here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..core import forecast, nextstep
from ..core.config import Config
from ..core.fold import State
from ..core.numbers import better
from ..core.rows import Row
from ..core.supervise import Spent
from ..core.text import one_line
from ..disk import evidence, locks
from ..disk.layout import Layout
from ..run import budget, context
from ..run.context import Run
from . import loose

MEASURED = frozenset(("baseline", "keep", "discard", "drift"))
TRIALS = frozenset(("keep", "discard", "crash"))
_REFUSED_PATHS = 5


@dataclass(frozen=True)
class Experiment:
    """One row with what its event tells. `before` and `retained` are the retained metric before and after it."""

    row: Row
    before: Decimal
    retained: Decimal
    confirm: str = ""  # "pass", "fail", or "" where no held-out check was run
    at: str = ""
    why: str = ""
    hypothesis: str = ""
    runs: int = 0
    seconds: float = 0.0
    interval: tuple[Decimal, Decimal] | None = None
    others: tuple[tuple[str, Decimal], ...] = ()
    samples: tuple[Decimal, ...] = ()  # of a baseline or drift; those of a trial are in its evidence
    unlikely: bool = False

    @property
    def name(self) -> str:
        """The row's number in the log: `7`, or `7a` for a worker."""
        return f"{self.row.iteration}{self.row.worker}"

    @property
    def value(self) -> Decimal | None:
        """The metric that was measured, None where the row only repeats the retained one."""
        return self.row.metric if self.row.status in MEASURED else None


@dataclass(frozen=True)
class Refused:
    """An attempt that was turned away before anything ran: what was touched, when, and before which iteration."""

    what: str
    paths: tuple[str, ...]
    at: str
    iteration: int


@dataclass(frozen=True)
class Trial:
    """The experiment in progress; `alive` is false when its process is gone and the next command will finish it."""

    iteration: int
    started: float
    alive: bool


@dataclass(frozen=True)
class Controller:
    """What the background controller says of itself. Times are seconds since the epoch."""

    status: str
    reason: str
    waiting_for: str
    waiting_until: float | None
    error: str
    command: str  # what its session runs right now


@dataclass(frozen=True)
class Account:
    """One run as people are shown it. Times are seconds since the epoch, `clock` is the moment of reading."""

    tag: str
    mode: str
    environment: str
    config: Config
    state: State
    experiments: tuple[Experiment, ...]  # the baseline first
    refused: tuple[Refused, ...]
    protected: tuple[str, ...]
    spent: Spent
    started: float | None
    ended: float | None
    next_action: tuple[str, str]
    trial: Trial | None
    controller: Controller | None
    clock: float

    @property
    def spread(self) -> Decimal:
        """The standard deviation of one run, in metric units; zero when the metric repeats exactly or nobody knows."""
        return loose.decimal(self.config.noise.get("spread")) or Decimal(0)

    @property
    def metric(self) -> str:
        """The metric's name."""
        return one_line(self.config.metric, 60) or "metric"

    @property
    def goal(self) -> str:
        """The goal in the user's words."""
        return one_line(self.config.goal, 300) or f"{self.config.direction.capitalize()} {self.metric}"

    @property
    def trials(self) -> int:
        """How many experiments were measured; batches count once."""
        return self.state.keeps + self.state.discards + self.state.crashes

    @property
    def measuring(self) -> float:
        """Seconds spent in the check."""
        return sum(experiment.seconds for experiment in self.experiments)

    @property
    def active_minutes(self) -> float:
        """Minutes of work: the controller's account, or from the start to the last experiment."""
        if self.config.session_mode == "background" or self.started is None or self.ended is None:
            return self.spent.minutes
        return max(0.0, self.ended - self.started) / 60

    @property
    def budgets(self) -> tuple[forecast.Budget, ...]:
        """The budgets that the run has."""
        return forecast.budgets(self.config, self.state.iteration, self.spent, self.active_minutes)

    @property
    def improved(self) -> bool:
        """Whether the retained metric is better than the baseline."""
        return better(self.config.direction, self.state.current_metric, self.state.baseline_metric)


def read(layout: Layout, clock: float) -> Account:
    """The account of the run at `layout`; raises `Refusal` when there is none or its log is not sound."""
    return of_run(context.load(layout), clock)


def of_run(run: Run, clock: float) -> Account:
    """The account of a loaded run; reads its intent and the controller's file beside it."""
    events = run.log.events
    state, spent = run.state, budget.spent(run)
    experiments = tuple(_experiments(run))
    times = [loose.epoch(text) for text in (_start(events), _last_at(experiments))]
    return Account(
        tag=one_line(run.tag, 80),
        mode=one_line(run.mode, 20),
        environment=one_line(run.log.header.get("environment", ""), 300),
        config=run.config,
        state=state,
        experiments=experiments,
        refused=tuple(_refused([*events, *pending(run)])),
        protected=_protected(events),
        spent=spent,
        started=times[0],
        ended=times[1],
        next_action=nextstep.decide(run.config, run.mode, state, run.log.rows, spent),
        trial=in_progress(run.layout),
        controller=controller(run.layout),
        clock=clock,
    )


def in_progress(layout: Layout) -> Trial | None:
    """The experiment being measured, or the one that a kill left."""
    note = evidence.read_json(evidence.intent_path(layout.evidence))
    if note is None:
        return None
    iteration, started = loose.decimal(note.get("iteration")), loose.decimal(note.get("started"))
    if iteration is None or started is None:
        return None
    return Trial(int(iteration), float(started), locks.is_held(layout.evidence / "trial.lock"))


def controller(layout: Layout) -> Controller | None:
    """The background controller's state, None when there never was one."""
    data = evidence.read_json(layout.runtime)
    if data is None:
        return None
    waiting, session = data.get("waiting_until"), data.get("session")
    number = loose.decimal(waiting)
    return Controller(
        status=loose.text(data, "status", 40) or "unknown",
        reason=loose.text(data, "terminal_reason", 80) or loose.text(data, "last_reason", 80),
        waiting_for=loose.text(data, "waiting_for", 80),
        waiting_until=float(number) if number is not None else loose.epoch(str(waiting)),
        error=loose.text(data, "last_error", 160),
        command=loose.text(session, "command", 120) if isinstance(session, dict) else "",
    )


def pending(run: Run) -> list[Mapping[str, Any]]:
    """Refused attempts that no row carries yet, as events."""
    return [{"kind": "refused", **item} for item in evidence.refusals(run.layout.evidence)]


def _experiments(run: Run) -> Iterable[Experiment]:
    """The rows with their events, and the retained metric before and after each."""
    kinds = ("trial", "samples")
    found = {e["iteration"]: e for e in run.log.events if e.get("kind") in kinds and "iteration" in e}
    retained = run.state.baseline_metric
    for row in run.log.rows:
        before = retained
        if row.is_main and row.metric is not None and row.status in ("baseline", "keep", "drift"):
            retained = row.metric
        event = found.get(row.iteration, {}) if row.is_main else {}
        yield _experiment(row, (before, retained), event, run.config)


def _experiment(row: Row, retained: tuple[Decimal, Decimal], event: Mapping[str, Any], config: Config) -> Experiment:
    samples = [item for item in loose.items(event.get("samples")) if isinstance(item, dict)]
    values = [loose.decimal(item.get("value")) for item in samples]
    own = loose.decimal(event.get("seconds"))
    seconds = [loose.decimal(item.get("seconds")) or Decimal(0) for item in samples]
    others = event.get("others") or (samples[0].get("others") if samples else None)
    why = loose.text(event, "why", 300)
    return Experiment(
        row=row,
        before=retained[0],
        retained=retained[1],
        confirm=_confirm(row, why, config),
        at=loose.text(event, "at", 20),
        why=why,
        hypothesis=loose.text(event, "hypothesis", 300),
        runs=int(loose.decimal(event.get("runs")) or len(samples)),
        seconds=float(sum(seconds, Decimal(0)) if own is None else own),
        interval=loose.interval(event.get("interval")),
        others=loose.numbers_by_name(others),
        samples=tuple(value for value in values if value is not None),
        unlikely=event.get("unlikely") is True,
    )


def _confirm(row: Row, why: str, config: Config) -> str:
    """A keep of a measured run with a held-out check has passed it; a failure is the reason of its discard."""
    if not (config.measured and config.confirm):
        return ""
    return "pass" if row.status == "keep" else "fail" if why == "confirm failed" else ""


def _refused(events: Sequence[Mapping[str, Any]]) -> Iterable[Refused]:
    for event in events:
        if event.get("kind") == "refused":
            paths = [one_line(str(path), 120) for path in loose.items(event.get("paths"))]
            shown = paths[:_REFUSED_PATHS]
            more = [f"and {len(paths) - len(shown)} more"] if len(paths) > len(shown) else []
            before = loose.decimal(event.get("before_iteration"))
            what, at = loose.text(event, "what", 60), loose.text(event, "at", 20)
            yield Refused(what, tuple(shown + more), at, int(before or 0))


def _protected(events: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    files = next((e.get("files") for e in reversed(events) if e.get("kind") == "evaluator"), None)
    return tuple(one_line(str(path), 120) for path in files) if isinstance(files, dict) else ()


def _start(events: Sequence[Mapping[str, Any]]) -> str:
    return next((loose.text(e, "at", 20) for e in events if e.get("kind") == "start"), "")


def _last_at(experiments: Sequence[Experiment]) -> str:
    return next((experiment.at for experiment in reversed(experiments) if experiment.at), "")
