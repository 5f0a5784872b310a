"""Whether a configuration could run at all. Pure."""

from __future__ import annotations

import operator
from decimal import Decimal
from typing import Any

from ..kernel.core import pace, scope
from ..kernel.core.choices import MODES
from ..kernel.core.config import BLANK, ROWS
from ..kernel.core.errors import Refusal
from ..kernel.core.rows import labels
from ..kernel.core.settings import SETTINGS, Config, Setting
from ..reading import printed


def validate(config: Config, mode: str) -> None:
    """Refuse a configuration that could not run, with the first problem found."""
    _one_of("mode", mode, MODES)
    for row in SETTINGS:
        value = getattr(config, row.name)
        if value and row.more.get("choices"):
            _one_of(row.flag, value, row.more["choices"])
        if isinstance(value, (int, Decimal)):
            _within(row, value)
    if mode == "exec" and config.iterations is None:
        raise Refusal("exec mode has no iteration count, expected a bounded run; add --iterations N")
    scope.matcher(config.scope)
    for repo in config.companions:
        scope.matcher(repo.scope)
    labels(config.required_keep_labels + config.required_stop_labels)
    if config.metric_pattern:
        printed.check_pattern(config.metric_pattern)
    _one_source(config)
    if config.side_lines and (config.companions or config.parallel_mode == "parallel"):
        raise Refusal("--side-lines needs one repository and one experiment at a time; leave it or the other out")
    config.stop_at(mode)
    if config.until and not pace.epoch(config.until):
        raise Refusal(f"until is {config.until[:40]!r}, expected UTC such as 2026-03-25T07:30:00Z; correct the flag")
    if config.price:
        pace.prices(config.price)
    elif config.max_cost is not None:
        raise Refusal("--max-cost has no price to count with, expected --price INPUT,CACHED,OUTPUT; add it")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise Refusal(f"{name} is {value[:40]!r}, expected one of {', '.join(allowed)}; correct the flag")


def _one_source(config: Config) -> None:
    """What a run costs is no number that it prints, and what runs elsewhere costs nothing here."""
    names = ("metric_key", "metric_pattern", "metric_take", "metric_stream", "executor")
    given = [ROWS[name].flag for name in names if getattr(config, name) != getattr(BLANK, name)]
    if config.measure != BLANK.measure and given:
        why = "what runs elsewhere is not measured here" if given[0] == "executor" else "it reads a printed number"
        raise Refusal(f"--measure {config.measure} does not go with --{given[0]}: {why}; leave one of them out")


_BOUNDS = (
    ("above", "more than", operator.gt),
    ("least", "at least", operator.ge),
    ("below", "less than", operator.lt),
    ("most", "at most", operator.le),
)


def _within(row: Setting, value: Any) -> None:
    given = [(word, Decimal(row.more[key]), holds) for key, word, holds in _BOUNDS if key in row.more]
    if not all(holds(value, bound) for _, bound, holds in given):
        wanted = " and ".join(f"{word} {bound}" for word, bound, _ in given)
        raise Refusal(f"{row.flag} is {value}, expected {wanted}; correct it or leave it out")
