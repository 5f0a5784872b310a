"""The settings of a run: one row each. Everything that lists settings reads these rows.

From a row come the flag with its help, the value in the configuration, the comment line of the log's header, the
variable that exec mode reads, the bounds, the command that starts the same run again, and the manual's table.
"""

from __future__ import annotations

from .choices import (
    DIRECTIONS,
    EXECUTOR,
    ISOLATION,
    NOTHING,
    PARALLEL,
    POLICIES,
    POLICY,
    ROLLBACKS,
    SEARCH,
    SESSION_MODES,
)
from .frozen import Any, Factory, dataclass

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from . import stop_rules

NOISE, LAUNCH = "measurement", "launch"


class Setting(Factory):
    """One row. The class that holds it gives it its name and, by the annotation, its kind.

    `default`: the value as text for decimals, so that nothing is loaded for `--help`; `about`: what it is, for people;
    no `about` means that it has no flag.
    """

    name = kind = ""

    def __init__(self, default: Any, about: str = "", **more: Any) -> None:
        """Further keys: flag (where it is not the name), dest, choices, metavar, group, usual (the default in words),
        header (its comment line), env (AUTORESEARCH_…), needed (exec), labels, repeated (joined to one), bounds
        (above, below, least, most), and of a `budget` counts and unit."""
        super().__init__(self.value)
        self.default, self.about, self.more = default, about, more

    def value(self) -> Any:
        """The default as the configuration holds it."""
        if self.default is None or not self.kind.startswith("Decimal"):
            return self.default() if callable(self.default) else self.default
        from decimal import Decimal

        return Decimal(self.default)

    @property
    def flag(self) -> str:
        """The flag without its dashes."""
        return str(self.more.get("flag") or self.name.replace("_", "-"))

    @property
    def dest(self) -> str:
        """The flag's name among parsed arguments."""
        return self.flag.replace("-", "_")

    @property
    def unit(self) -> str:
        """What a budget counts, in words."""
        return str(self.more.get("unit") or self.more["counts"])

    @property
    def is_list(self) -> bool:
        """Whether the flag may be repeated."""
        return self.kind.startswith("tuple[")

    def help(self) -> str:
        """What it is, with the default where there is one."""
        usual = self.more.get("usual") or (str(self.default) if isinstance(self.default, (str, int)) else "")
        return f"{self.about} (default: {usual})" if usual else self.about


def setting(default: Any, about: str = "", **more: Any) -> Any:
    """A row, in the place of a field's default; see `Setting`."""
    return Setting(default, about, **more)


def budget(counts: str, about: str, **more: Any) -> Any:
    """A row of what a run may use up: `counts` is a field of `supervise.Spent`, `unit` its words where they differ."""
    return setting(
        None, about, **{"metavar": "N", "group": NOISE, "above": "0", "usual": "unlimited", **more}, counts=counts
    )


def table(kind: type) -> tuple[Setting, ...]:
    """The rows of a class, in order, each with its name and kind."""
    found = []
    for name, annotation in kind.__annotations__.items():  # text, by the __future__ import
        row = kind.__dict__["__defaults__"][name]
        if isinstance(row, Setting):
            row.name, row.kind = name, str(annotation)
            found.append(row)
    return tuple(found)


@dataclass(frozen=True)
class RepoScope:
    """A repository of the run: the primary one or a companion, each with its own scope."""

    path: str
    scope: str
    role: str  # "primary" or "companion"

    def to_dict(self) -> dict[str, str]:
        """The object of `config.repos`."""
        return {"path": self.path, "scope": self.scope, "role": self.role}


@dataclass(frozen=True)
class Config:
    """What the user confirmed before "go": the rows of any run, then from `measured` on those of a measured one.

    Times are seconds. It travels in the log's header and in the snapshot (`docs/artifacts.md`).
    """

    direction: str = setting("lower", "which way is better", choices=DIRECTIONS, env="DIRECTION", needed=True)
    parallel_mode: str = setting("serial", "one experiment at a time, or several", choices=PARALLEL)
    web_search: str = setting("disabled", "whether the web may be searched", choices=SEARCH, header="web_search")
    goal: str = setting("", "what the user wants, in words", header="goal", env="GOAL", needed=True)
    scope: str = setting(
        "",
        "patterns of the files that may change, e.g. 'src/**/*.py'",
        header="scope",
        env="SCOPE",
        needed=True,
        usual="the whole repository",
    )
    repos: tuple[RepoScope, ...] = setting(())
    metric: str = setting("", "the name of the number", flag="metric-name", header="metric", env="METRIC", needed=True)
    verify: str = setting("", "shell command that prints the number", header="verify", env="VERIFY", needed=True)
    guard: str = setting(
        "",
        "shell command that must still pass for a keep, again for each, as CMD or NAME=CMD",
        header="guard",
        env="GUARD",
        repeated=True,
    )
    iterations: int | None = budget(
        "iterations", "stop after N experiments", group="", header="iterations", env="ITERATIONS", needed=True
    )
    stop_condition: str = setting(
        "", "e.g. '<= 3' or 'stop when metric reaches zero'", header="stop_condition", usual="none; fix ends at 0"
    )
    required_keep_labels: tuple[str, ...] = setting(
        (),
        "a keep must carry it",
        flag="required-keep-label",
        header="required_keep_labels",
        labels=True,
        metavar="LABEL",
    )
    required_stop_labels: tuple[str, ...] = setting(
        (),
        "the retained keep must carry it to stop",
        flag="required-stop-label",
        header="required_stop_labels",
        labels=True,
        metavar="LABEL",
    )
    rollback_policy: str = setting(
        "revert", "revert commits, or reset in an isolated branch", choices=ROLLBACKS, header="rollback_policy"
    )
    session_mode: str = setting("foreground", "where the run happens", choices=SESSION_MODES)
    execution_policy: str = setting(
        "", "for nested Codex sessions", choices=POLICIES, env="EXECUTION_POLICY", usual=POLICY
    )
    measured: bool = setting(False)
    prepare: str = setting(
        "", "shell command run before each verify, timed apart; its failure is a crash", metavar="CMD", group=NOISE
    )
    measure: str = setting(
        NOTHING,
        "what verify itself costs is the metric: no number is printed",
        choices=(NOTHING, "cpu", "wall", "rss", "instructions", "callgrind"),
        group=NOISE,
    )
    metric_pattern: str = setting("", "one group around the number in verify's output", metavar="REGEX", group=NOISE)
    metric_take: str = setting(
        "only", "which match of the pattern counts", choices=("only", "first", "last"), group=NOISE
    )
    metric_key: str = setting("", "which METRIC line or JSON key (a.b[0].c) is the metric", metavar="KEY", group=NOISE)
    metric_from: str = setting(
        "",
        "a tool's format in which the number is read, from verify's output or a file that it writes",
        metavar="FORMAT[:FILE]",
        group=NOISE,
    )
    metric_stream: str = setting("stdout", "where verify prints the number", choices=("stdout", "stderr"), group=NOISE)
    verify_timeout: Decimal | None = setting(
        None, "a run is ended after it", metavar="S", group=NOISE, above="0", usual="10 times the slowest, at least 300"
    )
    verify_exit: str = setting(
        "zero", "'any' reads the number whatever the exit code", choices=("zero", "any"), group=NOISE
    )
    executor: str = setting(
        EXECUTOR,
        "where checks run: local, 'slurm FLAGS', or a command with {command} or {far}",
        metavar="W",
        group=NOISE,
    )
    calibrate: int | None = setting(
        None, "baseline runs", metavar="N", group=NOISE, above="0", most="400", usual="3, 2 when one takes minutes"
    )
    alpha: Decimal = setting(
        "0.05", "error rate of a keep under noise", metavar="P", group=NOISE, least="0.0001", below="0.5"
    )
    max_runs: int | None = setting(
        None, "runs a noisy trial may cost", metavar="N", group=NOISE, above="0", most="400", usual="40"
    )
    min_delta: Decimal = setting(
        "0", "smallest gain worth keeping, in metric units", metavar="D", group=NOISE, least="0"
    )
    baseline_is: Decimal | None = setting(
        None, "what the metric is at the baseline by construction, such as 100", metavar="N", group=NOISE
    )
    own_check: str = setting(
        "", "the user's own command where verify stands in for it; measured with the total", metavar="CMD", group=NOISE
    )
    protect: tuple[str, ...] = setting(
        (), "further files no experiment may change", metavar="GLOB", group=NOISE, usual="what the checks name"
    )
    confirm: str = setting("", "held-out check run on would-be keeps", metavar="CMD", group=NOISE)
    require: tuple[str, ...] = setting((), "another number a keep must satisfy", metavar="'KEY OP NUMBER'", group=NOISE)
    profile: str = setting(
        "",
        "prints where the time goes, as lines 'NUMBER %% NAME'; run at the start, after a keep and at a pivot",
        metavar="CMD",
        group=NOISE,
    )
    screen: str = setting(
        "",
        "a quick check run first: what it shows clearly worse is discarded without the full one",
        metavar="CMD",
        group=NOISE,
    )
    salvage_runs: int | None = setting(
        None,
        "tests of parts of a failed edit; 0 turns them off",
        metavar="N",
        group=NOISE,
        least="0",
        usual="what twice a trial's price allows, at most 12",
    )
    retries: int = setting(
        0,
        "tries of stored attempts after a keep or at a pivot, within a fifth of the measuring time",
        metavar="N",
        group=NOISE,
        least="0",
    )
    side_lines: int = setting(
        0, "lines grown from earlier kept states after the third pivot", metavar="N", group=NOISE, least="0", most="9"
    )
    prune: str = setting(
        "never",
        "whether a branch without the kept experiments that are worth nothing is made at the end",
        choices=("never", "at-end"),
        group=NOISE,
    )
    max_minutes: Decimal | None = budget("minutes", "time budget, waiting excluded")
    until: str = setting(
        "", "wall clock at which the run ends: 07:30 or 2026-03-25T07:30", metavar="TIME", group=NOISE, usual="never"
    )
    max_tokens: int | None = budget("tokens", "token budget")
    max_sessions: int | None = budget("sessions", "sessions that a background run may take")
    price: str = setting(
        "", "money for a million tokens: INPUT,CACHED,OUTPUT", metavar="1.25,0.125,10", group=NOISE, usual="unknown"
    )
    max_cost: Decimal | None = budget("money", "money budget, by --price", unit="of money")
    isolation: str = setting(
        "none", "work in this tree, on a branch, or in a worktree beside it", choices=ISOLATION, group=LAUNCH
    )
    worktree: str = setting("")  # the checkout of an isolated run, "" for the root itself
    metric_form: Mapping[str, Any] = setting(dict)  # how the metric was found at the baseline
    noise: Mapping[str, Any] = setting(dict)
    agreed: Mapping[str, Any] = setting(dict)  # where the run stood when the user last said to go on
    extra: Mapping[str, Any] = setting(dict)  # unknown keys written by someone else

    @property
    def companions(self) -> tuple[RepoScope, ...]:
        """The companion repositories."""
        return tuple(repo for repo in self.repos if repo.role != "primary")

    def stop_at(self, mode: str) -> stop_rules.Condition | None:
        """The stop condition in force; fix mode that lowers its metric stops at 0 by itself."""
        zero = mode == "fix" and self.direction == "lower"
        if not self.stop_condition and not zero:
            return None
        from . import stop_rules

        return stop_rules.parse(self.stop_condition or "<= 0", self.direction)

    def to_dict(self) -> dict[str, Any]:
        """The `config` object: the rows of any run always, further ones in a measured run or where they were set."""
        from . import config

        return config.to_dict(self)


SETTINGS = table(Config)
BUDGETS = tuple(row for row in SETTINGS if "counts" in row.more)
NAMES = tuple(row.name for row in SETTINGS if row.name != "extra")
