"""A share of the tries of `combos.py`; the others are run by hand (README.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import combos


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("world", "first"), [("sha256", 0), ("worktree", 100)])
def test_a_share_of_the_tries_holds(tmp_path: Path, world: str, first: int):
    assert combos.main(tmp_path, first, 7, {"world": world}) == []
