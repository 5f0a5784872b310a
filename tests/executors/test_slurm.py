"""A real Slurm of several nodes on this host (`slurm_here.py`); skipped, and saying so, where it cannot be started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import HANG, SCRIPTS, Ran, Repo
from tests.executors.slurm_here import Slurm, missing

Run = Callable[..., Ran]
pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no Slurm: {missing()}")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """Three nodes of one core."""
    with Slurm(tmp_path_factory.mktemp("slurm") / "s", 3) as running:
        yield running


@pytest.fixture
def project(repo: Repo, run_script: Run, slurm: Slurm, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A run whose check is a step on a node: it prints the number in `n` and notes the node in `$HOME/nodes`."""
    for name in ("PATH", "SLURM_CONF"):
        monkeypatch.setenv(name, slurm.environment[name])
    repo.write("n", "10\n")
    repo.commit("ten")
    return repo


CHECK = "echo $SLURM_JOB_ID $SLURMD_NODENAME >> $HOME/nodes; {}cat n"


def begin(run_script: Run, repo: Repo, first: str = "", *flags: str, executor: str = "slurm") -> Ran:
    """Set up a run on the cluster; `first` goes before the check."""
    return run_script(
        *("init_run", "--repo", repo.path, "--goal", "less", "--scope", "n", "--metric-name", "n", "--direction"),
        *("lower", "--verify", CHECK.format(first), "--executor", executor, "--parallel-mode", "parallel", *flags),
    )


def trial(repo: Repo) -> list[str]:
    """The command line of a trial."""
    return [
        sys.executable,
        str(SCRIPTS / "autoresearch_run_trial.py"),
        "--repo",
        str(repo.path),
        "--description",
        "nine",
    ]


def nodes(repo: Repo) -> list[list[str]]:
    """Node and job of each run of the check."""
    return [line.split() for line in (Path(os.environ["HOME"]) / "nodes").read_text().split("\n")[:-1]]


def wait_for(there: Callable[[], object]) -> None:
    """Wait until this is so."""
    until = time.monotonic() + HANG
    while not there():
        assert time.monotonic() < until
        time.sleep(0.05)


def rows(repo: Repo) -> list[str]:
    """The rows of the log."""
    return [line for line in repo.read("research-results.tsv").split("\n") if line[:1].isdigit()]


def holds(repo: Repo) -> bool:
    """Whether a run of the check waits for its sign on a node."""
    where = [path for path in Path("/proc").glob("[0-9]*/cwd") if _is(path, repo.path)]
    return any((path.parent / "comm").read_text() == "sleep\n" for path in where)


def _is(path: Path, folder: Path) -> bool:
    try:
        return os.readlink(path) == str(folder)
    except OSError:
        return False


def test_a_trial_is_one_job_and_it_is_gone(project: Repo, run_script: Run, slurm: Slurm) -> None:
    ran = begin(run_script, project)
    assert ran.code == 0, ran.err
    assert len({job for job, _ in nodes(project)}) == 1  # the baseline's runs are steps of one job
    project.write("n", "9\n")
    answer = run_script("run_trial", "--repo", project.path, "--description", "nine").json
    assert (answer["status"], answer["metric"]) == ("keep", 9)
    assert slurm.jobs() == []


def test_a_full_queue_is_waited_for_and_costs_no_time_of_the_check(
    project: Repo, run_script: Run, slurm: Slurm
) -> None:
    assert begin(run_script, project, "", "--verify-timeout", "3").code == 0
    project.write("n", "9\n")
    slurm.ask("salloc", "--no-shell", "--nodes=3", "--exclusive", "--job-name=full")
    with subprocess.Popen(trial(project), stdout=-1, stderr=-1) as child:
        wait_for(lambda: any("PENDING" in job for job in slurm.jobs()))
        time.sleep(4)
        assert child.poll() is None
        slurm.ask("scancel", "--name=full")
        assert child.wait(HANG) == 0
    assert project.read("research-results.tsv").rstrip("\n").split("\n")[-1].split("\t")[5] == "keep"


def test_a_job_over_its_limit_is_a_crash_that_says_so(project: Repo, run_script: Run, slurm: Slurm) -> None:
    assert begin(run_script, project, "test $(cat n) = 10 || sleep 600; ").code == 0
    project.write("n", "9\n")
    with subprocess.Popen(trial(project), stdout=-1, stderr=-1) as child:
        wait_for(lambda: any("RUNNING" in job for job in slurm.jobs()))
        job = slurm.jobs()[0].split()[0]
        slurm.ask("scontrol", "update", f"jobid={job}", "TimeLimit=0:01")
        assert child.wait(HANG) == 0
    last = project.read("research-results.tsv").rstrip("\n").split("\n")[-1]
    assert "crash" in last and "TIME LIMIT" in last
    assert slurm.jobs() == []


def test_a_node_that_dies_moves_the_check_to_another(project: Repo, run_script: Run, slurm: Slurm) -> None:
    assert begin(run_script, project, HELD).code == 0
    project.write("n", "9\n")
    known = len(nodes(project))
    with subprocess.Popen(trial(project), stdout=-1, stderr=-1) as child:
        wait_for(lambda: len(nodes(project)) > known)
        with dead(slurm, project) as node:
            code = child.wait(HANG)
    assert code == 0
    assert nodes(project)[-1][1] != node
    assert slurm.jobs() == []


@contextmanager
def dead(slurm: Slurm, repo: Repo) -> Iterator[str]:
    """The node of the newest check dies, and is back after the block; checks that begin by then end at once."""
    node = nodes(repo)[-1][1]
    (Path(os.environ["HOME"]) / "free").touch()
    slurm.end(node, kill=True)
    slurm.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    yield node
    slurm.start_node(node)
    slurm.ask("scontrol", "update", f"nodename={node}", "state=resume")


# Waits for a sign where the number is not the baseline's.
HELD = "test $(cat n) = 10 || test -e $HOME/free || sleep 60; "


def test_a_comparison_of_pairs_is_postponed_as_a_whole_where_its_node_dies(
    project: Repo, run_script: Run, slurm: Slurm
) -> None:
    ran = begin(run_script, project, f"{HELD}echo $(cat n).$(date +%N | cut -c4-6); exit; ")
    assert ran.code == 0, ran.err
    project.write("n", "5\n")
    with subprocess.Popen(trial(project), stdout=-1, stderr=-1, text=True) as child:
        wait_for(lambda: any("RUNNING" in job for job in slurm.jobs()) and holds(project))
        with dead(slurm, project):
            _, err = child.communicate(timeout=HANG)
    assert child.returncode != 0 and "postponed" in err, err
    assert [line.split("\t")[5] for line in rows(project)] == ["baseline"]
    assert project.read("n") == "5\n" and slurm.jobs() == []
    assert run_script("run_trial", "--repo", project.path, "--description", "five").json["status"] == "keep"
    assert slurm.jobs() == []


def test_a_worker_whose_node_dies_is_measured_again(project: Repo, run_script: Run, slurm: Slurm) -> None:
    assert begin(run_script, project, HELD).code == 0
    call = ("run_batch", "open", "--repo", project.path, "--workers", 2, "--oversubscribe")
    for worker, number in zip(run_script(*call).json["workers"], (8, 9)):
        (Path(worker["path"]) / "n").write_text(f"{number}\n")
    known = len(nodes(project))
    command = [sys.executable, str(SCRIPTS / "autoresearch_run_batch.py"), "close", "--repo", str(project.path)]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as child:
        wait_for(lambda: len(nodes(project)) == known + 2)
        with dead(slurm, project) as node:
            _, err = child.communicate(timeout=HANG)
    assert child.returncode == 0, err
    assert [line.split("\t")[0] for line in rows(project)] == ["0", "1a", "1b", "1"]
    assert [line.split("\t")[2] for line in rows(project)] == ["10", "8", "9", "8"]
    assert all(other != node for _, other in nodes(project)[known + 2 :])
    assert slurm.jobs() == [] and project.git("branch", "--list", "autoresearch/*") == ""


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_trial_leaves_no_job(project: Repo, run_script: Run, slurm: Slurm, sig: signal.Signals) -> None:
    assert begin(run_script, project, "test $(cat n) = 10 || test -e $HOME/free || sleep 600; ").code == 0
    project.write("n", "9\n")
    with subprocess.Popen(trial(project), stdout=-1, stderr=-1, start_new_session=True) as child:
        wait_for(lambda: any("RUNNING" in job for job in slurm.jobs()))
        os.kill(child.pid, sig)
        child.wait(HANG)
    (Path(os.environ["HOME"]) / "free").touch()
    ran = run_script("run_trial", "--repo", project.path, "--description", "nine")  # mends what the kill left
    assert ran.code == 0, ran.err
    assert slurm.jobs() == []


def test_a_controller_that_was_killed_comes_back(project: Repo, run_script: Run, slurm: Slurm) -> None:
    assert begin(run_script, project, "sleep 3; ").code == 0
    project.write("n", "9\n")
    with subprocess.Popen(trial(project), stdout=-1, stderr=-1) as child:
        wait_for(lambda: any("RUNNING" in job for job in slurm.jobs()))
        slurm.end("slurmctld", kill=True)
        slurm.start_controller()
        out, err = child.communicate(timeout=HANG)
        assert child.returncode == 0, (out, err)
    assert project.read("research-results.tsv").rstrip("\n").split("\n")[-1].split("\t")[5] == "keep"


def test_pairs_share_one_job_on_one_node(project: Repo, run_script: Run) -> None:
    noisy = "echo $(cat n).$(date +%N | cut -c4-6)"
    ran = begin(run_script, project, f"{noisy}; exit; ")
    assert ran.code == 0, ran.err
    known = len(nodes(project))
    project.write("n", "5\n")
    assert run_script("run_trial", "--repo", project.path, "--description", "five").json["status"] == "keep"
    mine = nodes(project)[known:]
    assert len(mine) >= 6 and len({tuple(one) for one in mine}) == 1


# Runs at one time have one folder: each notes its task and its node, and when it began and ended.
TASKS = "begun=$(date +%s%N); sleep 1; echo $begun $(date +%s%N) $SLURM_ARRAY_TASK_ID $SLURMD_NODENAME >> $HOME/tasks; "


def tasks() -> list[list[str]]:
    """Begin, end, task and node of each run; of a run that is no task the task lacks."""
    return [line.split() for line in (Path(os.environ["HOME"]) / "tasks").read_text().split("\n")[:-1]]


def test_repeats_are_the_tasks_of_an_array_on_several_nodes(project: Repo, run_script: Run, slurm: Slurm) -> None:
    ran = begin(run_script, project, TASKS, "--calibrate", "3", executor="slurm --array")
    assert ran.code == 0, ran.err
    found = tasks()
    assert sorted(task for _, _, task, _ in found) == ["0", "1", "2"] and len({one[3] for one in found}) >= 2
    assert max(int(one[0]) for one in found) < min(int(one[1]) for one in found)  # all at one time
    assert slurm.jobs() == []
    project.write("n", "9\n")
    assert run_script("run_trial", "--repo", project.path, "--description", "nine").json["status"] == "keep"
    assert len(tasks()) == 4 and len(tasks()[-1]) == 3  # one run decides, in a job of its own
    drifted = run_script("record_iteration", "--repo", project.path, "--status", "drift", "--description", "again")
    assert drifted.code == 0 and [one[2] for one in tasks()[4:] if len(one) == 4], (drifted, tasks())
    assert slurm.jobs() == []


def test_so_many_tasks_at_one_time_as_the_flag_says(project: Repo, run_script: Run, slurm: Slurm) -> None:
    assert begin(run_script, project, TASKS, executor="slurm --array=%1").code == 0
    found = sorted(tasks())
    assert len(found) == 3 and all(one[1] < other[0] for one, other in zip(found, found[1:]))
    wrong = begin(run_script, project, TASKS, "--force", executor="slurm --array=0-3")
    assert wrong.code == 1 and "expected --array or --array=%N" in wrong.err and slurm.jobs() == []


def test_repeats_that_differ_are_made_anew_in_one_job(project: Repo, run_script: Run, slurm: Slurm) -> None:
    ran = begin(run_script, project, f"{TASKS}echo $(cat n).$(date +%N | cut -c4-6); exit; ", executor="slurm --array")
    assert ran.code == 0 and ran.json["noise"]["kind"] == "noisy", ran
    assert [len(one) for one in tasks()[:3]] == [4] * 3 and all(len(one) == 3 for one in tasks()[3:])
    assert len({one[2] for one in tasks()[3:]}) == 1 and len(tasks()) >= 6
    assert slurm.jobs() == []


def test_checks_that_are_prepared_are_no_array(project: Repo, run_script: Run) -> None:
    ran = begin(run_script, project, TASKS, "--prepare", "true", executor="slurm --array")
    assert ran.code == 0, ran.err
    assert all(len(one) == 3 for one in tasks())


def test_a_task_whose_node_dies_is_submitted_again(project: Repo, run_script: Run, slurm: Slurm) -> None:
    def setting_up() -> subprocess.Popen[str]:
        command = [sys.executable, str(SCRIPTS / "autoresearch_init_run.py"), "--repo", str(project.path)]
        wish = ("--goal", "less", "--scope", "n", "--metric-name", "n", "--direction", "lower", "--executor")
        check = CHECK.format("until test -e $HOME/free; do sleep 0.2; done; ")
        return subprocess.Popen([*command, *wish, "slurm --array", "--verify", check], stdout=-1, stderr=-1, text=True)

    with setting_up() as child:
        wait_for(lambda: (Path(os.environ["HOME"]) / "nodes").exists() and len(nodes(project)) == 3)
        before = len(nodes(project))
        with dead(slurm, project):
            _, err = child.communicate(timeout=HANG)
    assert child.returncode == 0, err
    assert len(nodes(project)) > before and slurm.jobs() == []


def test_a_task_over_the_checks_limit_or_the_jobs_is_told(project: Repo, run_script: Run, slurm: Slurm) -> None:
    late = begin(run_script, project, "sleep 60; ", "--verify-timeout", "2", executor="slurm --array")
    assert late.code == 1 and "took longer than 2 s" in late.err, late
    bad = begin(run_script, project, "echo no such thing >&2; exit 3; ", executor="slurm --array")
    assert bad.code == 1 and "exit code 3: no such thing" in bad.err
    assert slurm.jobs() == []


@pytest.mark.parametrize("executor", ["slurm --array", "slurm"])
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_baseline_leaves_no_job(project: Repo, slurm: Slurm, sig: signal.Signals, executor: str) -> None:
    command = [sys.executable, str(SCRIPTS / "autoresearch_init_run.py"), "--repo", str(project.path), "--goal", "x"]
    wish = ("--scope", "n", "--metric-name", "n", "--executor", executor, "--verify", "sleep 600; cat n")
    with subprocess.Popen([*command, *wish], stdout=-1, stderr=-1, start_new_session=True) as child:
        wait_for(lambda: any("RUNNING" in job for job in slurm.jobs()))
        os.kill(child.pid, sig)
        child.communicate(timeout=HANG)
    wait_for(lambda: slurm.jobs() == [])  # also after a kill, and without another command


def test_an_array_waits_in_a_full_queue(project: Repo, run_script: Run, slurm: Slurm) -> None:
    slurm.ask("salloc", "--no-shell", "--nodes=3", "--exclusive", "--job-name=full")
    command = [sys.executable, str(SCRIPTS / "autoresearch_init_run.py"), "--repo", str(project.path), "--goal", "x"]
    wish = ("--scope", "n", "--metric-name", "n", "--executor", "slurm --array", "--verify", "cat n")
    with subprocess.Popen([*command, *wish, "--verify-timeout", "3"], stdout=-1, stderr=-1, text=True) as child:
        wait_for(lambda: any("PENDING" in job for job in slurm.jobs()))
        time.sleep(4)
        assert child.poll() is None
        slurm.ask("scancel", "--name=full")
        _, err = child.communicate(timeout=HANG)
        assert child.returncode == 0, err
    assert slurm.jobs() == []


def test_noisy_workers_overlap_on_nodes_of_their_own_alone(project: Repo, run_script: Run, slurm: Slurm) -> None:
    noisy = f"{TASKS.replace('sleep 1', 'sleep 0.2')}echo $(cat n).$(date +%N | cut -c1); exit; "
    flags = ("--min-delta", "1", "--salvage-runs", "0")
    assert begin(run_script, project, noisy, *flags, executor="slurm --exclusive").code == 0
    opened = run_script("run_batch", "open", "--repo", project.path, "--workers", 2, "--oversubscribe").json
    for worker, number in zip(opened["workers"], (5, 4)):
        (Path(worker["path"]) / "n").write_text(f"{number}\n")
    known = len(tasks())
    assert run_script("run_batch", "close", "--repo", project.path).json["selected_worker"] == "b"
    runs = [(int(begun), int(ended), node) for begun, ended, node in tasks()[known:]]
    both = [(a[2], b[2]) for n, a in enumerate(runs) for b in runs[n + 1 :] if a[0] < b[1] and b[0] < a[1]]
    assert both and all(a != b for a, b in both), both
    assert slurm.jobs() == []


@pytest.mark.parametrize("executor", ["slurm --gres=gpu:{}", "slurm --array --time=5 --gres=gpu:{}"])
def test_devices_are_asked_for_by_the_flags(project: Repo, run_script: Run, slurm: Slurm, executor: str) -> None:
    seen = Path(os.environ["HOME"]) / "seen"
    for number, wanted in ((1, "0"), (2, "0,1")):
        check = f"echo $CUDA_VISIBLE_DEVICES >> {seen}; "
        ran = begin(run_script, project, check, "--force", executor=executor.format(number))
        assert ran.code == 0 and set(seen.read_text().split()) <= ({"0", "1"} if number == 1 else {wanted}), ran
        seen.unlink()
    none = begin(run_script, project, "", "--force", executor=executor.format(3))
    assert none.code == 1 and "expected one; correct --executor" in none.err
    assert slurm.jobs() == []
