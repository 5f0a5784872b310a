"""The result in one sentence, and the figures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..guidance import units
from ..kernel.core import numbers
from ..kernel.core.pace import TOKENS
from . import figures
from .account_model import Account


def sentence(account: Account) -> str:
    """`lines_run 984,740 → 115,512 (-88.3 %), exact, 17 experiments, 9 kept, 14 s of measuring`."""
    parts = [movement(account), certainty(account), figures.count(account.trials, "experiment"), kept(account)]
    if account.measuring:
        parts.append(f"{figures.duration(account.measuring)} of measuring")
    if account.spent.tokens:
        parts.append(f"{account.spent.tokens:,} tokens")
    if account.spent.money:
        parts.append(f"{account.spent.money:,.2f} of money")
    return ", ".join(parts)


def tokens(account: Account) -> str:
    """`1,800 in (400 of them cached), 130 out, in 2 sessions`; without the kinds where nobody counted them."""
    sessions = f"in {figures.count(account.spent.sessions, 'session')}"
    if not any(account.spent.kinds):
        return sessions
    given, cached, out = account.spent.kinds
    return f"{given:,} in ({cached:,} of them cached), {out:,} out, {sessions}"


def priced(account: Account) -> str:
    """What the money of a run was counted by."""
    return f"{account.config.price} a million in, cached, out"


def movement(account: Account) -> str:
    """From the baseline to the retained metric, on the scale of the baseline: measuring again moves no total."""
    way = account.way
    spread = account.spread if way.direct else Decimal(0)
    first, now = (
        figures.number(value if way.direct else Decimal(units.short(value)), spread) for value in (way.first, way.now)
    )
    unit = f" {way.unit}" if way.unit else ""
    if account.state.baseline_metric == account.state.claimed:
        return f"{way.label} {first}{unit}, no gain yet"
    return f"{way.label} {first} → {now}{unit} ({figures.change(way.first, way.now)})"


def kept(account: Account) -> str:
    """`9 kept`, `none kept`."""
    return f"{account.state.keeps:,} kept" if account.state.keeps else "none kept"


def certainty(account: Account) -> str:
    """How sure the figures are, in a few words."""
    if not account.config.measured:
        return "as reported"
    if account.config.noise.get("kind") == "noisy":
        return f"noise ±{figures.number(account.spread, account.spread)}"
    return "exact"


def assurance(account: Account) -> str:
    """How sure the figures are, in a sentence."""
    config = account.config
    if not config.measured:
        return "The numbers were reported to the tool, not measured by it."
    if config.noise.get("kind") != "noisy":
        text = "The metric repeats exactly, so one run decides an experiment."
    else:
        text = (
            f"One run varies by ±{figures.number(account.spread, account.spread)}. An edit that does nothing is kept "
            f"with a probability of at most {float(config.alpha):.2g}."
        )
    text += " Every kept experiment also passed a held-out check." if config.confirm else ""
    return text + (f" The total, measured: {account.true_total}." if account.true_total else "")


def wall_clock(account: Account) -> float | None:
    """Seconds from the set-up to the last recorded experiment, None where the log does not tell."""
    if account.started is None or account.ended is None:
        return None
    return max(0.0, account.ended - account.started)


def facts(account: Account) -> Mapping[str, Any]:
    """The figures behind the sentence, for programs."""
    state, wall = account.state, wall_clock(account)
    return {
        "headline": sentence(account),
        "run_tag": account.tag,
        "metric": account.metric,
        "direction": account.config.direction,
        "baseline_metric": state.baseline_metric,
        "retained_metric": state.current_metric,
        "best_metric": state.best_metric,
        "best_iteration": state.best_iteration,
        "delta": numbers.signed(numbers.difference(state.claimed, state.baseline_metric)),
        "improved": account.improved,
        "iteration": state.iteration,
        "experiments": account.trials,
        "keeps": state.keeps,
        "discards": state.discards,
        "crashes": state.crashes,
        "true_total": account.true_total or None,
        "refused": len(account.refused),
        "measuring_seconds": round(account.measuring, 1),
        "wall_seconds": wall,
        "tokens": account.spent.tokens,
        "tokens_by_kind": dict(zip(TOKENS, account.spent.kinds)),
        "cost": round(account.spent.money, 4),
        "limit": account.limit,
        **({"worth": [vars(item) for item in account.worth]} if account.worth else {}),
        **({"lines": [vars(line) for line in account.lines]} if account.lines else {}),
    }
