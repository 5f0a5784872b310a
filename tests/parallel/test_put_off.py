"""A worker's verdict of a machine that was too busy to tell is none, the first times."""

from __future__ import annotations

import pytest
from autoresearch.kernel.core.errors import Postponed
from autoresearch.kernel.disk.layout import standard
from autoresearch.kernel.run import context
from autoresearch.kernel.run.intent import Attempt
from autoresearch.kernel.run.judge import Verdict
from autoresearch.kernel.run.measure import Measurement
from autoresearch.parallel.batch import WorkerPlace
from autoresearch.parallel.measuring import MeasuredWorker, put_off

from tests.lab import Lab

BUSY = Verdict("discard", "-", "undecided", Measurement(None, "", (), wait="postponed: load 24 on 2 cores"))


def test_it_is_put_off_three_times_and_another_content_anew(lab: Lab):
    lab.init()
    run = context.load(standard(lab.path))

    def worker() -> MeasuredWorker:
        return MeasuredWorker(WorkerPlace("a", str(lab.path), ""), lab.repo.git("rev-parse", "HEAD"), Attempt("x"))

    for _ in range(3):
        with pytest.raises(Postponed, match="load 24 on 2 cores"):
            put_off(run, worker(), BUSY)
    put_off(run, worker(), BUSY)  # now it is undecided
    put_off(run, worker(), Verdict("keep", "-", "a gain", BUSY.measurement))
    lab.value(9)
    lab.repo.commit("another content")
    with pytest.raises(Postponed):
        put_off(run, worker(), BUSY)
