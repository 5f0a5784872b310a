"""What people are shown of a run: one account that the report, the screen and the status draw from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ..guidance import units
from ..kernel.core.fold import State
from ..kernel.core.frozen import replace
from ..kernel.core.numbers import better
from ..kernel.core.rows import Row
from ..kernel.core.settings import Config
from ..kernel.core.statuses import TABLE, those
from ..kernel.core.supervise import Spent
from ..kernel.core.text import one_line
from . import forecast, loose
from .side_lines import SideLine

MEASURED = those("valued")
_WORKER = re.compile(r"^\[PARALLEL worker-([a-z]+)\] ")
TRIALS = frozenset(name for name in those("trial_only") if "commit" in TABLE[name].needs)


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
    busy: str = ""  # how busy the machine was while it was measured, "" where it was not
    undecided: bool = False

    @property
    def name(self) -> str:
        """The row's number in the log: `7`, or `7a` for a worker."""
        return f"{self.row.iteration}{self.row.worker}"

    @property
    def said(self) -> str:
        """The description; of a worker's proposal the tag as short words, for lines are cut."""
        return _WORKER.sub(r"worker \1 · ", self.row.description)

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
class Said:
    """A word of the user's on a run under way: after which iteration, of what kind, its text, and when."""

    iteration: int
    what: str
    text: str
    at: str


@dataclass(frozen=True)
class OpenTrial:
    """The experiment in progress; `alive` is false when its process is gone and the next command will finish it.

    `doing` says what is done now, where that is not the measuring of the edit.
    """

    iteration: int
    started: float
    alive: bool
    doing: str = ""


@dataclass(frozen=True)
class ControllerState:
    """The background controller: status and reason of docs/artifacts.md, Reasons, one sentence, and what it waits for.

    `waiting_until` is in seconds since the epoch, `command` is what its session runs right now.
    """

    status: str
    reason: str = ""
    detail: str = ""
    waiting_until: float | None = None
    command: str = ""


@dataclass(frozen=True)
class CostWithout:
    """What the final state costs without one kept experiment (positive is worse); None where it cannot be measured."""

    iteration: int
    description: str
    cost: Decimal | None
    interval: tuple[Decimal, Decimal] | None
    guard: str
    nothing: bool
    problem: str


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
    trial: OpenTrial | None
    controller: ControllerState | None
    clock: float
    limit: str = ""  # how far the retained metric is from the run's bound, where one was worked out
    said: tuple[Said, ...] = ()
    lines: tuple[SideLine, ...] = ()
    worth: tuple[CostWithout, ...] = ()  # what each kept experiment was worth when that was measured last
    profile: tuple[tuple[str, str, str], ...] = ()  # function, share of the time at the first and at the last profile
    true_total: str = ""  # the sentence on both ends measured in turns, as evidence tells it

    @property
    def spread(self) -> Decimal:
        """The standard deviation of one run, in metric units; zero when the metric repeats exactly or nobody knows."""
        return loose.decimal(self.config.noise.get("spread")) or Decimal(0)

    @property
    def metric(self) -> str:
        """The metric's name."""
        return one_line(self.config.metric, 60) or "metric"

    @property
    def way(self) -> units.Way:
        """From the baseline to the retained metric in the user's units."""
        retain, tried = those("retains"), reversed(self.experiments)
        others: tuple[tuple[str, Decimal], ...] = next(
            (e.others for e in tried if e.others and e.row.is_main and e.row.status in retain), ()
        )
        way = units.way(self.config, self.state.baseline_metric, self.state.claimed, dict(others))
        return replace(way, label=one_line(way.label, 60) or "metric")

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
        return better(self.config.direction, self.state.claimed, self.state.baseline_metric)
