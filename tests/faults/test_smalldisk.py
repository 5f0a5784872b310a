"""A share of the tries of `smalldisk.py`; the others are run by hand (README.md)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults import smalldisk


@pytest.mark.timeout(900)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_little_room_is_a_refusal_or_enough(tmp_path: Path):
    try:
        found = list(smalldisk.tries(tmp_path, 41, 7))
    except smalldisk.Unmountable as refused:
        pytest.skip(f"needs to mount, which is refused here: {refused}")
    assert [line for line in found if ":" in line] == []
    assert {line.rpartition(" ")[2] for line in found} == {"0", "1"}
