"""Ways to a better number without a better program, one test each: what is refused, discarded, or kept all the same.

The tests named `..._is_kept_...` are the honest part: nothing here stops those edits, and docs/measurement.md says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.conftest import Ran, Repo
from tests.lab import Lab, refused, tree_of

CHECK = """\
import pathlib, sys
sys.path.insert(0, "src")
import helper, work
values = helper.numbers(int(pathlib.Path("seed.txt").read_text()))
for name, count in work.run(values).items():
    print(f"METRIC {name}={count}")
"""
HELPER = "def numbers(seed):\n    return [seed * 7 % 5 + 2] * 6\n"
# An honest program: it needs as many steps as it says, and proves it to whoever looks.
WORK = """\
CASES = ["empty", "one", "many"]
def run(values):
    return {"steps": 2 * sum(values), "cases": len(CASES), "sum": sum(values)}
"""
# The held-out check asks with other numbers what the program is for.
CONFIRM = """\
import sys, time
clock = time.perf_counter
sys.path.insert(0, "src")
import work
print("the held-out numbers are 5, 6, 7")
found = work.run([5, 6, 7])
assert found["sum"] == 18 and 9 <= found["steps"] <= 36, found
assert {"empty", "one", "many"} <= set(work.CASES), work.CASES
assert time.perf_counter is clock, "the clock was replaced"
print("passed")
"""
VERIFY = "python3 check.py"
DOUBLE = WORK.replace("2 * sum(values)", "sum(values)")  # an honest gain: half the steps
FORGED = WORK.replace("2 * sum(values)", "1")
PROGRAM = "src/work.py"


@pytest.fixture
def cheat(repo: Repo, run_script: Callable[..., Ran]) -> Lab:
    for name, text in {"check.py": CHECK, "helper.py": HELPER, "seed.txt": "3\n", PROGRAM: WORK}.items():
        repo.write(name, text)
    repo.write(".gitignore", "__pycache__/\nlocal.txt\n")
    repo.commit("project")
    return Lab(repo, run_script)


@pytest.fixture
def confirm(tmp_path: Path) -> str:
    """Return the command of the held-out check, which lies outside the repository.

    It asks for the last word of the script, for a program that ends the process early leaves exit code 0.
    """
    path = tmp_path / "held-out" / "confirm.py"
    path.parent.mkdir()
    path.write_text(CONFIRM)
    return f'test "$(python3 {path} | tail -n 1)" = passed'


def start(lab: Lab, *flags: object, scope: str = "src/", verify: str = VERIFY) -> Any:
    lab.scope = scope
    return lab.init("--metric-key", "steps", *flags, verify=verify, guard="")


def edited(lab: Lab, **files: str) -> Ran:
    """Write files (`a__b_py` is a/b.py), run the trial."""
    for name, text in files.items():
        lab.repo.write(name.replace("__", "/").replace("_", "."), text)
    return lab.try_out()


def turned_away(lab: Lab, ran: Ran, *words: str) -> None:
    """The edit was refused by name, nothing was run or recorded, and the next row tells of it."""
    before = lab.path / "autoresearch-evidence" / "0001"
    refused(ran, *words)
    assert len(lab.rows()) == 1 and not before.exists()
    lab.repo.git("checkout", "--quiet", ".")
    lab.repo.git("clean", "--quiet", "--force")
    lab.repo.write(PROGRAM, DOUBLE)
    assert lab.trial()["status"] == "keep"
    assert len(lab.events("refused")) == 1


def status(ran: Ran) -> str:
    assert ran.code == 0, ran.err
    return str(ran.json["status"])


# The evaluator.


@pytest.mark.parametrize("scope", ["src/", "."])
def test_an_edited_evaluator_is_refused_with_its_path(cheat, scope):
    assert "check.py" in start(cheat, scope=scope)["protected"]
    ran = edited(cheat, src__work_py=DOUBLE, check_py='print("METRIC steps=0")\n')
    turned_away(cheat, ran, "check.py", "evaluator")


def test_an_edited_evaluator_that_git_does_not_know_is_refused(cheat):
    cheat.repo.write("local.txt", "print('METRIC steps=' + open('src/work.py').read().split()[-1][:0] + '9')\n")
    assert start(cheat, verify="python3 local.txt")["protected"] == ["local.txt"]
    refused(edited(cheat, src__work_py=DOUBLE, local_txt="print('METRIC steps=1')\n"), "local.txt", "evaluator")


def test_an_edited_file_that_the_evaluator_imports_is_refused(cheat):
    assert "helper.py" in start(cheat)["protected"]
    turned_away(cheat, edited(cheat, helper_py="def numbers(seed):\n    return [0]\n"), "helper.py")


def test_an_imported_file_within_the_scope_is_part_of_the_program_unless_protected(cheat):
    start(cheat, "--protect", "helper.py", scope=".")
    turned_away(cheat, edited(cheat, helper_py="def numbers(seed):\n    return [0]\n"), "helper.py", "evaluator")


def test_an_imported_file_within_the_scope_that_nobody_protected_is_kept(cheat):
    start(cheat, scope=".")
    assert status(edited(cheat, helper_py="def numbers(seed):\n    return [1]\n")) == "keep"


def test_a_new_file_that_a_protected_pattern_covers_is_refused(cheat):
    cheat.repo.write("src/tests/test_work.py", "")
    cheat.repo.commit("tests")
    start(cheat, "--protect", "src/tests/**")
    turned_away(cheat, edited(cheat, src__tests__conftest_py="import work\n"), "src/tests/conftest.py")


def test_an_evaluator_that_the_program_rewrites_while_it_runs_voids_the_number(cheat):
    start(cheat)
    writes = "open('check.py', 'a').write('#')\n" + DOUBLE
    answer = edited(cheat, src__work_py=writes).json
    assert answer["status"] == "crash"
    assert "the evaluator changed during the run: check.py" in answer["decision"]
    assert cheat.repo.read("check.py") == CHECK and cheat.repo.status() == ""


def test_an_evaluator_that_the_program_rewrites_under_guard_fails_it(cheat):
    cheat.scope = "src/"
    guard = "python3 -c 'import sys; sys.path.insert(0, \"src\"); import work; work.run([1])'"
    cheat.init("--metric-key", "steps", verify=VERIFY, guard=guard)
    trap = DOUBLE + "import sys\nif sys.argv[0] == '-c':\n    open('check.py', 'a').write('#')\n"
    answer = edited(cheat, src__work_py=trap).json
    assert (answer["status"], answer["guard"]) == ("discard", "fail")
    assert "check.py" in answer["decision"]


def test_a_wanted_change_of_the_evaluator_goes_through_a_recorded_recalibration(cheat):
    start(cheat)
    cheat.repo.write("check.py", CHECK.replace("{count}", "{count * 10}"))
    refused(cheat.try_out(), "check.py", "--status drift")
    drift = cheat.recorded("drift", "--description", "steps are tenths now")
    assert drift["retained_metric"] == 360
    assert "evaluator changed: check.py" in drift["description"]
    [first, second] = cheat.events("evaluator")
    assert (second["iteration"], second["changed"]) == (1, ["check.py"])
    assert first["files"]["check.py"] != second["files"]["check.py"]
    cheat.repo.write(PROGRAM, DOUBLE)
    answer = cheat.trial()
    assert (answer["status"], answer["metric"]) == ("keep", 180)


# The numbers that the evaluator works with.


def test_a_changed_seed_file_is_refused(cheat):
    start(cheat)
    turned_away(cheat, edited(cheat, seed_txt="0\n"), "seed.txt")


@pytest.mark.parametrize("protected", [True, False])
def test_a_seed_file_that_the_user_put_in_scope_is_kept_unless_it_is_protected(cheat, protected):
    start(cheat, *(["--protect", "seed.txt"] if protected else []), scope="src/ seed.txt")
    ran = edited(cheat, seed_txt="0\n")
    if protected:
        turned_away(cheat, ran, "seed.txt", "evaluator")
    else:
        assert status(ran) == "keep"


def test_a_seed_file_that_git_ignores_is_refused_when_the_check_names_it(cheat):
    cheat.repo.write("local.txt", "3\n")
    cheat.repo.write("check.py", CHECK.replace('"seed.txt"', "sys.argv[1]"))
    cheat.repo.commit("a seed of one's own")
    start(cheat, verify="python3 check.py local.txt")
    refused(edited(cheat, src__work_py=DOUBLE, local_txt="5\n"), "local.txt", "evaluator")


@pytest.mark.parametrize("protected", [True, False])
def test_a_seed_file_that_git_ignores_and_no_command_names_is_refused_where_it_is_protected_or_seen_read(
    cheat, protected
):
    cheat.repo.write("local.txt", "3\n")
    cheat.repo.write("check.py", CHECK.replace("seed.txt", "local.txt"))
    cheat.repo.commit("a hidden seed")
    start(cheat, *(["--protect", "local.txt"] if protected else []))
    ran = edited(cheat, src__work_py=WORK + "# touched\n", local_txt="5\n")
    if protected:
        refused(ran, "local.txt", "evaluator")
    elif sys.platform == "linux":  # inotify told that the check reads it
        refused(ran, "local.txt", "ignored by git")
    else:
        assert status(ran) == "keep"


# Counts.

PADDED = FORGED.replace('"empty", "one", "many"', '"a", "b", "c", "d"')
DELETED = FORGED.replace('"empty", "one", "many"', '"one"')


def test_a_deleted_test_misses_a_required_count(cheat):
    start(cheat, "--require", "cases >= baseline")
    answer = edited(cheat, src__work_py=DELETED).json
    assert (answer["status"], answer["guard"]) == ("discard", "-")
    assert "cases is 1, required >= 3" in answer["decision"]


def test_padding_the_count_is_kept_by_the_requirement_and_discarded_by_confirm(cheat, confirm):
    start(cheat, "--require", "cases >= baseline")
    assert status(edited(cheat, src__work_py=PADDED)) == "keep"
    start(cheat, "--force", "--require", "cases <= 4", "--confirm", confirm)
    assert status(edited(cheat, src__work_py=PADDED + "# again\n")) == "discard"


COVERAGE = """\
import pathlib
lines = pathlib.Path("src/app.txt").read_text().split()
tests = sorted(pathlib.Path("tests").glob("*.txt"))
hit = {line for test in tests for line in test.read_text().split()}
print(f"METRIC steps={100 - 100 * len(hit & set(lines)) // len(lines)}")
print(f"METRIC tests={len(tests)}")
"""


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        (["--protect", "tests/**"], "refused"),
        (["--require", "tests >= baseline"], "discard"),
        (["--confirm", "test -e tests/two.txt"], "discard"),
        ([], "keep"),
    ],
)
def test_a_test_deleted_under_a_coverage_goal(cheat, flags, outcome):
    files = {"check.py": COVERAGE, "src/app.txt": "a b c d", "tests/one.txt": "a", "tests/two.txt": "b"}
    for name, text in files.items():
        cheat.repo.write(name, text)
    cheat.repo.commit("coverage")
    start(cheat, *flags, scope="src/ tests/")
    (cheat.path / "tests/two.txt").unlink()
    ran = edited(cheat, src__app_txt="a")  # what no test covers is gone, and so is the test
    if outcome == "refused":
        refused(ran, "tests/two.txt")
    else:
        assert status(ran) == outcome


# Code that runs inside the check.


def test_a_second_number_printed_from_within_is_a_crash(cheat):
    start(cheat)
    answer = edited(cheat, src__work_py=WORK + 'print("METRIC steps=1")\n').json
    assert answer["status"] == "crash"
    assert "2 values named 'steps'" in answer["decision"]


def test_a_number_in_another_form_printed_from_within_is_a_crash(cheat):
    cheat.repo.write("check.py", CHECK.replace('f"METRIC {name}={count}"', "count if name == 'steps' else ''"))
    cheat.repo.commit("a bare number")
    cheat.init("--metric-name", "steps", verify=VERIFY, guard="")
    answer = edited(cheat, src__work_py=WORK + 'print("METRIC steps=1")\n').json
    assert answer["status"] == "crash"
    assert "came as a METRIC line, at the baseline as a number" in answer["decision"]


EARLY = WORK + 'print("METRIC steps=1", flush=True)\nimport os\nos._exit(0)\n'
TIMED = """\
import sys, time
clock = iter(range(1, 9))
time.perf_counter = lambda: 7.0 * next(clock)  # one that does not depend on the machine
sys.path.insert(0, "src")
import work
start = time.perf_counter()
work.run([1])
print("METRIC steps=%.3f" % (time.perf_counter() - start))
"""
TIMER = WORK + "import time\ntime.perf_counter = lambda: 1.0\n"
CACHED = """\
import json, os, tempfile
CASES = ["empty", "one", "many"]
def run(values):
    path = os.path.join(tempfile.gettempdir(), "answer.json")
    if os.path.exists(path):
        return {**json.load(open(path)), "steps": 1}
    json.dump({"cases": 3, "sum": sum(values)}, open(path, "w"))
    return {"steps": 2 * sum(values), "cases": 3, "sum": sum(values)}
"""


@pytest.mark.parametrize(
    ("check", "program"),
    [(CHECK, EARLY), (TIMED, TIMER), (CHECK, CACHED), (CHECK, FORGED)],
    ids=["exits early with a number of its own", "timer patched", "result cached", "says a number it made up"],
)
def test_what_the_program_does_within_the_check_is_kept_with_a_flag_and_discarded_by_confirm(
    cheat, confirm, check, program
):
    cheat.repo.write("check.py", check)
    cheat.repo.commit("the check")
    start(cheat)
    cheat.repo.write(PROGRAM, program)
    warm(cheat)
    assert cheat.trial()["status"] == "keep"
    assert cheat.events("trial")[-1]["unlikely"] is True
    cheat.repo.git("revert", "--no-edit", "HEAD")
    start(cheat, "--force", "--confirm", confirm)
    cheat.repo.write(PROGRAM, program)
    answer = cheat.trial()
    assert (answer["status"], answer["decision"]) == ("discard", "confirm failed")


def warm(lab: Lab) -> None:
    """Run the check by hand, as an agent does before the trial."""
    subprocess.run(["sh", "-c", VERIFY], cwd=lab.path, capture_output=True, check=False)


def test_a_gain_that_does_not_repeat_is_a_crash(cheat):
    start(cheat)
    once = "import os\nFIRST = not os.path.exists('src/seen')\nopen('src/seen', 'w').close()\n"
    answer = edited(cheat, src__work_py=once + WORK.replace("2 * sum(values)", "1 if FIRST else 40")).json
    assert answer["status"] == "crash"
    assert "not repeatable: 40 at the second run" in answer["decision"]
    assert cheat.events("trial")[0]["runs"] == 2
    assert cheat.events("trial")[0]["unlikely"] is True


# Confirm.


def test_confirm_is_run_on_would_be_keeps_alone_and_tells_no_more_than_pass_or_fail(cheat, confirm, tmp_path):
    marker = tmp_path / "runs"
    start(cheat, "--confirm", f"echo ran >> {marker}; {confirm}")
    cheat.repo.write(PROGRAM, WORK.replace("2 *", "3 *"))
    assert cheat.trial()["status"] == "discard"
    assert marker.read_text().split() == ["ran"], "at the baseline only"
    cheat.repo.write(PROGRAM, FORGED)
    answer = cheat.trial()
    assert (answer["status"], answer["decision"]) == ("discard", "confirm failed")
    cheat.repo.write(PROGRAM, DOUBLE)
    kept = cheat.trial(None, "--knowing")  # the forged one is nearly the same patch
    assert kept["status"] == "keep"
    assert len(marker.read_text().split()) == 3
    seen = tree_of(cheat.path / "autoresearch-evidence").values()
    told = json.dumps([answer, kept]) + b"".join(seen).decode()
    for secret in ("held-out", "5, 6, 7", "AssertionError", str(marker)):
        assert secret not in told
    comments = [line for line in cheat.repo.read("research-results.tsv").split("\n") if line.startswith("# ")]
    shown = [line for line in comments if not line.startswith(("# config_json", "# event"))]
    assert confirm not in "\n".join(shown)
    assert cheat.state()["config"]["confirm"].endswith(confirm), "documented: config keeps it"


def test_confirm_and_its_data_are_locked_where_they_can_be_read(cheat, confirm, tmp_path):
    data = tmp_path / "held-out" / "data.txt"
    data.write_text("5 6 7")
    answer = start(cheat, "--confirm", f"{confirm} && test -s {data}")
    assert not [name for name in answer["protected"] if "held-out" in name], "answers do not point to it"
    assert str(data) in cheat.events("evaluator")[0]["files"]
    data.write_text("0")
    refused(edited(cheat, src__work_py=DOUBLE), "data.txt", "evaluator")


def test_a_confirm_that_fails_already_is_said_at_the_start(cheat):
    answer = start(cheat, "--confirm", "false")
    assert any("confirm fails on the untouched tree" in warning for warning in answer["warnings"])
