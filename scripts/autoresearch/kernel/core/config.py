"""The configuration of a run: what the user confirmed before "go". It travels in the log's header and the snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from . import jsontext, numbers
from .choices import DIRECTIONS, ISOLATION, MODES, PARALLEL, POLICIES, ROLLBACKS, SEARCH, SESSION_MODES
from .errors import Refusal
from .frozen import dataclass, field, names, replace
from .rows import labels

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

    from . import metric as extraction
    from . import stop_rules


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
    """Contract section 3 `config`, then what a measured run adds (section 6). Times are seconds."""

    goal: str = ""
    scope: str = ""
    metric: str = ""
    direction: str = "lower"
    verify: str = ""
    guard: str = ""
    iterations: int | None = None
    stop_condition: str = ""
    rollback_policy: str = "revert"
    parallel_mode: str = "serial"
    web_search: str = "disabled"
    session_mode: str = "foreground"
    execution_policy: str = ""
    required_keep_labels: tuple[str, ...] = ()
    required_stop_labels: tuple[str, ...] = ()
    repos: tuple[RepoScope, ...] = ()
    measured: bool = False
    metric_pattern: str = ""
    metric_key: str = ""
    verify_timeout: Decimal | None = None
    verify_exit: str = "zero"
    calibrate: int | None = None  # baseline runs; None: three, two where one takes minutes
    alpha: Decimal = Decimal("0.05")
    max_runs: int | None = None  # None until the baseline tells how long a run takes
    min_delta: Decimal = Decimal(0)
    salvage_runs: int | None = None  # tests of parts of a failed edit; None: what twice a trial's price allows
    protect: tuple[str, ...] = ()
    confirm: str = ""
    require: tuple[str, ...] = ()
    max_minutes: Decimal | None = None
    max_tokens: int | None = None
    max_sessions: int | None = None
    isolation: str = "none"
    worktree: str = ""  # the checkout of an isolated run, "" for the root itself
    metric_form: str = ""  # how the metric came at the baseline
    noise: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)  # unknown keys written by someone else

    @property
    def source(self) -> extraction.Source:
        """Where the metric is found in the check's output."""
        from . import metric

        return metric.Source(self.metric, self.metric_key, self.metric_pattern, self.metric_form)

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
        """The `config` object: the contract's keys always, further ones in a measured run or where they were set."""
        out: dict[str, Any] = {name: _plain(getattr(self, name)) for name in _ORIGIN}
        if self.execution_policy:
            out["execution_policy"] = self.execution_policy
        wanted = (name for name in _MEASURED if self.measured or getattr(self, name) != getattr(_BLANK, name))
        out.update({name: _plain(getattr(self, name)) for name in wanted})
        return {**out, **self.extra}


_BLANK = Config()
NAMES = names(Config)[:-1]
_MEASURED = NAMES[NAMES.index("measured") :]
_ORIGIN = tuple(name for name in NAMES if name not in _MEASURED and name != "execution_policy")
_LISTS = ("required_keep_labels", "required_stop_labels", "protect", "require")
_NUMBERS = ("verify_timeout", "alpha", "min_delta", "max_minutes")
_COUNTS = ("salvage_runs",)  # zero turns them off
_INTEGERS = ("iterations", "calibrate", "max_runs", "max_tokens", "max_sessions", *_COUNTS)
# What the comment lines of a log tell under the same name; other lines of such a name are remarks.
_TOLD = (
    *("goal", "scope", "metric", "verify", "guard", "iterations", "stop_condition", "rollback_policy", "web_search"),
    *("required_keep_labels", "required_stop_labels"),
)
# What may change in the snapshot after the start; everything else is held by the log's header.
MUTABLE = ("session_mode", "execution_policy")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [item.to_dict() if isinstance(item, RepoScope) else item for item in value]
    return None if value == "" else value


def from_dict(data: Mapping[str, Any]) -> Config:
    """Read a `config` object, one written by someone else included; raises `Refusal` for unusable values."""
    values: dict[str, Any] = {}
    for name in NAMES:
        if data.get(name) is not None:
            values[name] = _value(name, data[name])
    values["extra"] = {key: value for key, value in data.items() if key not in NAMES}
    return Config(**values)


def _value(name: str, value: Any) -> Any:
    try:
        if name == "repos":
            return tuple(
                RepoScope(str(r["path"]), str(r.get("scope") or ""), str(r.get("role", "primary"))) for r in value
            )
        if name in _LISTS:
            items = [value] if isinstance(value, str) else value
            if name.endswith("_labels"):
                parts = (part.strip().lower() for item in items for part in str(item).split(","))
                return tuple(dict.fromkeys(part for part in parts if part))
            return tuple(str(item) for item in items)
        if name in _NUMBERS:
            return numbers.parse(str(value), name)
        if name in _INTEGERS:
            return int(value)
    except (TypeError, ValueError, KeyError, AttributeError):
        raise Refusal(f"config {name} is {str(value)[:40]!r}, which is not usable; correct it or start fresh") from None
    return value if name in ("measured", "noise") else str(value)


def validate(config: Config, mode: str) -> None:
    """Refuse a configuration that could not run, with the first problem found."""
    from . import metric, scope

    _one_of("mode", mode, MODES)
    for name, allowed in _CHOICES.items():
        value = getattr(config, name)
        if value:
            _one_of(name.replace("_", "-"), value, allowed)
    _bounds(config, mode)
    scope.matcher(config.scope)
    for repo in config.companions:
        scope.matcher(repo.scope)
    labels(config.required_keep_labels + config.required_stop_labels)
    if config.metric_pattern:
        metric.check_pattern(config.metric_pattern)
    config.stop_at(mode)


_CHOICES = {
    "direction": DIRECTIONS,
    "session_mode": SESSION_MODES,
    "execution_policy": POLICIES,
    "rollback_policy": ROLLBACKS,
    "parallel_mode": PARALLEL,
    "web_search": SEARCH,
    "isolation": ISOLATION,
    "verify_exit": ("zero", "any"),
}


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise Refusal(f"{name} is {value[:40]!r}, expected one of {', '.join(allowed)}; correct the flag")


def _bounds(config: Config, mode: str) -> None:
    for name in (*_INTEGERS, "verify_timeout", "max_minutes"):
        value = getattr(config, name)
        if value is not None and value <= 0 and (value or name not in _COUNTS):
            raise Refusal(f"{name.replace('_', '-')} is {value}, expected more than zero; correct or leave it out")
    if not 0 < config.alpha < Decimal("0.5"):
        raise Refusal(f"alpha is {config.alpha}, expected an error rate above 0 and below 0.5 such as 0.05")
    if config.alpha < Decimal("0.0001") or max(config.max_runs or 0, config.calibrate or 0) > 400:
        raise Refusal(
            f"alpha is {config.alpha}, max-runs {config.max_runs} and calibrate {config.calibrate}, expected alpha of "
            "0.0001 or more and at most 400 runs; correct them"
        )
    if config.min_delta < 0:
        raise Refusal(f"min-delta is {config.min_delta}, expected zero or more")
    if mode == "exec" and config.iterations is None:
        raise Refusal("exec mode has no iteration count, expected a bounded run; add --iterations N")


def header(config: Config, mode: str, run_tag: str, environment: str) -> dict[str, str]:
    """The comment lines of a new log, in the contract's order; empty ones are left out."""
    repos = [repo.to_dict() for repo in config.repos]
    lines = {
        "metric_direction": config.direction,
        "mode": mode,
        "run_tag": run_tag,
        "parallel": config.parallel_mode,
        "web_search": config.web_search,
        "goal": config.goal,
        "scope": config.scope,
        "repos_json": jsontext.dumps(repos) if repos else "",
        "metric": config.metric,
        "verify": config.verify,
        "guard": config.guard,
        "iterations": str(config.iterations or ""),
        "stop_condition": config.stop_condition,
        "required_keep_labels": ", ".join(config.required_keep_labels),
        "required_stop_labels": ", ".join(config.required_stop_labels),
        "environment": environment,
        # The lines above are for people and other tools; this one is exact (a check may hold tabs or line breaks).
        "config_json": jsontext.dumps(config.to_dict()),
    }
    return {key: value for key, value in lines.items() if value}


def from_header(head: Mapping[str, str]) -> Config:
    """The configuration that a log's comment lines tell; raises `Refusal` when they are unusable."""
    if "config_json" in head:
        return from_dict(_object(head["config_json"]))
    data: dict[str, Any] = {key: head[key] for key in _TOLD if head.get(key)}
    data["direction"] = head.get("metric_direction", "lower")
    data["parallel_mode"] = head.get("parallel", "serial")
    if head.get("repos_json"):
        data["repos"] = _object('{"repos": ' + head["repos_json"] + "}")["repos"]
    return from_dict(data)


def _object(text: str) -> dict[str, Any]:
    try:
        value = jsontext.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal("the log's header holds unreadable JSON; restore the file or start fresh with --force")
    return value


def merge(head: Config, snapshot: Config | None, authoritative: bool) -> Config:
    """The configuration in force. Our own logs hold it; for a foreign log the snapshot knows more, yet not all:
    what it leaves out the header may tell, and the direction is the one by which the log is folded."""
    if snapshot is None:
        return head
    if not authoritative:
        told = {name: getattr(head, name) for name in NAMES if getattr(snapshot, name) == getattr(_BLANK, name)}
        return replace(snapshot, **{**told, "direction": head.direction})
    mutable = {name: getattr(snapshot, name) for name in MUTABLE}
    return replace(head, extra={**head.extra, **snapshot.extra}, **mutable)
