"""How somebody else gets the same numbers: the exact commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ..kernel.core.text import block, one_line
from . import figures
from .account_model import Account

COMMAND_LIMIT = 8000
_FLAGS = (
    ("mode", ""),
    ("goal", "goal"),
    ("scope", "scope"),
    ("metric-name", "metric"),
    ("direction", "direction"),
    ("verify", "verify"),
    ("guard", "guard"),
    ("metric-pattern", "metric_pattern"),
    ("metric-key", "metric_key"),
    ("verify-timeout", "verify_timeout"),
    ("confirm", "confirm"),
    ("iterations", "iterations"),
    ("stop-condition", "stop_condition"),
)
_LISTS = (("require", "require"), ("protect", "protect"), ("required-keep-label", "required_keep_labels"))
_DEFAULTS = (("verify-exit", "verify_exit", "zero"), ("calibrate", "calibrate", "3"), ("alpha", "alpha", "0.05"))
_UNDER_NOISE = (("max-runs", "max_runs", "40"), ("min-delta", "min_delta", "0"))


def steps(account: Account) -> list[tuple[str, str]]:
    """What to do, each with the commands that do it."""
    state, verify = account.state, block(account.config.verify, COMMAND_LIMIT)
    found = []
    ends = [("baseline", account.experiments[0].row.commit, state.baseline_metric)]
    if state.last_commit != ends[0][1]:
        ends.append(("result", state.last_commit, state.current_metric))
    for name, commit, metric in ends if verify else ():
        title = f"Measure the {name}; expected: {figures.number(metric, account.spread)}"
        found.append((title, f"git switch --detach {shlex.quote(one_line(commit, 64))}\n{verify}"))
    if verify:
        found.append(("Go back to your branch", "git switch -"))
    if account.config.measured:
        found.append(("Set up the same run again, from the baseline's commit", set_up(account)))
    return found


def set_up(account: Account) -> str:
    """The `init_run` command that the run was set up with, as far as its log tells."""
    lines = ["python3 <skill-root>/scripts/autoresearch_init_run.py"]
    lines += [f"--{flag} {shlex.quote(value)}" for flag, value in _given(account)]
    return block(" \\\n  ".join(lines), COMMAND_LIMIT)


def _given(account: Account) -> Iterator[tuple[str, str]]:
    config = account.config
    for flag, name in _FLAGS:
        value = account.mode if flag == "mode" else getattr(config, name)
        if value not in (None, ""):
            yield flag, str(value)
    for flag, name in _LISTS:
        for item in getattr(config, name):
            yield flag, item
    for flag, name, default in (*_DEFAULTS, *_UNDER_NOISE):
        if getattr(config, name) is not None and str(getattr(config, name)) != default:
            yield flag, str(getattr(config, name))
