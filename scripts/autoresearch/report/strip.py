"""The samples of a noisy experiment side by side: candidate above, retained below, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from . import figures
from .account_model import Account
from .details import Details

_HEIGHT = 62


def svg(found: Details, account: Account) -> str:
    """A small drawing, "" where there is nothing to compare."""
    candidate = [value for value in found.candidate if value is not None]
    retained = [value for value in found.retained if value is not None]
    values = [*candidate, *retained]
    if len(values) < 2 or min(values) == max(values):
        return ""
    ends = (float(min(values)), float(max(values)))
    arms = [(candidate, "keep", 12)] + ([(retained, "base", 32)] if retained else [])
    dots = "".join(_dots(arm, kind, y, ends) for arm, kind, y in arms)
    low, high = (figures.number(end, account.spread) for end in (min(values), max(values)))
    axis = f'<text x="0" y="{_HEIGHT - 8}">{low}</text><text x="100%" y="{_HEIGHT - 8}" class="end">{high}</text>'
    return (
        f'<svg class="strip" width="100%" height="{_HEIGHT}" role="img" '
        f'aria-label="samples from {low} to {high}">{dots}{axis}</svg>'
    )


def _dots(values: Sequence[Decimal], kind: str, y: int, ends: tuple[float, float]) -> str:
    span = ends[1] - ends[0] or 1.0
    places = [100 * (float(value) - ends[0]) / span for value in values]
    middle = sorted(places)[len(places) // 2]
    dots = "".join(f'<circle cx="{place:.1f}%" cy="{y}" r="4"/>' for place in places)
    return f'<g class="{kind}">{dots}<line x1="{middle:.1f}%" x2="{middle:.1f}%" y1="{y - 9}" y2="{y + 9}"/></g>'
