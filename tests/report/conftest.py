from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from autoresearch.kernel.disk.layout import Layout
from autoresearch.report import accounting
from autoresearch.report.account_model import Account

from tests.lab import Lab

NAMES = ("research-results.tsv", "autoresearch-state.json", "autoresearch-launch.json", "autoresearch-runtime.json")
# Prints a number that differs from run to run by up to 1.
NOISY = "import os\nprint(float(open('src/value').read()) + os.urandom(1)[0] / 255)\n"


def layout_at(root: Path) -> Layout:
    """The artifact paths below a folder."""
    results, state, launch, runtime = (root / name for name in NAMES)
    return Layout(root=root, results=results, state=state, launch=launch, runtime=runtime)


def account_at(root: Path) -> Account:
    """What people are shown of the run in a folder."""
    return accounting.read(layout_at(root), time.time())


@pytest.fixture
def measured(lab: Lab) -> Lab:
    """Return a measured run: one keep, one discard, one crash, one pivot, one failed guard, one refused attempt."""
    lab.init("--iterations", 20, "--stop-condition", "<= 1")
    lab.trial(7, "--hypothesis", "seven is less than ten", description="take seven")
    lab.trial(9, description="take nine")
    lab.trial("many", description="take many")
    lab.recorded("pivot", "--description", "abandon words, now digits")
    lab.repo.write("src/broken", "")
    lab.trial(5, description="break it")
    lab.repo.write("README.md", "changed\n")
    lab.value(6)
    assert lab.try_out().code == 1
    lab.repo.git("checkout", "README.md")
    lab.trial(6, description="take six")
    return lab


class Calls:
    """Counts the functions that are called within its block: what something costs, on any machine."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Calls:
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _seen(self, _frame: object, event: str, _argument: object) -> None:
        self.count += event in ("call", "c_call")

    def taken(self) -> int:
        """The calls since this was asked last."""
        found, self.count = self.count, 0
        return found
