"""How busy a machine is, read from folders that stand for /proc and /sys."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.machine import busy, load
from autoresearch.machine.busy import Load


def machine(root: Path, **files: str) -> Path:
    """Write files below a root; `__` in a name stands for a slash, `_dot_` for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_linux_machine_is_read(tmp_path: Path):
    root = machine(
        tmp_path,
        proc__loadavg="24.10 12.0 8.0 17/212 6439\n",
        proc__pressure__cpu="some avg10=99.78 avg60=9.0 avg300=9.0 total=2500000\nfull avg10=0.00 total=0\n",
        proc__stat="cpu  1 2 3 4 5 6 7 800 0 0\n",
        proc__self__cgroup="0::/box\n",
        sys__fs__cgroup__box__cpu_dot_stat="usage_usec 5\nthrottled_usec 1500000\n",
    )
    found = load.read(root)
    assert (found.load, found.pressure, found.waited, found.throttled) == (24.1, 0.9978, 2.5, 1.5)
    assert found.stolen and found.stolen > 0
    assert busy.between(found, Load(2, 3.0, 0.1, 4.0, found.stolen, 1.5)) == {
        "cores": found.cores, "load": 24.1, "waited": 1.5, "stolen": 0.0, "throttled": 0.0
    }  # fmt: skip


def test_a_machine_that_tells_nothing_is_not_busy(tmp_path: Path):
    assert load.read(tmp_path).load is None
    assert not load.read(tmp_path).busy


@pytest.mark.parametrize(
    ("now", "is_busy"),
    [
        (Load(2, 24.0, 0.9), True),
        (Load(2, 24.0), True),  # no pressure information, as on macOS
        (Load(2, 24.0, 0.05), False),  # the average of the last minute remembers what is over
        (Load(2, 3.9, 0.9), False),
        (Load(16, 24.0, 0.9), False),
    ],
)
def test_busy_means_crowded_and_pressed(now: Load, is_busy: bool):
    assert now.busy is is_busy
    assert str(Load(2, 24.4)) == "load 24 on 2 cores"
