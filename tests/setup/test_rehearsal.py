"""`init_run --dry-run`: what the wizard learns of a check, on any tree, with nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lab import CHECK, Lab, refused

COUNTER = """\
import os, pathlib
path = pathlib.Path(os.environ["COUNTER"])
number = int(path.read_text()) if path.exists() else 0
path.write_text(str(number + 1))
print([10, 12, 11, 14][number % 4])
"""


NOTED = "rehearsal.json"


def everything(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, git's own included, with what it holds."""
    return {
        os.path.join(at, name): Path(at, name).read_bytes() if name in names else None
        for at, folders, names in os.walk(folder)
        for name in [*folders, *names]
    }


def rehearse(lab: Lab, verify: str, *flags: object, **env: str) -> Any:
    base = ["--dry-run", "--scope", "src/", "--metric-name", "cost", "--verify", verify]
    ran = lab.call("init_run", *base, *flags, env={**lab.env, **env})
    assert ran.code == 0, ran.err
    return ran.json


def test_a_rehearsal_tells_what_init_would_and_leaves_nothing_behind(lab: Lab, sealed: Path, tmp_path: Path):
    lab.repo.write("check.py", COUNTER)
    lab.repo.commit("a noisy check")
    before = everything(lab.path), everything(sealed)
    answer = rehearse(lab, "python3 check.py", COUNTER=str(tmp_path / "counter"))
    scratch = sealed / "tmp" / f"codex-autoresearch-{os.getuid()}"
    noted = {path.name for path in scratch.rglob("*") if path.is_file() and path.suffix == ".json"}
    assert noted == {NOTED, "measured.json"}  # for the start, see below
    shutil.rmtree(scratch)
    assert (everything(lab.path), everything(sealed)) == before
    assert (answer["baseline_metric"], answer["noise"]["kind"], answer["noise"]["samples"]) == (
        11,
        "noisy",
        [10, 12, 11],
    )
    assert (answer["dirty"], answer["existing_run"], answer["protected"]) == ([], False, ["check.py"])
    assert answer["seconds_per_run"] > 0 and answer["noise"]["smallest_detectable"] > 0
    assert answer["message"].startswith("cost is about 11 with a spread of ")


def test_a_rehearsal_beside_a_run_changes_nothing_of_it(lab: Lab):
    lab.init()
    lab.trial(9)
    before = everything(lab.path)
    answer = rehearse(lab, "cat src/value")
    assert everything(lab.path) == before
    assert (answer["existing_run"], answer["baseline_metric"]) == (True, 9)
    assert answer["message"] == (
        f"cost is 9 and repeats exactly; one run takes {answer['seconds_per_run']:.2g} s, one run a trial"
    )


def test_a_dirty_tree_is_said_where_init_refuses_it(lab: Lab):
    lab.value(7)
    answer = rehearse(lab, "cat src/value")
    assert (answer["dirty"], answer["baseline_metric"]) == (["src/value"], 7)
    assert [w for w in answer["warnings"] if "inside the scope: src/value; the start is refused" in w]
    ran = lab.call("init_run", "--scope", "src/", "--metric-name", "cost", "--verify", "cat src/value")
    refused(ran, "uncommitted changes in src/value")
    assert lab.repo.status() == " M src/value"


def test_a_failing_guard_is_said_where_init_refuses_it(lab: Lab):
    answer = rehearse(lab, "cat src/value", "--guard", "echo broken >&2; exit 3")
    assert answer["guard"] == "fail"
    assert answer["warnings"] == ["the guard fails on the untouched tree (exit code 3: broken)"]
    ran = lab.call(
        "init_run", "--scope", "src/", "--metric-name", "cost", "--verify", "cat src/value", "--guard", "false"
    )
    refused(ran, "the guard fails on the untouched tree")
    assert everything(lab.path).keys() & {str(lab.path / "autoresearch-evidence" / "0000")} == set()


NUMBER = "exactly one finite decimal"


@pytest.mark.parametrize(
    ("verify", "said", "remedy"),
    [
        ("echo none", "no numbers in the output", NUMBER),
        ("echo 1 2", "2 numbers in the output", NUMBER),
        ("echo nan", "not a finite decimal", NUMBER),
        ("grep -c absent notes.txt", "exit code 1", "|| true"),
        ("false", "exit code 1", "without an error"),
        ("python3 -c 'import absent'", "No module named 'absent'", "without an error"),
        (
            "echo no such file >&2; echo 'make: *** [bench] Error 2' >&2; exit 2",
            "exit code 2: no such file",
            "without an error",
        ),
    ],
)
def test_a_check_without_a_number_is_refused_with_its_remedy(lab: Lab, verify: str, said: str, remedy: str):
    before = everything(lab.path)
    ran = lab.call("init_run", "--dry-run", "--scope", "src/", "--metric-name", "cost", "--verify", verify)
    refused(ran, "the check gives no number", said, remedy)
    assert ("|| true" in ran.err) == ("||" in remedy)
    assert everything(lab.path) == before


def test_a_check_that_counts_its_own_leftovers_is_named(lab: Lab, tmp_path: Path):
    folder = tmp_path / "leftovers"
    folder.mkdir()
    answer = rehearse(
        lab, f"mktemp {folder}/XXXXXX > {tmp_path}/name; ls {folder} > {tmp_path}/list; wc -l < {tmp_path}/list"
    )
    assert any("moves by 1 each run" in warning for warning in answer["warnings"]), answer["warnings"]


def test_a_check_that_is_too_slow_for_the_budget_is_named(lab: Lab, tmp_path: Path):
    lab.repo.write("check.py", COUNTER)
    lab.repo.commit("a noisy check")
    few = ("--max-minutes", "0.0001", "--max-runs", "40")
    answer = rehearse(lab, "python3 check.py", *few, COUNTER=str(tmp_path / "counter"))
    assert any("too slow for a budget" in warning for warning in answer["warnings"]), answer["warnings"]
    answer = rehearse(lab, "python3 check.py", *few[:2], COUNTER=str(tmp_path / "counter"))
    assert "are told from noise in 4 of 5 trials by one run a trial: --max-runs is 1" in answer["message"]


def test_an_evaluator_with_too_many_files_to_lock_is_named(lab: Lab):
    for number in range(2001):
        lab.repo.write(f"data/{number}", "")
    lab.repo.commit("much data")
    answer = rehearse(lab, "cat src/value", "--protect", "data/**")
    assert (len(answer["protected"]), answer["protected_count"]) == (4, 2000)
    assert any("2000 files or more" in warning for warning in answer["warnings"])


def test_a_run_that_is_over_before_it_starts_is_named(lab: Lab) -> None:
    told = [
        lab.call("init_run", "--dry-run", "--mode", "fix", "--direction", "lower", "--verify", f"echo {count}").json
        for count in (0, 3)
    ]
    assert [any("reached before it starts" in line for line in one["warnings"]) for one in told] == [True, False]


def test_a_rehearsal_shows_the_other_numbers_that_a_keep_may_have_to_hold(lab: Lab) -> None:
    verify = "printf 'METRIC ms=12\\nMETRIC tests=179\\n'"
    told = lab.call("init_run", "--dry-run", "--metric-name", "ms", "--direction", "lower", "--verify", verify).json
    assert (told["baseline_metric"], told["others"]) == (12, {"tests": 179})


def test_a_rehearsal_shows_the_end_of_what_the_check_printed(lab: Lab):
    noisy = "seq 1 5000; printf 'last \\033[31mred\\n'; echo METRIC cost=$(cat src/value)"
    shown = rehearse(lab, noisy)["check_printed"]
    assert shown[-2:] == ["last red", "METRIC cost=10"] and "1" not in shown
    assert len("\n".join(shown)) <= 1300


def test_a_start_takes_the_flags_of_the_last_dry_run(lab: Lab):
    rehearse(lab, "cat src/value; echo METRIC unheard=1 >&2", "--goal", "an earlier wish", "--guard", "true")
    answer = rehearse(lab, CHECK, "--goal", "cut the 'cost'", "--iterations", 9, "--protect", "a", "--protect", "b")
    assert "--as-rehearsed" in answer["next"]
    ran = lab.call("init_run", "--as-rehearsed", "--iterations", 3, "--session-mode", "foreground")
    assert ran.code == 0, ran.err
    config = lab.state()["config"]
    taken = {name: config[name] for name in ("goal", "verify", "scope", "metric", "iterations", "protect")}
    assert not config["guard"]  # of an earlier dry run nothing is left
    assert taken == {
        "goal": "cut the 'cost'",
        "verify": CHECK,
        "scope": "src/",
        "metric": "cost",
        "iterations": 3,
        "protect": ["a", "b"],
    }


def test_a_launch_takes_them_too(lab: Lab):
    rehearse(lab, CHECK, "--goal", "cut the cost")
    ran = lab.run_script("runtime_ctl", "create-launch", "--as-rehearsed", "--original-goal", "cheaper", cwd=lab.path)
    assert ran.code == 0, ran.err
    launch = json.loads((lab.path / "autoresearch-launch.json").read_text())
    assert (launch["config"]["verify"], launch["config"]["goal"]) == (CHECK, "cut the cost")


def test_without_a_dry_run_or_with_one_of_somebody_else_nothing_is_taken(lab: Lab, sealed: Path):
    ran = lab.call("init_run", "--as-rehearsed")
    assert "expected one for --as-rehearsed" in refused(ran)
    before = os.umask(0o002)
    rehearse(lab, CHECK)
    os.umask(before)
    scratch = sealed / "tmp" / f"codex-autoresearch-{os.getuid()}"
    assert scratch.stat().st_mode & 0o777 == 0o700
    scratch.chmod(0o777)
    assert "not this user's alone" in refused(lab.call("init_run", "--as-rehearsed"))
    assert "could not be noted" in rehearse(lab, CHECK)["next"]
    scratch.chmod(0o700)
    (note,) = scratch.rglob(NOTED)
    note.write_text("[1")
    assert "expected one for --as-rehearsed" in refused(lab.call("init_run", "--as-rehearsed"))


def test_a_check_in_the_temporary_folder_is_told_to_be_committed(lab: Lab, sealed: Path):
    check = sealed / "tmp" / "check.sh"
    check.write_text("cat src/value\n")
    warned = rehearse(lab, f"sh {check}")["warnings"]
    assert [line for line in warned if "temporary folder: commit it" in line and str(check) in line]
    tool = sealed / "tmp" / "counter"
    tool.write_text("#!/bin/sh\ncat src/value\n")
    tool.chmod(0o755)
    assert not [line for line in rehearse(lab, f"{tool} src")["warnings"] if "temporary" in line]
    lab.repo.write("check.sh", "cat src/value\n")
    lab.repo.commit("check")
    assert not [line for line in rehearse(lab, "sh check.sh")["warnings"] if "temporary" in line]


def test_a_hidden_check_in_the_temporary_folder_is_not_told(lab: Lab, sealed: Path):
    hidden = sealed / "tmp" / "hidden.sh"
    hidden.write_text("true\n")
    answer = rehearse(lab, CHECK, "--confirm", f"sh {hidden}")
    assert answer["confirm"] == "pass" and "hidden.sh" not in json.dumps(answer)
    hidden.write_text("echo plain; echo 'ValueError: no such set' >&2; exit 4\n")
    answer = rehearse(lab, CHECK, "--confirm", f"true && sh {hidden}")
    (said,) = [warning for warning in answer["warnings"] if warning.startswith("confirm fails")]
    assert "(sh /" in said and ": exit code 4: ValueError: no such set)" in said and not answer["startable"]
    assert answer["next"].startswith("not yet: warnings say what fails")


@pytest.mark.skipif(shutil.which("codex", path="/usr/bin:/bin") is not None, reason="codex lies where the system's are")
def test_a_rehearsal_warns_where_a_launch_would_find_no_codex(lab: Lab):
    away = {"PATH": "/usr/bin:/bin", "CODEX_MANAGED_PACKAGE_ROOT": ""}
    assert rehearse(lab, CHECK, **away)["warnings"] == []
    assert rehearse(lab, CHECK, "--session-mode", "foreground", CODEX_THREAD_ID="01", **away)["warnings"] == []
    for flags, env in (("--session-mode", "background"), {}), ((), {"CODEX_THREAD_ID": "01"}):
        answer = rehearse(lab, CHECK, *flags, **away, **env)
        assert "codex is not on PATH" in answer["warnings"][-1] and answer["startable"]


def test_what_the_checks_leave_is_told(lab: Lab):
    flags = ("--dry-run", "--scope", "src/", "--metric-name", "cost", "--verify")
    told = lab.call("init_run", *flags, "mkdir -p out; date > out/log; cat src/value").json["warnings"]
    assert any("checks leave out/ behind, new to git" in text for text in told)
    assert not any("behind" in text for text in lab.call("init_run", *flags, "cat src/value").json["warnings"])


TESTS = """\
import pytest


@pytest.mark.parametrize("n", range(%d))
def test_a(n):
    assert n > 90


def test_b():
    pass
"""


@pytest.fixture
def guarded(lab: Lab) -> Callable[..., Any]:
    """The dry run of a project with so many tests that fail, and one that passes."""

    def dry(failing: int, *flags: str, guard: str = "{} -m pytest -q -p no:cacheprovider tests") -> Any:
        lab.repo.write("tests/test_it.py", TESTS % failing)
        lab.repo.write(".gitignore", "__pycache__/\n.pytest_cache/\n")
        lab.repo.commit("tests that fail")
        return rehearse(lab, "cat src/value", "--guard", guard.format(sys.executable), *flags)

    return dry


def test_tests_that_fail_today_are_left_out_of_the_guard_and_told(lab: Lab, guarded: Callable[..., Any]):
    lab.repo.write("tests/test_broken.py", "import nothing_like_that\n")
    told = guarded(2)
    assert (told["guard"], told["startable"]) == ("pass", True)
    assert told["left_out"] == ["tests/test_broken.py", "tests/test_it.py::test_a[0]", "tests/test_it.py::test_a[1]"]
    assert told["warnings"][0].startswith("tests left out, for they fail today: tests/test_broken.py")
    (line,) = [line for line in told["draft"] if line.startswith("Must not break:")]
    assert "(passes today); left out, for they fail today: tests/test_broken.py" in line
    assert "guard_fails" not in told
    run = lab.call("init_run", "--as-rehearsed", "--session-mode", "foreground")
    assert run.code == 0, run.err
    assert "--ignore tests/test_broken.py" in (lab.path / "research-results.tsv").read_text()


def test_a_guard_that_prints_no_failure_is_shown_and_its_name_alone_is_replaced(lab: Lab):
    told = rehearse(lab, "cat src/value", "--guard", "tests=echo no tests ran; exit 3", "--guard", "alike=true")
    assert told["guard_said"] == ["no tests ran"]
    ran = lab.call("init_run", "--dry-run", "--as-rehearsed", "--guard", "tests=test -s src/value")
    assert ran.json["guard"] == "pass" and "Must not break: tests, alike (passes today)" in ran.json["draft"][4]


def test_the_other_guard_stays_as_it_is(lab: Lab, guarded: Callable[..., Any]):
    told = guarded(1, "--guard", "alike=test -s src/value")
    assert (told["guard"], len(told["left_out"])) == ("pass", 1)
    assert told["draft"][4].startswith("Must not break: guard-1, alike (passes today); left out")


@pytest.mark.parametrize(
    ("failing", "guard"),
    [(30, "{} -m pytest -q -p no:cacheprovider tests"), (1, "{} -m pytest -q -p no:cacheprovider tests | cat; false")],
)
def test_a_guard_that_mostly_fails_or_is_no_plain_pytest_is_told_as_it_is(
    guarded: Callable[..., Any], failing: int, guard: str
):
    told = guarded(failing, guard=guard)
    assert (told["guard"], told["startable"]) == ("fail", False)
    assert told["guard_said"][0].startswith("FAILED tests/test_it.py::test_a")
    assert "left_out" not in told
