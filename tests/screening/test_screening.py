"""The cheap stage: what it turns away is not measured, what it cannot tell is, and it keeps nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from autoresearch.screening import clearly

from tests.lab import Lab

# The full check writes down each time that it is run, outside of the repository's tracked files.
FULL = "echo run >> $COUNT; cat src/value"
QUICK = "cat src/quick"


@pytest.fixture
def screened(lab: Lab, tmp_path) -> Lab:
    """A run with a quick check, whose number is in `src/quick`; the full check counts its runs."""
    lab.env["COUNT"] = str(tmp_path / "count")
    lab.repo.write("src/quick", "5\n")
    lab.repo.commit("quick")
    lab.init("--screen", QUICK, "--calibrate", 1, verify=FULL)
    return lab


def runs(lab: Lab) -> int:
    with open(str(lab.env["COUNT"])) as stream:
        return len(stream.readlines())


def test_what_is_clearly_worse_is_discarded_without_the_full_check(screened: Lab):
    screened.repo.write("src/quick", "6\n")
    answer = screened.trial(3)
    assert (answer["status"], answer["retained_metric"], runs(screened)) == ("discard", 10, 1)
    assert answer["decision"] == "screen: 6 against 5 of the retained code, in 2 pairs; not measured in full"
    assert (screened.path / "src/quick").read_text() == "5\n"


def test_only_the_full_check_keeps(screened: Lab):
    screened.repo.write("src/quick", "1\n")
    worse = screened.trial(11)
    assert (worse["status"], runs(screened)) == ("discard", 2)
    screened.repo.write("src/quick", "5\n")
    assert screened.trial(9)["status"] == "keep"


def test_a_quick_check_that_fails_turns_away_unless_it_is_broken_for_all(screened: Lab):
    (screened.path / "src/quick").unlink()
    answer = screened.trial(3)
    assert (answer["status"], runs(screened)) == ("discard", 1)
    assert answer["decision"].startswith("screen failed: exit code 1")


def test_the_quick_check_is_tried_and_locked(lab: Lab):
    lab.repo.write("quick.sh", "exit 3\n")
    lab.repo.commit("quick")
    base = ("--scope", ".", "--verify", "cat src/value", "--metric-name", "n", "--goal", "g", "--direction", "lower")
    refused = lab.call("init_run", *base, "--screen", "sh quick.sh")
    assert refused.code == 1 and "the screen fails on the untouched tree (exit code 3)" in refused.err
    lab.repo.write("quick.sh", "true\n")
    lab.repo.commit("repaired")
    assert lab.call("init_run", *base, "--screen", "sh quick.sh").code == 0
    lab.repo.write("quick.sh", "exit 0\n")
    assert "the evaluator was changed: quick.sh" in lab.try_out().err


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        ([5], [6], clearly.PASSES),
        ([5], [5], clearly.PASSES),
        ([7], [6], clearly.GO_ON),
        ([7, 7], [6, 6], clearly.WORSE),
        ([7, 8], [6, 6], clearly.GO_ON),
        ([7, 8, 7, 9], [6, 6, 5, 6], clearly.WORSE),
        ([7, 8, 7, 9], [6, 7, 5, 6], clearly.PASSES),
        ([7, 8, 7, 5], [6, 6, 5, 6], clearly.PASSES),
    ],
)
def test_when_it_is_clear(mine, theirs, said):
    assert clearly.said("lower", list(map(Decimal, mine)), list(map(Decimal, theirs))) == said
    assert clearly.said("higher", [-Decimal(n) for n in mine], [-Decimal(n) for n in theirs]) == said
