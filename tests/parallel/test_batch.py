"""A batch from open to close: measured in the workers' worktrees, confirmed in the main tree, recorded at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.disk.layout import standard
from autoresearch.kernel.run import context
from autoresearch.parallel import batch
from autoresearch.parallel.slices import Device
from autoresearch.search import retry

from tests.conftest import SCRIPTS, Ran, Repo

Run = Callable[..., Ran]
# The machine that runs the tests may be too small for a batch.
BIG = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from autoresearch.cli import main
from autoresearch.machine import accelerators, limits
limits.cpu_count, limits.memory_mb, limits.free_mb = lambda *_: 8, lambda *_: (16000, 16000), lambda root: 90000
accelerators.accelerators = lambda *_: []
sys.exit(main("parallel.run_batch"))
"""


@pytest.fixture
def project(repo: Repo, run_script: Run) -> Repo:
    """A parallel run: the number in `n` is to fall from 10; `ok` is the guard."""
    for name, text in {"n": "10\n", "ok": "yes\n", "note": "\n"}.items():
        repo.write(name, text)
    repo.commit("ten")
    start(run_script, repo)
    return repo


def start(run_script: Run, repo: Repo, *flags: str) -> None:
    ran = run_script(
        "init_run",
        *("--repo", repo.path, "--goal", "less", "--run-tag", "t", "--scope", "n ok note", "--metric-name", "n"),
        *("--direction", "lower", "--verify", "cat n", "--guard", "grep -q yes ok"),
        *("--parallel-mode", "parallel", *flags),
    )
    assert ran.code == 0, ran.err


def command(repo: Repo, name: str, *flags: str) -> list[str]:
    return [sys.executable, "-c", BIG, str(SCRIPTS), name, "--repo", str(repo.path), *flags]


def call(repo: Repo, name: str, *flags: str) -> Ran:
    done = subprocess.run(command(repo, name, *flags), capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def opened(repo: Repo) -> list[Repo]:
    """Open a batch of three and return the workers' folders."""
    return [Repo(Path(worker["path"])) for worker in call(repo, "open", "--workers", "3").json["workers"]]


def edit(worker: Repo, subject: str, **files: str) -> None:
    for name, text in files.items():
        worker.write(name, text + "\n")
    worker.commit(subject)


def rows(repo: Repo) -> list[list[str]]:
    return [line.split("\t") for line in repo.read("research-results.tsv").split("\n") if line[:1].isdigit()]


def assert_gone(repo: Repo) -> None:
    """Nothing of a batch is left: folders, branches, notes."""
    assert repo.git("worktree", "list").count("\n") == 0
    assert repo.git("branch", "--list", "autoresearch/*") == ""
    assert [path.name for path in repo.path.parent.iterdir() if "autoresearch" in path.name] == []
    assert not {"batch", "batch.json", "intent.json"} & {
        p.name for p in (repo.path / "autoresearch-evidence").iterdir()
    }
    assert repo.status() == ""


def test_the_best_worker_is_kept_and_all_are_recorded(project: Repo) -> None:
    a, b, c = opened(project)
    edit(a, "experiment: a little", n="9")
    edit(b, "[labels: bold] a lot", n="7")
    edit(c, "too much", n="1", ok="no")
    answer = call(project, "close").json
    assert (answer["selected_worker"], answer["status"], answer["retained_metric"]) == ("b", "keep", 7)
    assert answer["next"]["action"] == "continue"
    assert [(row[0], *row[2:]) for row in rows(project)[1:]] == [
        ("1a", "9", "-1", "pass", "discard", "[PARALLEL worker-a] a little"),
        ("1b", "7", "-3", "pass", "keep", "[labels: bold] [PARALLEL worker-b] a lot"),
        ("1c", "1", "-9", "fail", "discard", "[PARALLEL worker-c] too much"),
        ("1", "7", "-3", "pass", "keep", "[labels: bold] [PARALLEL batch] selected worker-b: a lot"),
    ]
    assert project.read("n") == "7\n"
    assert project.git("log", "-1", "--format=%s") == "experiment: [PARALLEL batch] selected worker-b: a lot"
    state = json.loads(project.read("autoresearch-state.json"))["state"]
    assert (state["iteration"], state["keeps"], state["discards"]) == (1, 1, 0)
    kept = project.path / "autoresearch-evidence" / "0001"
    assert (kept / "a" / "verify-1.out").read_text() == "9\n" and (kept / "trial.json").exists()
    assert "+1" in (kept / "c" / "patch.diff").read_text()
    assert_gone(project)


def test_without_a_winner_it_is_one_discard(project: Repo) -> None:
    a, b, _ = opened(project)
    edit(a, "worse", n="11")
    b.write("n", "none\n")  # left uncommitted
    answer = call(project, "close").json
    assert (answer["selected_worker"], answer["status"], answer["retained_metric"]) == (None, "discard", 10)
    assert [(row[0], row[5]) for row in rows(project)[1:]] == [
        ("1a", "discard"),
        ("1b", "crash"),
        ("1c", "no-op"),
        ("1", "discard"),
    ]
    assert project.read("n") == "10\n"
    assert_gone(project)


def test_the_held_out_check_sees_the_winner_alone(project: Repo, run_script: Run, tmp_path: Path) -> None:
    start(run_script, project, "--force", "--confirm", f"cat n >> {tmp_path / 'seen'}; false")
    a, b, _ = opened(project)
    edit(a, "nine", n="9")
    edit(b, "eight", n="8")
    answer = call(project, "close").json
    assert (answer["selected_worker"], answer["status"], answer["retained_metric"]) == ("b", "discard", 10)
    assert (tmp_path / "seen").read_text().split()[-1:] == ["8"]
    assert "9" not in (tmp_path / "seen").read_text()
    assert project.read("n") == "10\n"
    assert_gone(project)


def test_equal_workers_are_told_apart_by_size_then_letter(project: Repo) -> None:
    a, b, c = opened(project)
    edit(a, "long", n="9", note="a long line that nobody needs")
    edit(b, "short", n="9")
    edit(c, "as short", n="9")
    assert call(project, "close").json["selected_worker"] == "b"


@pytest.mark.parametrize(
    ("files", "reason"),
    [({"other": "x"}, "worker b changed other outside the scope"), ({"README.md": "x"}, "README.md outside the scope")],
)
def test_work_out_of_scope_is_refused_and_can_be_mended(project: Repo, files: dict[str, str], reason: str) -> None:
    a, b, _ = opened(project)
    edit(a, "nine", n="9")
    edit(b, "elsewhere", **files)
    ran = call(project, "close")
    assert ran.code == 1 and reason in ran.err
    assert len(rows(project)) == 1
    b.git("reset", "--quiet", "--hard", "HEAD~1")
    assert call(project, "close").json["selected_worker"] == "a"


def test_abort_leaves_everything_as_it_was(project: Repo) -> None:
    head = project.git("rev-parse", "HEAD")
    a, _, _ = opened(project)
    edit(a, "nine", n="9")
    assert call(project, "abort").json["aborted"] == ["a", "b", "c"]
    assert project.git("rev-parse", "HEAD") == head and len(rows(project)) == 1
    assert_gone(project)
    assert "no batch is open" in call(project, "abort").err
    assert "no batch is open" in call(project, "close").err


@pytest.mark.parametrize(
    "act",
    [
        "rm .git",
        "rm .git; mkdir .git",
        "rm .git; git init -q",
        "echo gitdir: /missing > .git",
        "rm -r $PWD; echo x > $PWD",
        "rm -r $PWD; ln -s /tmp $PWD",
        "rm -r $(git rev-parse --git-dir)",
    ],
)
def test_a_batch_with_a_folder_that_is_no_worktree_any_more_is_aborted(project: Repo, act: str) -> None:
    worker = opened(project)[0]
    subprocess.run(["sh", "-c", act], cwd=worker.path, check=True)
    refused = call(project, "close")
    assert (refused.code, "run_batch.py abort" in refused.err) == (1, True)
    assert call(project, "abort").code == 0
    assert_gone(project)


def test_an_open_batch_bars_what_would_disturb_it(project: Repo, run_script: Run) -> None:
    opened(project)
    assert "a batch is open" in call(project, "open", "--workers", "2").err
    assert "a batch is open" in run_script("run_trial", "--repo", project.path, "--description", "x").err
    forced = run_script("init_run", "--repo", project.path, "--direction", "lower", "--verify", "cat n", "--force")
    assert "a batch of the earlier run is open" in forced.err
    project.write("n", "3\n")
    assert "main checkout was edited" in call(project, "close").err


def test_a_dirty_tree_and_a_serial_run_open_no_batch(project: Repo, run_script: Run) -> None:
    project.write("n", "3\n")
    assert "uncommitted changes in n" in call(project, "open", "--workers", "2").err
    project.git("checkout", "--quiet", "n")
    start(run_script, project, "--force", "--parallel-mode", "serial")
    assert "this run is serial" in call(project, "open", "--workers", "2").err
    assert_gone(project)


def test_a_checkout_that_lacks_what_the_checks_need_is_refused(project: Repo, run_script: Run) -> None:
    project.write(".gitignore", "data\n")
    project.write("data", "10\n")
    project.commit("ignore")
    start(run_script, project, "--force", "--verify", "cat n data | sort -n | head -1", "--protect", "data")
    assert "lacks or changes data" in call(project, "open", "--workers", "2").err
    assert_gone(project)
    assert call(project, "open", "--workers", "2", "--link", "data").code == 0
    assert call(project, "abort").code == 0


@pytest.mark.parametrize(
    ("verify", "links", "cause", "remedy"),
    [
        ("cat {main}/n", (), "It names {main} itself", "correct the check"),
        ("sh env.sh", (), "env.sh names {main} itself", "correct it"),
        ("cat linked/n", ("linked",), "linked is a link that leads to the main checkout", "--setup"),
        ("cat node_modules/lib/n", ("node_modules",), "node_modules", "--setup"),
        ("cat $(cat .venv/lib/python3.9/site-packages/x.pth)/n", (".venv",), "editable install", "PYTHONPATH"),
    ],
)
def test_a_worker_that_the_check_does_not_see_is_refused(
    project: Repo, run_script: Run, verify: str, links: tuple[str, ...], cause: str, remedy: str
) -> None:
    main = project.path
    project.write(".gitignore", ".venv\nnode_modules\nlinked\n")
    project.write("env.sh", f"cat {main}/n\n")
    project.commit("ways back")
    site = main / ".venv/lib/python3.9/site-packages"
    site.mkdir(parents=True)
    (main / ".venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    (site / "x.pth").write_text(f"{main}\n")
    if "linked" in links:
        (main / "linked").symlink_to(main)
    if "node_modules" in links:
        (main / "node_modules").mkdir()
        (main / "node_modules/lib").symlink_to(main)
    start(run_script, project, "--force", "--verify", verify.format(main=main))
    ran = call(project, "open", "--workers", "2", *(flag for link in links for flag in ("--link", link)))
    assert ran.code == 1 and len(ran.err.strip().splitlines()) == 1, ran
    assert "the check does not see this tree" in ran.err
    assert cause.format(main=main) in ran.err and remedy in ran.err, ran.err
    assert_gone(project)


@pytest.mark.parametrize("moment", ["worker", "main"])
def test_a_killed_close_is_repeated(project: Repo, run_script: Run, moment: str, tmp_path: Path) -> None:
    place = "*-autoresearch-*" if moment == "worker" else "*/repo"
    # Not named in the command, for what it names is part of the locked evaluator.
    hang = f"case $PWD in {place}) test -e $HOME/free || {{ touch $HOME/hangs; sleep 60; }};; esac; cat n"
    free, hangs = tmp_path / "home" / "free", tmp_path / "home" / "hangs"
    free.touch()
    start(run_script, project, "--force", "--verify", hang)
    a, _, _ = opened(project)
    edit(a, "nine", n="9")
    free.unlink()
    with subprocess.Popen(command(project, "close"), stdout=-1, stderr=-1, start_new_session=True) as child:
        while not hangs.exists():
            assert child.poll() is None
        os.killpg(child.pid, signal.SIGKILL)
    free.touch()
    answer = call(project, "close").json
    assert (answer["selected_worker"], answer["status"]) == ("a", "keep")
    assert [row[0] for row in rows(project)] == ["0", "1a", "1b", "1c", "1"]
    assert_gone(project)


def drift(repo: Repo, run_script: Run, name: str, text: str) -> None:
    """Somebody commits in the main checkout while the batch is open, and says so."""
    repo.write(name, text)
    repo.commit("by hand")
    said = ("--status", "drift", "--description", "by hand")
    assert run_script("record_iteration", "--repo", repo.path, *said).code == 0


def test_a_winner_that_a_killed_close_had_put_over_a_drift_is_taken_back(project: Repo, run_script: Run) -> None:
    a, _, _ = opened(project)
    edit(a, "nine", n="9")
    drift(project, run_script, "README.md", "by hand\n")
    note = project.path / "autoresearch-evidence" / "batch.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "applied": a.git("rev-parse", "HEAD")}))
    project.write("n", "9\n")
    assert call(project, "close").json["selected_worker"] == "a"
    assert [row[0] for row in rows(project)] == ["0", "1", "2a", "2b", "2c", "2"]
    assert (project.read("README.md"), project.read("n")) == ("by hand\n", "9\n")
    assert_gone(project)


def test_a_worker_that_a_drift_overtook_is_told_before_anything_is_measured(project: Repo, run_script: Run) -> None:
    a, b, _ = opened(project)
    edit(a, "five", n="5")
    edit(b, "a word", note="word")
    drift(project, run_script, "n", "8\n")
    ran = call(project, "close")
    assert ran.code == 1 and "worker a changed n, which a commit in the main checkout changed too" in ran.err
    assert not list((project.path / "autoresearch-evidence" / "batch").glob("*/verdict.json"))
    a.git("reset", "--quiet", "--hard", "HEAD~1")
    assert call(project, "close").json["retained_metric"] == 8
    assert_gone(project)


def test_an_edit_of_the_main_checkout_bars_the_close_and_stays(project: Repo) -> None:
    a, _, _ = opened(project)
    edit(a, "nine", n="9")
    project.write("note", "mine\n")
    ran = call(project, "close")
    assert ran.code == 1 and "note of the main checkout was edited" in ran.err
    assert project.read("note") == "mine\n"
    project.git("checkout", "--quiet", "note")
    assert call(project, "close").json["selected_worker"] == "a"


MACHINE = batch.Machine(8, 16000, 90000)


def test_an_edit_in_the_main_tree_is_not_measured_with_a_workers_proposal(project: Repo) -> None:
    batch.open_batch(standard(project.path), batch.BatchRequest(2, MACHINE, crew=True))
    note = json.loads(project.read("autoresearch-evidence/batch.json"))
    Repo(Path(note["places"][0]["path"])).write("note", "a word\n")
    assert call(project, "propose", "--worker", "a", "--description", "a word").code == 0
    project.write("n", "5\n")  # by hand, or by a worker that left its folder
    answer = call(project, "settle", "--worker", "a").json
    assert (answer["status"], answer["metric"], answer["retained_metric"]) == ("discard", 10, 10)
    assert "took back edits that were never tried (n)" in answer["recovered"]
    assert project.read("n") == "10\n" and "+5" in project.read("autoresearch-evidence/0001/undone.diff")


@pytest.mark.parametrize(
    ("asked", "machine", "number"),
    [
        (2, MACHINE, 2),
        (9, MACHINE, 3),
        (3, batch.Machine(4, 8000, 5000), 2),
        (3, batch.Machine(4, 8000, 5000, (Device("nvidia", "0"),) * 8), 3),
    ],
)
def test_workers_are_granted_by_what_is_there(asked: int, machine: batch.Machine, number: int) -> None:
    assert batch.granted(batch.BatchRequest(asked, machine)) == (number, "")


@pytest.mark.parametrize(
    "machine", [batch.Machine(2, 16000, 90000), batch.Machine(8, 4000, 90000), batch.Machine(8, 16000, 900)]
)
def test_a_small_machine_is_refused(machine: batch.Machine) -> None:
    with pytest.raises(Refusal, match="go on with single trials"):
        batch.granted(batch.BatchRequest(3, machine))
    number, warning = batch.granted(batch.BatchRequest(5, machine, oversubscribe=True))
    assert number == 5 and warning.startswith("5 workers as asked")


def test_what_fits_is_asked_for_by_name_without_a_warning() -> None:
    assert batch.granted(batch.BatchRequest(3, MACHINE, oversubscribe=True)) == (3, "")


SUM = "cat n note | awk '{s += $1} END {print s}'"


def test_a_loser_that_gained_elsewhere_is_tried_on_top(project: Repo, run_script: Run) -> None:
    project.write("note", "5\n")
    project.commit("five")
    start(run_script, project, "--force", "--verify", SUM)
    a, b, c = opened(project)
    edit(a, "a lot", n="3")
    edit(b, "elsewhere", note="4")
    edit(c, "in the same place", n="8")
    answer = call(project, "close").json
    assert answer["selected_worker"] == "a"
    assert [(one["iteration"], one["status"], one["metric"]) for one in answer["runners_up"]] == [(2, "keep", 7)]
    assert [(row[0], row[5]) for row in rows(project)[1:]] == [
        ("1a", "keep"),
        ("1b", "discard"),
        ("1c", "discard"),
        ("1", "keep"),
        ("2", "keep"),
    ]
    assert (project.read("n"), project.read("note")) == ("3\n", "4\n")
    assert "[PARALLEL runner-up] elsewhere" in rows(project)[-1][6]
    assert_gone(project)


def test_worktrees_serve_the_next_batch(project: Repo) -> None:
    a, b, _ = opened(project)
    edit(a, "nine", n="9")
    b.write("left", "untracked\n")
    b.git("add", "left")
    b.git("reset", "-q")
    (b.path / "left").unlink()
    answer = call(project, "close", "--reopen").json
    assert [worker["path"] for worker in answer["opened"]["workers"]][:2] == [str(a.path), str(b.path)]
    assert b.read("n") == "9\n" and b.status() == ""
    edit(b, "eight", n="8")
    answer = call(project, "close").json
    assert (answer["iteration"], answer["selected_worker"], answer["retained_metric"]) == (2, "b", 8)
    assert_gone(project)


def test_workers_are_measured_side_by_side_and_early_ones_once(project: Repo, run_script: Run, tmp_path: Path) -> None:
    # The run of each worker waits until the others are there too: one after another they would never end.
    together = "n=$(cat n); case $n in 8|9) ;; *) echo $n; exit;; esac; " + (
        "touch $HOME/at-$n; until test -e $HOME/at-9 && test -e $HOME/at-8; do sleep 0.05; done; "
        "echo run >> $HOME/runs; echo $n"
    )
    start(run_script, project, "--force", "--verify", together, "--verify-timeout", "600")
    a, b, _ = opened(project)
    edit(a, "nine", n="9")
    edit(b, "eight", n="8")
    assert call(project, "close").json["selected_worker"] == "b"
    assert (tmp_path / "home" / "runs").read_text().count("run") == 3  # two workers, and the winner on the merged tree


def test_a_worker_measured_early_is_not_measured_again(project: Repo, run_script: Run, tmp_path: Path) -> None:
    start(run_script, project, "--force", "--verify", "echo run >> $HOME/runs; cat n")
    a, _, _ = opened(project)
    edit(a, "eleven", n="11")
    before = (tmp_path / "home" / "runs").read_text().count("run")
    for _ in range(2):
        assert call(project, "measure", "--worker", "a").json["status"] == "discard"
    assert call(project, "close").json["status"] == "discard"
    assert (tmp_path / "home" / "runs").read_text().count("run") == before + 1
    assert "expected one of a" in call_again(project).err


def call_again(project: Repo) -> Ran:
    """Measure a worker that is none."""
    opened(project)
    return call(project, "measure", "--worker", "z")


def test_a_loser_that_the_guard_refused_is_tried_again_on_the_winners_state(repo: Repo, run_script: Run) -> None:
    for name in ("n", "ok"):
        repo.write(name, "10\n")
    repo.commit("two numbers")
    flags = ["--goal", "less", "--scope", "n ok", "--metric-name", "n", "--direction", "lower", "--retries", "3"]
    checks = ["--verify", "cat n ok | grep -v u | paste -sd+ - | bc", "--guard", "! grep -q u ok || grep -q u n"]
    assert run_script("init_run", "--repo", repo.path, *flags, *checks, "--parallel-mode", "parallel").code == 0
    a, b, _ = opened(repo)
    edit(a, "needs the other", ok="9\nu")
    edit(b, "a lot", n="7\nu")
    assert call(repo, "close").json["retained_metric"] == 17
    assert [choice.iterations for choice in retry.choices(context.load(standard(repo.path)))] == [("1a",)]
    answer = run_script("run_trial", "--repo", repo.path, "--retry", "1a").json
    assert (answer["status"], answer["retained_metric"]) == ("keep", 16)
    assert rows(repo)[-1][-1] == "[RETRY 1a] [PARALLEL worker-a] needs the other"
    assert context.load(standard(repo.path)).state.own == 1
