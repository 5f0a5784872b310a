"""Whatever a run went through: the branch holds what the run retained, or there is no branch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.finalize import histories


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_the_branch_equals_what_was_retained_or_is_refused(part: int, tmp_path: Path, sealed: Path):
    results = [histories.judge(histories.make(tmp_path / str(seed), seed)) for seed in range(part * 5, part * 5 + 5)]
    assert len(results) == 5
