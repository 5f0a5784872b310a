from __future__ import annotations

from decimal import Decimal

from autoresearch.kernel.core.settings import Config
from autoresearch.kernel.core.supervise import Spent
from autoresearch.report import forecast


def test_what_is_left_lasts_as_long_as_the_pace_so_far_says():
    config = Config(iterations=40, max_minutes=Decimal(60), max_tokens=1_000_000)
    found = forecast.budgets(config, 10, Spent(minutes=20, tokens=800_000), 20)
    assert [(b.name, b.used, b.limit, b.minutes_left) for b in found] == [
        ("iterations", 10, 40, 60),
        ("minutes", 20, 60, 40),
        ("tokens", 800_000, 1_000_000, 5),
    ]
    first = forecast.first_to_end(found)
    assert first is not None
    assert first.name == "tokens"
    assert [b.share for b in found] == [0.25, 1 / 3, 0.8]


def test_a_run_that_has_done_nothing_has_no_pace():
    (budget,) = forecast.budgets(Config(iterations=40), 0, Spent(), 0)
    assert budget.minutes_left is None
    assert forecast.first_to_end((budget,)) is None


def test_an_overdrawn_budget_ends_now():
    (budget,) = forecast.budgets(Config(max_minutes=Decimal(5)), 3, Spent(minutes=9), 9)
    assert (budget.minutes_left, budget.share) == (0, 1)
