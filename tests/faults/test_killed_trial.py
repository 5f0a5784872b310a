"""kill -9 of run_trial at every step: the next command works, and what was there is there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SCRIPTS
from tests.faults.killer import Killer
from tests.lab import Lab, refused, running_below, start_trial


@pytest.fixture
def killer(tmp_path: Path) -> Killer:
    """Return a git that kills."""
    return Killer(tmp_path / "faults")


def project(lab: Lab, *flags: object) -> None:
    """A run with one kept experiment, user's changes beside it, and files that come and go."""
    lab.repo.write("src/old", "old\n")
    lab.repo.write("staged.txt", "a\n")
    lab.repo.commit("files")
    lab.repo.write("staged.txt", "staged\n")
    lab.repo.git("add", "staged.txt")
    lab.repo.write("notes.txt", "mine\n")
    lab.init(*flags)
    lab.trial(9)


def edit(lab: Lab, value: object) -> None:
    """An edit that changes, adds and deletes."""
    lab.value(value)
    lab.repo.write("src/deep/new", f"{value}\n")
    (lab.path / "src/old").unlink(missing_ok=True)


def content(lab: Lab) -> tuple[str, bool, bool]:
    """The three facts that the edit changes."""
    return lab.repo.read("src/value"), (lab.path / "src/deep/new").exists(), (lab.path / "src/old").exists()


def mended(lab: Lab, value: object, status: str) -> Any:
    """Run the next command; afterwards the experiment is recorded exactly once and all else is as it was."""
    ran = lab.try_out(description="the next one")
    assert ran.code == 0, ran.err
    answer = ran.json
    rows = [row for row in lab.rows() if row.iteration > 1]
    lab.sound()
    decided = [row.status for row in rows if row.status != "no-op"]
    assert decided == [status], [row.status for row in rows]
    kept = status == "keep"
    assert content(lab) == ((f"{value}\n", True, False) if kept else ("9\n", False, True))
    assert lab.repo.status() == " M notes.txt\nM  staged.txt"
    assert (lab.repo.read("notes.txt"), lab.repo.read("staged.txt")) == ("mine\n", "staged\n")
    assert lab.repo.git("rev-parse", "HEAD") == lab.events("heads")[-1]["heads"][str(lab.path)]
    return answer


def calls(lab: Lab, killer: Killer, value: object) -> int:
    """How many times an uninterrupted trial calls git."""
    edit(lab, value)
    assert start_trial(lab, env=killer.env(0, "never")).wait() == 0
    return int(killer.count.read_text())


@pytest.mark.parametrize(("value", "policy"), [(8, "revert"), (12, "revert"), (12, "reset")])
def test_killed_after_each_call_of_git(lab: Lab, killer: Killer, value: int, policy: str):
    """Each step of a trial ends with a call of git, or with a check; EVERY_CALL=1 tries all, else every third."""
    if policy == "reset":
        lab.repo.git("switch", "--quiet", "-c", "autoresearch/x")
    project(lab, "--rollback-policy", policy)
    saved = lab.path.parent / "saved"
    subprocess.run(["cp", "-a", str(lab.path), str(saved)], check=True)
    total = calls(lab, killer, value)
    assert total > 8
    step = 1 if os.environ.get("EVERY_CALL") else 3
    for at in range(1 + value % step, total + 1, step):
        subprocess.run(["rm", "-rf", str(lab.path)], check=True)
        subprocess.run(["cp", "-a", str(saved), str(lab.path)], check=True)
        edit(lab, value)
        if not killer.struck(start_trial(lab, env=killer.env(at, "after")), at, total):
            continue
        mended(lab, value, "keep" if value == 8 else "discard")


def test_a_lock_of_a_killed_git_does_not_block(lab: Lab, killer: Killer):
    project(lab)
    total = calls(lab, killer, 12)
    lab.sound()
    edit(lab, 8)
    assert start_trial(lab, env=killer.env(total // 2, "locked")).wait() == -signal.SIGKILL
    assert (lab.path / ".git/index.lock").exists()
    assert lab.try_out().json["status"] == "keep"
    lab.sound()


def judged(lab: Lab, text: str, **flags: str) -> None:
    """A run whose check and guard do what files outside the repository say."""
    lab.repo.write("src/old", "old\n")
    lab.repo.write("staged.txt", "a\n")
    lab.repo.commit("files")
    lab.repo.write("staged.txt", "staged\n")
    lab.repo.git("add", "staged.txt")
    lab.repo.write("notes.txt", "mine\n")
    extra = [part for key, value in flags.items() for part in (f"--{key}", value)]
    lab.init(*extra, verify=f"{text}; cat src/value")
    lab.trial(9)


ARMED = "test -e ../armed && rm ../armed && {}"


def struck(lab: Lab) -> None:
    """Run a trial whose checks find its pid beside the repository, and kill it."""
    script = str(SCRIPTS / "autoresearch_run_trial.py")
    trial = f"{sys.executable} {script} --repo {lab.path} --description x"
    line = ["/bin/sh", "-c", f"echo $$ > pid; touch armed; exec {trial} 2> said"]
    child = subprocess.Popen(line, cwd=lab.path.parent, start_new_session=True, stdout=subprocess.DEVNULL)
    assert child.wait() == -signal.SIGKILL, (lab.path.parent / "said").read_text()


@pytest.mark.parametrize("whole_group", [False, True])
@pytest.mark.parametrize("where", ["verify", "guard", "confirm"])
def test_killed_inside_a_check(lab: Lab, where: str, whole_group: bool):
    """The check's processes outlive the trial, and are gone after the next one."""
    act = ARMED.format("{ sleep 63 & kill -9 " + ("-" if whole_group else "") + "$(cat ../pid); sleep 64; }")
    if where == "verify":
        judged(lab, act)
    else:
        judged(lab, ":", **{where: f"{act}; true"})
    edit(lab, 8)
    struck(lab)
    assert any("sleep 63" in text for text in running_below(lab.path))
    mended(lab, 8, "keep")


def test_an_interrupted_edit_is_told_and_not_measured_with_a_later_one(lab: Lab):
    lab.repo.write("src/other", "1\n")
    judged(lab, ARMED.format("{ kill -9 $(cat ../pid); sleep 5; }"))
    lab.value(8)
    struck(lab)
    said = "trial 2 was interrupted before it was measured"
    assert said in " ".join(lab.call("resume_check").json["reasons"])
    assert said in lab.call("resume_prompt").out
    lab.repo.write("src/other", "2\n")
    refusal = lab.try_out()
    assert refusal.code == 1 and "(src/value) lies beside a later one (src/other)" in refusal.err
    assert said not in lab.call("resume_prompt").out  # it is an edit again
    assert sorted(lab.repo.git("diff", "HEAD", "--name-only", "--", "src").split()) == ["src/other", "src/value"]
    lab.repo.git("restore", "src/other")
    assert lab.try_out().json["status"] == "keep"
    lab.sound()


def test_killed_at_any_instant(lab: Lab):
    """Bounded in number, free in time: wherever it strikes, nothing is lost and nothing is counted twice."""
    project(lab)
    chance = random.Random(7)
    done = 0
    for number in range(8):
        edit(lab, 20 + number)
        child = start_trial(lab)
        time.sleep(chance.uniform(0.05, 0.4))
        child.kill()
        child.wait()
        before = len(lab.rows())
        assert lab.try_out().code == 0
        lab.sound()
        assert len(lab.rows()) - before in (1, 2)
        done = len(lab.rows())
        assert content(lab) == ("9\n", False, True)
    statuses = [row.status for row in lab.rows()[2:]]
    assert statuses.count("discard") == 8
    assert len(statuses) == done - 2


def test_a_row_that_was_acknowledged_stays(lab: Lab):
    """A torn tail of any length after a kill costs nothing that was answered."""
    lab.init()
    lab.trial(9)
    path = lab.path / "research-results.tsv"
    whole = path.read_bytes()
    lab.trial(12)
    tail = path.read_bytes()[len(whole) :]
    for length in range(0, len(tail), 97):
        path.write_bytes(whole + tail[:length])
        (lab.path / "autoresearch-state.json").unlink()
        assert lab.recorded("refine", "--description", "x")["iteration"] == 2
        lab.sound()


def test_terminated_politely_it_leaves_the_edit_to_the_next(lab: Lab):
    judged(lab, ARMED.format("{ touch ../waiting; sleep 65; }"))
    edit(lab, 8)
    (lab.path.parent / "armed").touch()
    child = start_trial(lab)
    wait_for(lab.path.parent / "waiting")
    child.send_signal(signal.SIGTERM)
    assert child.wait() == 130
    assert running_below(lab.path) == []
    mended(lab, 8, "keep")


def wait_for(path: Path) -> None:
    """Wait until a file is there; the test's own time limit ends it."""
    while not path.exists():
        time.sleep(0.01)


def test_while_a_trial_runs_nobody_else_measures_or_records(lab: Lab):
    judged(lab, ARMED.format("{ touch ../waiting; while ! test -e ../go; do sleep 0.05; done; }"))
    edit(lab, 8)
    (lab.path.parent / "armed").touch()
    child = start_trial(lab)
    wait_for(lab.path.parent / "waiting")
    for ran in (lab.try_out(), lab.record("refine", "--description", "x"), lab.record("drift")):
        refused(ran, "another trial or measurement is running here", "wait for it")
    assert lab.call("supervisor_status").json["decision"] == "relaunch"
    (lab.path.parent / "go").touch()
    assert child.wait() == 0
    assert [row.status for row in lab.rows()] == ["baseline", "keep", "keep"]
    lab.sound()


def test_a_row_recorded_after_a_kill_comes_after_the_trial(lab: Lab):
    """The killed trial had been decided: its row is finished first."""
    judged(lab, ":", guard=ARMED.format("kill -9 $(cat ../pid)") + "; true")
    edit(lab, 8)
    struck(lab)
    assert lab.recorded("refine", "--description", "x")["iteration"] == 2
    lab.sound()
    assert content(lab) == ("8\n", True, False), "taken back to an uncommitted edit"
    assert lab.try_out().json["iteration"] == 3


def test_killed_while_the_retained_content_is_shown(lab: Lab):
    """A noisy metric swaps the tree to and fro; a kill in between must not lose the candidate."""
    check = ARMED.format("{ grep -q 10 src/value && kill -9 $(cat ../pid); touch ../armed; }")
    noisy = "python3 -c 'import time; print(float(open(\"src/value\").read()) + time.time_ns() % 997 / 1000)'"
    lab.init(verify=f"{check}; {noisy}")
    lab.value(2)
    struck(lab)
    assert lab.repo.read("src/value") == "10\n"
    answer = lab.try_out().json
    assert (answer["status"], lab.repo.read("src/value")) == ("keep", "2\n")
    lab.sound()
    assert lab.repo.status() == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"iteration": 2}', '{"iteration": 2, "places": 5, "events": []}'])
def test_a_damaged_note_is_dropped(lab: Lab, text: str):
    lab.init()
    lab.evidence("intent.json").write_text(text)
    assert lab.trial(9)["status"] == "keep"


def test_a_note_of_before_a_reboot_signals_nobody(lab: Lab):
    """Its processes are gone; only marks are looked for, never numbers, so a stranger with the same pid lives."""
    judged(lab, ARMED.format("kill -9 $(cat ../pid)"))
    edit(lab, 8)
    struck(lab)
    note = lab.evidence("intent.json")
    note.write_text(note.read_text().replace('"started": ', '"started": 1'))
    bystander = subprocess.Popen(["sleep", "66"])
    try:
        mended(lab, 8, "keep")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
