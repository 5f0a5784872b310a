"""The launch manifest: what the user confirmed for a background run. Pure; reading and writing is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from ..kernel.core import config
from ..kernel.core.choices import MAX_STAGNATION, MIN_FREE_MB, MODES
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field, names
from ..kernel.core.settings import Config
from . import backoff

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """How the controller works, apart from the run itself. Times are seconds."""

    agent: str = ""  # "" for the usual one
    agent_bin: str = ""  # "" for its usual program
    agent_args: tuple[str, ...] = ()
    sleep_seconds: float = 0.0  # pause between sessions
    max_stagnation: int = MAX_STAGNATION
    min_free_mb: int = MIN_FREE_MB
    log_path: str = ""
    notify: str = ""
    backoff_seconds: float = backoff.FIRST_S
    wait_limit_seconds: float = 0.0  # all waits for the model together; 0 for no limit
    wait_usage_limit: float = 6.0  # hours that a plan's limit may take until it is reset
    resume_tokens: int = 50_000  # a thread with a longer history is not gone on with; 0: none is
    escalate: str = ""  # models for the sessions after each pivot
    silence_seconds: float = 3600.0  # a session without an event, and without a trial, for so long is ended
    setup: str = ""
    links: tuple[str, ...] = ()
    workers: int = 1  # sessions side by side
    oversubscribe: bool = False  # as many as asked for, whatever the machine can carry


@dataclass(frozen=True)
class BaselinePlan:
    """How the run begins: measured at launch, left to the first session, or reported."""

    measure: bool = True
    metric: Decimal | None = None
    commit: str = ""
    description: str = ""
    repo_commits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """`autoresearch-launch.json` as in docs/artifacts.md, Launch manifest; then what this controller adds."""

    mode: str = "loop"
    original_goal: str = ""
    prompt_text: str = ""
    config: Config = field(default_factory=Config)
    approvals: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    resume_seed: Mapping[str, str] = field(default_factory=dict)
    created_at: str = ""
    updated_at: str = ""
    run_tag: str = ""
    environment: str = ""
    baseline: BaselinePlan = field(default_factory=BaselinePlan)
    controller: Options = field(default_factory=Options)
    unknown: Mapping[str, Any] = field(default_factory=dict)  # what another tool wrote besides, kept as it is

    def to_dict(self) -> dict[str, Any]:
        """The object to write."""
        known = {name: getattr(self, name) for name in names(Manifest) if name != "unknown"}
        out = {**self.unknown, "version": 1, **known}
        out["config"] = self.config.to_dict()
        out["baseline"], out["controller"] = dict(vars(self.baseline)), dict(vars(self.controller))
        return out


_OBJECTS = ("approvals", "defaults", "resume_seed")


def from_dict(data: Mapping[str, Any]) -> Manifest:
    """Read a manifest, one written by another tool included; raises `ValueError` saying what is wrong with it."""
    if data.get("version", 1) != 1:
        raise ValueError(f"version {str(data['version'])[:20]!r}, expected 1")
    if not isinstance(data.get("config"), Mapping):
        raise ValueError("it has no config object")
    if data.get("mode", "loop") not in MODES:
        raise ValueError(f"mode {str(data.get('mode'))[:20]!r}, expected one of {', '.join(MODES)}")
    try:
        values = {name: data[name] for name in names(Manifest) if data.get(name) is not None}
        values["unknown"] = {name: value for name, value in data.items() if name not in ("version", *names(Manifest))}
        values["config"] = config.from_dict(data["config"])
        values.update({name: dict(values.get(name, {})) for name in _OBJECTS})
        notes = values.get("notes", ())
        values["notes"] = (notes,) if isinstance(notes, str) else tuple(map(str, notes))
        values["baseline"] = _baseline(dict(data.get("baseline") or {}))
        values["controller"] = options(dict(data.get("controller") or {}))
        return _texts(Manifest(**values))
    except (Refusal, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ValueError(str(error)) from None


def _baseline(data: dict[str, Any]) -> BaselinePlan:
    known = {name: data[name] for name in names(BaselinePlan) if data.get(name) is not None}
    if "metric" in known:
        known["metric"] = Decimal(str(known["metric"]))
    return _texts(BaselinePlan(**known))


def _texts(made: T) -> T:
    """`made` itself; raises `ValueError` where something else stands in place of a text."""
    for name, default in vars(type(made)()).items():
        if isinstance(default, str) and not isinstance(getattr(made, name), str):
            raise ValueError(f"{name} is no text")
    return made


_RENAMED = {"codex_bin": "agent_bin", "codex_args": "agent_args"}  # in manifests of earlier versions


def options(data: Mapping[str, Any]) -> Options:
    """Read the controller's options; unknown ones are passed over, None means the default."""
    data = {**{new: data.get(old) for old, new in _RENAMED.items()}, **data}
    known = {name: data[name] for name in names(Options) if data.get(name) is not None}
    for name in ("sleep_seconds", "backoff_seconds", "wait_limit_seconds", "silence_seconds", "wait_usage_limit"):
        if name in known:
            known[name] = float(known[name])
    for name in ("agent_args", "links"):
        known[name] = tuple(map(str, known.get(name, ())))
    known["oversubscribe"] = bool(known.get("oversubscribe"))
    for name in ("max_stagnation", "min_free_mb", "resume_tokens", "workers"):
        known[name] = int(known.get(name, getattr(Options, name)))
    return _texts(Options(**known))
