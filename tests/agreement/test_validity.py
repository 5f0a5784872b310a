"""A configuration that could not run is refused before it does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from autoresearch.agreement import validity
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.core.settings import Config, RepoScope

from tests.kernel.core.test_config import FULL


@pytest.mark.parametrize(
    ("mode", "changes"),
    [
        ("race", {}),
        ("exec", {}),
        ("loop", {"direction": "down"}),
        ("loop", {"session_mode": "x"}),
        ("loop", {"execution_policy": "x"}),
        ("loop", {"rollback_policy": "x"}),
        ("loop", {"parallel_mode": "x"}),
        ("loop", {"web_search": "x"}),
        ("loop", {"isolation": "x"}),
        ("loop", {"verify_exit": "x"}),
        ("loop", {"iterations": 0}),
        ("loop", {"iterations": -1}),
        ("loop", {"verify_timeout": Decimal(0)}),
        ("loop", {"max_minutes": Decimal(-1)}),
        ("loop", {"max_tokens": 0}),
        ("loop", {"alpha": Decimal(0)}),
        ("loop", {"alpha": Decimal("0.5")}),
        ("loop", {"min_delta": Decimal(-1)}),
        ("loop", {"scope": "../x"}),
        ("loop", {"repos": (RepoScope("/c", "/etc", "companion"),)}),
        ("loop", {"required_stop_labels": ("two words",)}),
        ("loop", {"metric_pattern": "("}),
        ("loop", {"stop_condition": "when good"}),
    ],
)
def test_what_could_not_run_is_refused_before_it_does(mode: str, changes: dict[str, Any]):
    with pytest.raises(Refusal, match="expected"):
        validity.validate(replace(Config(), **changes), mode)


def test_what_can_run_is_not():
    for mode in ("loop", "plan", "debug", "fix", "security", "ship", "exec"):
        validity.validate(FULL, mode)
