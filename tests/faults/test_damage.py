"""A share of the tries of `damage.py`; the others are run by hand (README.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import damage


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "count"), [("damage", 14), ("hostile", 12), ("sizes", 6), ("recorders", 1), ("launches", 1)]
)
def test_a_share_of_the_tries_holds(tmp_path: Path, kind: str, count: int):
    assert list(damage.tries(kind, tmp_path, count, 0)) == []
