"""The code that is edited is the code that is measured; results are of this run; builds are measured apart."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab, refused

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="opens are seen by inotify(7)")


def dry(lab: Lab, verify: str, *flags: object, scope: str = "src/") -> Any:
    """A dry run of this check."""
    base = ("--dry-run", "--direction", "lower", "--metric-name", "cost", "--scope", scope, "--verify", verify)
    return lab.call("init_run", *base, *flags)


def launch(lab: Lab, verify: str, *flags: object, scope: str = "src/") -> Any:
    """Launch in a worktree."""
    base = ("--direction", "lower", "--metric-name", "cost", "--scope", scope, "--verify", verify, "--goal", "g")
    more = ("--isolation", "worktree", "--run-tag", "t", "--codex-bin", "true", *flags)
    return lab.run_script("runtime_ctl", "launch", "--repo", lab.path, *base, *more, env=lab.env)


def workspace(lab: Lab) -> str:
    """An npm workspace as npm links it, and its check."""
    lab.repo.write("packages/lib/index.js", "exports.cost = 10\n")
    lab.repo.write("packages/lib/package.json", '{"name": "@x/lib", "main": "index.js"}\n')
    lab.repo.write("packages/app/check.js", 'console.log("METRIC cost=" + require("@x/lib").cost)\n')
    lab.repo.write(".gitignore", "node_modules/\n")
    lab.repo.commit("workspace")
    modules = lab.path / "node_modules" / "@x"
    modules.mkdir(parents=True)
    (modules / "lib").symlink_to("../../packages/lib")
    return "node packages/app/check.js"


def stopped(lab: Lab) -> None:
    """Stop what was launched."""
    lab.run_script("runtime_ctl", "stop", "--repo", lab.path)


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_links_of_a_workspace_lead_to_the_packages_of_the_worktree(lab: Lab):
    check = workspace(lab)
    ran = launch(lab, check, "--link", "node_modules", scope="packages/lib/")
    assert ran.code == 0, ran.err
    stopped(lab)
    made = lab.path.parent / "repo-autoresearch-t"
    assert (made / "node_modules/@x/lib").resolve() == (made / "packages/lib").resolve()
    assert (
        lab.repo.status() == "?? autoresearch-launch.json\n?? autoresearch-lessons.md"
        or lab.repo.read("packages/lib/index.js") == "exports.cost = 10\n"
    )


@pytest.mark.parametrize(
    ("check", "cause"),
    [
        ("cat {main}/src/value", "It names {main} itself"),
        ("cat $SUBJECT/src/value", "reads the files of its own folder"),
        ("sh check.sh", "check.sh names {main} itself"),
        ("PYTHONPATH=lib python3 -c 'import editable; print(editable.where.read_text())'", "editable install"),
        ("cat notes.txt >&2; cat $SUBJECT/src/value", "reads the files of its own folder"),
        ("cat linked/value", "linked is a link that leads to the main checkout"),
        ("python3 -c 'import sys; sys.path[0] = \"tests\"; import conftest'", "tests/conftest.py names {main} itself"),
    ],
)
def test_a_check_that_measures_another_tree_is_refused_at_launch(lab: Lab, check: str, cause: str):
    lab.repo.write(".gitignore", "venv/\nlinked\n")
    lab.repo.write("check.sh", f"cat {lab.path}/src/value\n")
    lab.repo.write("lib/editable.py", f"import pathlib\nwhere = pathlib.Path('{lab.path}/src/value')\n")
    if "conftest" in check:
        lab.repo.write("tests/conftest.py", f"print(open('{lab.path}/src/value').read())\n")
    lab.repo.commit("checks")
    (lab.path / "linked").symlink_to("src")
    site = lab.path / "venv/lib/python3.9/site-packages"
    site.mkdir(parents=True)
    (lab.path / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    (site / "x.pth").write_text(f"{lab.path}/src\n")
    lab.env["SUBJECT"] = str(lab.path)
    links = ["--link", "venv"] if "editable" in check else ["--link", "linked"] if "linked" in check else []
    ran = launch(lab, check.format(main=lab.path), *links)
    refused(ran, "the check does not see this tree", cause.format(main=lab.path))
    assert lab.repo.status() == "" and lab.repo.read("src/value") == "10\n"
    assert lab.repo.git("worktree", "list").count("\n") == 0


def test_a_check_that_sees_its_tree_pays_one_run_more(lab: Lab, tmp_path: Path):
    lab.repo.write("check.py", f"open('{tmp_path}/runs', 'a').write('x')\nprint(len(open('src/value').read()))\n")
    lab.repo.commit("a check that a broken file does not fail")
    ran = launch(lab, "python3 check.py")
    assert ran.code == 0, ran.err
    stopped(lab)
    assert (tmp_path / "runs").read_text() == "xxxx"
    made = lab.path.parent / "repo-autoresearch-t"
    assert (made / "src/value").read_text() == "10\n"


@LINUX
def test_files_of_the_scope_that_the_check_never_opens_are_named(lab: Lab):
    lab.repo.write("src/mod.py", "COST = 3\n")
    lab.repo.write("src/other.py", "X = 1\n")
    lab.repo.write("src/NOTES.md", "x\n")
    lab.repo.commit("modules")
    check = "python3 -c 'import sys; sys.path.insert(0, \"src\"); import mod; print(mod.COST)'"
    (line,) = dry(lab, check).json["warnings"]
    assert line.startswith("the check did not open 1 of the 4 files of the scope (src/other.py)")
    (line,) = dry(lab, "echo 3", scope="src/value").json["warnings"]
    assert line.startswith("the check opened no file of the scope (src/value)")
    (line,) = dry(lab, "tr -dc 0-9 < src/mod.py", scope="src/mod.py, src/value").json["warnings"]
    assert "(src/value)" in line and "--prepare CMD" in line
    assert dry(lab, "cat src/value", scope="src/value").json["warnings"] == []


@pytest.mark.parametrize("bound", ["acc >= 0.9", "acc>=0.9", "acc>=baseline*0.9"])
def test_a_required_number_that_no_edit_moves_is_named(lab: Lab, bound: str):
    lab.repo.write("check.sh", "echo METRIC cost=$(cat src/value)\necho METRIC acc=0.95\n")
    lab.repo.commit("a check with a fixed number")
    told = dry(lab, "sh check.sh", "--require", bound).json["warnings"]
    assert any(w.startswith("acc is written as a number in check.sh") for w in told), told


@pytest.mark.parametrize(("file", "text"), [("acc.txt", "0.95\n"), ("old.json", '{"loss": 2, "acc": 0.950}')])
def test_a_required_number_out_of_a_fixed_file_is_named(lab: Lab, file: str, text: str):
    lab.repo.write(file, text)
    take = f"import json; d = json.load(open('{file}')); print(d['acc'] if isinstance(d, dict) else d)"
    lab.repo.write("check.sh", f'echo METRIC cost=$(cat src/value)\necho METRIC acc=$(python3 -c "{take}")\n')
    lab.repo.commit("a check with a number of another day")
    told = dry(lab, "sh check.sh", "--require", "acc>=0.9").json["warnings"]
    assert any(w.startswith(f"acc stands in {file}, which no run of the check writes") for w in told), told
    lab.repo.write(
        "check.sh", f"echo METRIC cost=$(cat src/value) > {file}\necho METRIC acc=0$(echo .95) >> {file}; cat {file}\n"
    )
    lab.repo.commit("a check that writes its file")
    told = dry(lab, "sh check.sh", "--require", "acc >= 0.9").json["warnings"]
    assert not any("acc stands in" in w for w in told), told


def test_a_judge_behind_a_wrapper_is_named(lab: Lab):
    lab.repo.write("src/bench.py", "print(open('src/value').read())\n")
    lab.repo.write("Makefile", "bench:\n\t@python3 src/bench.py\n")
    lab.repo.commit("a wrapped check")
    told = dry(lab, "make -s bench").json["warnings"]
    assert any("runs src/bench.py through Makefile" in w and "--protect src/bench.py" in w for w in told), told
    told = dry(lab, "make -s bench", "--protect", "src/bench.py").json["warnings"]
    assert not any("through Makefile" in w for w in told), told


def test_a_quoted_command_of_a_wrapper_is_locked(lab: Lab):
    lab.repo.write("bench.py", "print(open('src/value').read())\n")
    lab.repo.commit("a check")
    assert lab.init(verify="env sh -c 'python3 bench.py'")["protected"] == ["bench.py"]


def test_a_result_of_an_earlier_run_is_no_result(lab: Lab):
    lab.repo.write(".gitignore", "out.json\nold.json\n")
    lab.repo.write("bench.sh", "test $(cat src/value) -gt 5 && cp src/value out.json; true\n")
    lab.repo.commit("a check that writes")
    lab.init(verify="sh bench.sh && cat out.json")
    answer = lab.trial(3)
    assert answer["status"] == "crash" and "out.json was written before this run" in answer["decision"]
    lab.repo.write("old.json", "7\n")
    refused(dry(lab, "./absent; cat old.json"), "old.json was written before this run", "absent is hidden")
    told = dry(lab, "cat old.json && cat src/value >&2").json["warnings"]
    assert any(w.startswith("old.json was written before this run") for w in told), told


def test_a_helper_that_ends_by_itself_is_not_left_behind(lab: Lab):
    lab.init(verify="(sleep 0.4; true) >/dev/null 2>&1 & cat src/value")
    assert lab.trial(9)["status"] == "keep"


def test_what_is_prepared_is_timed_apart_and_its_failure_is_a_crash(lab: Lab):
    lab.repo.write(".gitignore", "prog\n")
    lab.repo.write("src/prog.sh", "echo METRIC cost=10\n")
    lab.repo.commit("a program that is built")
    build = "! grep -q broken src/prog.sh && sleep 0.5 && cp src/prog.sh prog"
    told = lab.init("--prepare", build, verify="sh prog")
    assert told["seconds_per_run"] < 0.5 and "prog" not in told["protected"]
    lab.repo.write("src/prog.sh", "echo METRIC cost=9\n")
    assert lab.try_out().json["status"] == "keep"
    lab.repo.write("src/prog.sh", "broken\n")
    answer = lab.try_out(description="broken").json
    assert answer["status"] == "crash" and "the preparation failed" in answer["decision"]
    assert lab.state()["config"]["prepare"] == build
    assert lab.events("trial")[0]["seconds"] < 0.5 < lab.events("trial")[0]["took"]


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        ("grep -c one notes.txt", "grep -c exits 1"),
        ("cat src/value | grep 1", "may fail unseen"),
        ("echo 3; : pytest", "pytest exits 1"),
    ],
)
def test_traps_of_the_exit_code_are_named(lab: Lab, verify: str, said: str):
    answer = dry(lab, verify).json
    assert any(said in warning for warning in answer["warnings"]), answer["warnings"]
