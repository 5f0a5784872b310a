"""What a busy machine changes: a trial that it spoils is put off, a drift is refused, the dry run says so."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from autoresearch.kernel.run.measure import Measurement, Sample
from autoresearch.noise import starved

from tests.conftest import SCRIPTS
from tests.lab import Lab, refused

# The baseline's three runs are steady; later ones are disturbed by much more than the edit is worth, now one state's,
# now the other's, in whatever order they come.
CHECK = """\
import pathlib
path = pathlib.Path("../runs")
text = pathlib.Path("src/value").read_text().strip()
before = path.read_text().split() if path.exists() else []
path.write_text(" ".join([*before, text]))
number = before.count(text) - (3 if text == "100" else 0)
noise = [30, 0, 55, 5, 40, 12, 70, 20][number % 8 if text != "100" else (number ^ 1) % 8]
print(float(text) + (noise if number >= 0 else before.count(text) ** 2 / 10))
"""


@pytest.fixture
def shaky(lab: Lab) -> Lab:
    lab.repo.write("check.py", CHECK)
    lab.repo.commit("a check")
    lab.value(100)
    lab.repo.commit("a value")
    return lab


@pytest.fixture
def crowd(sealed: Path) -> Path:
    """The load that the scripts see; remove it for a calm machine."""
    path = sealed / "tmp" / "proc" / "loadavg"
    path.parent.mkdir()
    path.write_text("24.00 20.00 9.00 17/212 6439\n")
    return path


def test_the_dry_run_says_that_the_machine_is_busy(shaky: Lab, crowd: Path):
    flags = ("--dry-run", "--scope", "src/", "--verify", "python3 check.py", "--metric-name", "cost")
    told = shaky.call("init_run", *flags).json["warnings"]
    assert any(text.startswith("load 24 on ") and "mean little now; count instructions" in text for text in told)
    crowd.unlink()
    (shaky.path.parent / "runs").unlink()
    assert not any("mean little" in text for text in shaky.call("init_run", *flags).json["warnings"])


def test_a_check_that_counts_processor_time_is_not_told_to_count_it(lab: Lab, crowd: Path):
    lab.value(100)
    lab.repo.commit("a value")
    verify = f"python3 {SCRIPTS / 'autoresearch_check.py'} call 'sorted(range(20000))'"
    flags = ("--dry-run", "--scope", "src/", "--verify", verify, "--metric-name", "ms")
    told = lab.call("init_run", *flags).json["warnings"]
    assert any("this check counts already" in text for text in told)
    assert not any("processor time instead" in text for text in told)
    told = lab.call("init_run", *flags[:4], f"{verify} --wall", *flags[5:]).json["warnings"]
    assert any("processor time instead" in text for text in told)


def test_what_cannot_be_judged_is_put_off_and_in_the_end_undecided(shaky: Lab, crowd: Path):
    crowd.rename(crowd.with_name("away"))
    shaky.init("--max-runs", 12, verify="python3 check.py", guard="")
    crowd.with_name("away").rename(crowd)
    shaky.value(99)
    for times in (1, 2, 3):
        refused(shaky.try_out(), "postponed: load 24 on ", "no iteration is charged")
        assert (len(shaky.rows()), shaky.repo.read("src/value")) == (1, "99\n")
        shaky.sound()
        assert json.loads(shaky.evidence("postponed.json").read_text())["times"] == times
    answer = shaky.trial()
    assert answer["status"] == "discard"
    assert answer["decision"].startswith("undecided: the gain lies between ")
    [event] = shaky.events("trial")
    assert event["outcome"] == "undecided" and event["busy"].startswith("load 24 on ")
    assert shaky.rows()[-1].description.endswith("(undecided)")
    first = json.loads(shaky.evidence("0001/trial.json").read_text())["samples"][0]
    assert first["load"]["load"] == 24


def test_a_check_that_ends_by_its_own_clock_without_a_core_is_put_off(lab: Lab, crowd: Path):
    pressed = "some avg10=90.00 avg60=50.00 avg300=20.00 total=%d\\n"
    crowd.with_name("pressure").mkdir()
    (crowd.with_name("pressure") / "cpu").write_text(pressed.replace("\\n", "\n") % 0)
    late = f"sleep 0.3; printf '{pressed}' 900000 > {crowd.with_name('pressure')}/cpu; echo Alarm clock >&2; exit 142"
    lab.repo.write("check.sh", f"grep -q 100 src/value || {{ {late}; }}; echo 100\n")
    lab.value(100)
    lab.repo.commit("a check")
    lab.init(verify="sh check.sh", guard="")
    for _time in (1, 2, 3):
        lab.value(99)
        (crowd.with_name("pressure") / "cpu").write_text(pressed.replace("\\n", "\n") % 0)
        refused(lab.try_out(), "postponed: load 24 on ", "(exit code 142: Alarm clock)", "had a core for 0")
        assert (len(lab.rows()), lab.repo.read("src/value")) == (1, "99\n")
    (crowd.with_name("pressure") / "cpu").write_text(pressed.replace("\\n", "\n") % 0)
    assert lab.trial()["status"] == "crash"


@pytest.mark.parametrize(
    ("problem", "code", "waited", "had", "late", "said"),
    [
        ("exit code 142: Alarm clock", 142, 25.0, 5.6, False, True),
        ("exit code 124", 124, 25.0, 5.6, False, True),
        ("exit code 1: Failed: Timeout >30.0s", 1, 25.0, 5.6, False, True),
        ("exit code 1: AssertionError", 1, 25.0, 5.6, False, False),
        ("exit code 142: Alarm clock", 142, 25.0, 29.0, False, False),  # it had its core
        ("exit code 142: Alarm clock", 142, 1.0, 0.1, False, False),  # it slept on a calm machine
        ("took over 30 s: timed out", None, 25.0, 5.6, True, False),  # our own limit, which knows the load
        ("exit code 142: Alarm clock", 142, 25.0, None, False, False),
    ],
)
def test_only_a_check_without_a_core_is_starved(problem, code, waited, had, late, said):
    cost = {} if had is None else {"cpu": Decimal(str(had))}
    sample = Sample(None, problem, 30.0, code, late=late, load={"waited": waited}, cost=cost)
    assert bool(starved.told(Measurement(None, problem, (sample,), ()))) == said


def test_a_drift_is_refused_on_a_busy_machine(shaky: Lab, crowd: Path):
    shaky.init(verify="python3 check.py", guard="")
    refused(shaky.record("drift", "--description", "slower now"), "load 24 on ", "expected a calm machine")
    assert len(shaky.rows()) == 1
    shaky.repo.write("theirs", "x\n")
    shaky.repo.commit("user")  # no trial is made before a drift now: it does not wait for a calm that may never come
    assert shaky.recorded("drift", "--description", "the user's work")["status"] == "drift"
