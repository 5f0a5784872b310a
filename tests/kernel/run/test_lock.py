"""Which files the evaluator lock of a run covers: the judge, never what the run is about."""

from __future__ import annotations

import pytest

from tests.lab import Lab, refused

COUNT = "import pathlib\nprint(len(pathlib.Path('src/value').read_text()))\n"


@pytest.mark.parametrize(
    "verify",
    [
        "cat src/* | wc -c",
        "find src -type f | xargs cat",
        "env PYTHONPATH=. cat src/value",
        "PYTHONPATH=. cat ./src/value",
    ],
)
def test_a_check_that_names_the_folder_of_the_scope_does_not_lock_it(lab: Lab, verify: str):
    lab.init(verify=verify, guard="grep -rq . src")
    lab.repo.write("src/value", "9\n")
    ran = lab.try_out()
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["status"] == "keep"


def test_a_program_in_the_scope_is_locked_also_beside_its_folder(lab: Lab):
    lab.repo.write("src/check.py", COUNT)
    lab.repo.commit("check")
    lab.init(verify="PYTHONPATH=src python3 ./src/check.py", guard="")
    lab.repo.write("src/check.py", "print(0)\n")
    refused(lab.try_out(), "the evaluator was changed: src/check.py")


def test_what_lies_outside_the_scope_in_a_named_folder_stays_locked(lab: Lab):
    lab.repo.write("data/set.txt", "5\n")
    lab.repo.write("data/src.txt", "6\n")
    lab.repo.commit("data")
    lab.scope = "src/ data/src.txt"
    answer = lab.init(verify="cat data/* | head -1", guard="grep -rq . data")
    assert answer["protected"] == ["data/set.txt"]


def test_a_check_that_names_the_root_does_not_lock_the_files_of_the_run(lab: Lab):
    lab.init(verify=f"ls {lab.path} >/dev/null; cat src/value")
    assert lab.trial(9)["status"] == "keep"


def test_a_check_that_names_the_root_may_leave_caches_in_it(lab: Lab):
    lab.repo.write(".gitignore", ".cache/\n")
    lab.repo.write(".cache/known", "0\n")
    lab.repo.write("check.sh", "date +%s%N > .cache/known; cat src/value\n")
    lab.repo.commit("cache")
    answer = lab.init(verify="sh check.sh", guard="PYTHONPATH=. ls . >/dev/null")
    assert answer["protected"] == ["check.sh"]
    assert lab.trial(9)["status"] == "keep"


BUILD = "mkdir -p out; wc -c < src/value > out/size; cat out/size"


@pytest.mark.parametrize("ignored", [True, False])
def test_an_old_product_of_the_check_is_no_judge(lab: Lab, ignored: bool):
    lab.repo.write(".gitignore", "out/\n" if ignored else "")
    lab.repo.commit("ignore")
    lab.repo.write("out/size", "3\n")  # what the check writes at the baseline too: only the time of the file moves
    assert lab.init(verify=BUILD, guard="")["protected"] == []
    lab.repo.write("src/value", "\n")
    assert lab.trial()["status"] == "keep"
    lab.recorded("drift", "--description", "again")
    lab.repo.write("src/value", "")
    assert lab.trial()["status"] == "keep"


@pytest.mark.parametrize("case", ["tracked", "executed", "imported", "protected"])
def test_a_judge_that_the_check_writes_is_refused(lab: Lab, case: str):
    name = "out/run.py" if case in ("executed", "imported") else "out/size"
    verify = {
        "executed": f"date +'#%N' > {name}; python3 {name}; cat src/value",
        "imported": f"date +'#%N' > {name}; PYTHONPATH=out python3 judge.py; : {name}",
    }.get(case, f"date +%N > {name}; wc -l < {name}")
    lab.repo.write("judge.py", "import out.run\nprint(1)\n")
    lab.repo.write(".gitignore", "" if case == "tracked" else "out/\n")
    lab.repo.write(name, "# old\n")
    lab.repo.commit("judge")
    ran = lab.call(
        "init_run", "--scope", "src/", "--verify", verify, *(("--protect", "out/*") if case == "protected" else ())
    )
    refused(ran, f"the check changes its own files ({name})")
