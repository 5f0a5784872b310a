"""Profiles by the real profilers of Python, Node and Linux, and the profile of a run."""

from __future__ import annotations

import json
import re
import shutil
from typing import Callable

import pytest
from autoresearch.profiles import spots
from autoresearch.profiles.spots import HotSpot

from tests.conftest import Ran, Repo
from tests.lab import Lab

PYTHON = """\
import re


def slow(times):
    return sum(number * number for number in range(times))


def quick():
    return re.sub("a", "b", "a" * 10)


def work():
    return slow(300000), quick()


if __name__ == "__main__":
    work()
"""
NODE = """\
function slow(n) { let s = 0; for (let i = 0; i < n; i++) s += Math.sqrt(i) * i; return s }
exports.work = () => slow(2000000)
for (let i = 0; i < 100; i++) exports.work()
"""


@pytest.fixture
def profile(repo: Repo, run_script: Callable[..., Ran]) -> Callable[..., Ran]:
    """Return `profile(*args)`, run in the repository."""
    return lambda *args: run_script("profile", *args, cwd=repo.path, timeout=120)


def first(ran: Ran) -> str:
    assert ran.code == 0, ran.err
    return ran.out.splitlines()[0]


@pytest.mark.parametrize(
    "args",
    [
        ("python3 pkg/work.py",),
        ("PYTHONPATH=pkg python3 -B -c 'import work; work.work()'",),
        ("cd pkg && python3 -m work",),
        ("--call", "work(); 1", "--setup", "from pkg.work import work"),
    ],
)
def test_python_is_profiled_by_cprofile(args, repo, profile):
    repo.write("pkg/work.py", PYTHON)
    ran = profile(*args)
    shares = {name: float(share) for share, name in re.findall(r"^([\d.]+) % (\S+) pkg/work\.py:\d+$", ran.out, re.M)}
    assert first(ran), ran.err
    # `sum` is called by `slow`, so its time is that of `slow`; nothing else takes any.
    assert shares["slow"] + shares["<genexpr>"] > 60
    assert all(line.endswith(tuple("0123456789")) and "pkg/work.py" in line for line in ran.out.splitlines())
    assert not list((repo.path / "pkg").glob("__pycache__"))


def test_node_is_profiled_whoever_starts_it(repo, profile):
    if not shutil.which("node"):
        pytest.skip("needs node, which is not here")
    repo.write("work.js", NODE)
    repo.write("run.sh", "node work.js\n")
    pattern = r"\d+\.\d % (slow|exports\.work) work\.js:\d"
    assert re.match(pattern, first(profile("node work.js")))
    assert re.match(pattern, first(profile("--by", "cpu-prof", "sh run.sh")))
    assert re.match(pattern, first(profile("--node", "--call", "require('./work.js').work()")))


def test_what_cannot_be_profiled_is_refused(repo, profile):
    repo.write("work.py", PYTHON)
    assert "expected a program that can be measured" in profile("python3 nowhere.py").err
    assert "takes one plain call of Python" in profile("python3 work.py | cat").err
    assert "either CMD or --call CODE" in profile().err
    assert "no function of the project shows up" in profile("python3 -c pass").err


def test_perf_or_its_absence_is_told(repo, profile):
    ran = profile("--by", "perf", "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'")
    if not shutil.which("perf"):
        assert "perf is not installed here" in ran.err
    elif "did not finish" in ran.err:
        pytest.skip("the kernel lets nobody measure here")
    else:
        assert re.match(r"[\d.]+ % \S+", first(ran))


def test_lines_and_their_difference():
    before = spots.parsed("# a header\n 60.5 %  parse a.py:3\n\n30% load b.py:1\n5 % old c.py:1\n")
    assert before[0] == HotSpot(60.5, "parse a.py:3")
    after = spots.parsed("20 % parse a.py:9\n31 % load b.py:1\n40 % new d.py:2\n")
    assert spots.moved(before, after) == ["parse a.py 60 -> 20 %", "new d.py 0 -> 40 %", "old c.py 5 -> 0 %"]
    assert spots.told((), "  \nfirst\n---\nsecond\n") == ["first", "second"]


def test_a_run_tells_where_the_time_goes_at_start_keep_and_pivot(lab: Lab):
    # The profiler of this run prints what the value says, so that the shares are known.
    script = 'v=$(cat src/value); echo "$v % parse a.py:$v"; echo "$((100 - v)) % load b.py:1"; echo x >> notes.txt'
    lab.repo.write("prof.sh", script + "\n")
    lab.repo.write("notes.txt", "x\n")
    lab.repo.write("src/value", "70\n")
    lab.repo.commit("profiler")
    started = lab.init("--profile", "sh prof.sh")
    assert started["profile"] == ["70 % parse a.py:70", "30 % load b.py:1"]
    kept = lab.trial(40)
    assert kept["profile"] == ["60 % load b.py:1", "40 % parse a.py:40"]
    assert kept["profile_moved"] == ["load b.py 30 -> 60 %", "parse a.py 70 -> 40 %"]
    assert "profile" not in lab.trial(50)
    # One that took longer than a tenth of the time since is left out after a keep, and said; a pivot takes one.
    noted = json.loads(lab.evidence("0001/profile.json").read_text())
    lab.evidence("0001/profile.json").write_text(json.dumps({**noted, "seconds": 9000}))
    spared = lab.trial(39)["profile"]
    assert len(spared) == 1 and "the last one took 9000 s, more than a tenth of the " in spared[0]
    assert lab.recorded("pivot", "--description", "abandon a; replace by b")["profile"][1] == "39 % parse a.py:39"
    assert (lab.path / "notes.txt").read_text() == "x\n"
    lab.call("report")
    text = (lab.path / "autoresearch-evidence/report.md").read_text()
    assert "| parse a.py | 70 % | 39 % |" in text and "## Where the time goes" in text
    assert json.loads(lab.evidence("0001/profile.json").read_text())["spots"][0] == [60, "load b.py:1"]


def test_a_profile_that_shows_nothing_is_refused_before_go(lab: Lab):
    base = ("--scope", "src/", "--verify", "cat src/value", "--metric-name", "n", "--goal", "g", "--direction", "lower")
    ran = lab.call("init_run", *base, "--dry-run", "--profile", "exit 3")
    assert ran.code == 1 and "the profile did not finish (exit code 3)" in ran.err
    ran = lab.call("init_run", *base, "--dry-run", "--profile", "echo 1 > made; echo '50 % a b:1'")
    assert ran.code == 1 and "the profile leaves made in the tree" in ran.err
    ran = lab.call("init_run", *base, "--dry-run", "--profile", "echo slow in b")
    assert ran.json["profile"][0] == "slow in b" and "no line reads NUMBER % NAME" in ran.json["profile"][1]
