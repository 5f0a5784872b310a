"""Several sessions at once under one controller: proposals measured one by one, one log, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal

import pytest
from autoresearch.kernel.system import process
from autoresearch.machine import limits

from tests.background.conftest import Scripted
from tests.conftest import SCRIPTS
from tests.unattended import kill, until

WORKERS = ("--parallel-mode", "parallel", "--workers", 3, "--oversubscribe", "--rollback-policy", "revert")
PROPOSE = f"python3 {SCRIPTS}/autoresearch_run_batch.py propose --repo ."


def propose(edit: str) -> str:
    """A worker's edit and its proposal; its folder's name ends with its letter."""
    return f'letter=$(pwd | tail -c 2); {edit}; {PROPOSE} --worker "$letter" --description "step $letter"'


# Each worker has a file of its own, so that no proposals conflict; the number is the sum.
OWN = propose("echo $(($(cat part-$letter) - 1)) > part-$letter")


@pytest.fixture
def parts(background: Scripted) -> Scripted:
    """A run on the sum of three files."""
    for letter in "abc":
        background.repo.write(f"part-{letter}", "9\n")
    background.repo.commit("parts")
    return background


def launch(background: Scripted, *args: object, check: str = "") -> None:
    verify = check + "echo $(($(cat part-a) + $(cat part-b) + $(cat part-c)))"
    ran = background.launch(*WORKERS, "--scope", "part-*", *args, verify=verify)
    assert ran.code == 0, ran.err


def assert_gone(background: Scripted) -> None:
    """Nothing of the workers is left."""
    assert [p.name for p in background.repo.path.parent.iterdir() if "-autoresearch-" in p.name] == []
    assert background.repo.git("worktree", "list").count("\n") == 0
    assert background.repo.git("branch", "--list", "autoresearch/*") == ""
    assert not (background.repo.path / "autoresearch-evidence" / "batch.json").exists()
    assert background.repo.status() == ""


def total(background: Scripted) -> int:
    return sum(int(background.repo.read(f"part-{letter}")) for letter in "abc")


def test_workers_propose_side_by_side_and_each_proposal_is_a_row(parts: Scripted):
    parts.plan([OWN])
    launch(parts, "--iterations", 7)
    answer = parts.ended()
    assert (answer["status"], answer["iteration"], answer["retained_metric"]) == ("terminal", 7, 20), parts.log()
    assert [row[0] for row in parts.rows()] == [str(number) for number in range(8)]
    assert {row[6].partition("]")[0][-1] for row in parts.rows()[1:]} == {"a", "b", "c"}
    assert total(parts) == 20
    assert_gone(parts)
    assert answer["spent"]["sessions"] >= 7 and answer["spent"]["tokens"] >= 7 * 110


def test_their_briefs_differ_and_the_answer_opens_the_next_turn(parts: Scripted):
    parts.plan([{"context": 10}, OWN])
    launch(parts, "--iterations", 6)
    parts.ended()
    firsts = [text for text in parts.prompts() if "Your direction:" in text][:3]
    assert len({text.partition("Your direction:")[2].partition("\n")[0] for text in firsts}) == 3
    assert all("in place of run_trial" in text for text in firsts)
    resumed = [text for text in parts.prompts() if text.startswith("The trial that you left waiting was run")]
    assert resumed and all('"how": "in your own folder' in text for text in resumed)


def test_what_is_measured_beside_a_busy_main_tree_is_recorded_by_the_same_rule(parts: Scripted):
    parts.plan([propose("echo $(($(cat part-$letter) + 1)) > part-$letter; date +%N > part-$letter-note")])
    launch(parts, "--iterations", 9, "--salvage-runs", 0, check="pwd >> ../where; sleep 1; ")
    answer = parts.ended()
    assert [row[5] for row in parts.rows()] == ["baseline"] + ["discard"] * 9, parts.log()
    assert (answer["retained_metric"], total(parts)) == (27, 27)
    assert all(row[3] == "+1" for row in parts.rows()[1:])
    where = (parts.repo.path.parent / "where").read_text().split()
    aside = [path for path in where if "-autoresearch-" in path]
    main = len(where) - len(aside) - 3  # of the baseline
    assert aside and main < 9, where  # what was measured aside was not measured once more
    assert_gone(parts)


# In the main tree it waits for a sign; there its number may be a gain.
HELD = """case $PWD in */repo)
  if ls .. | grep -qx hold; then until ls .. | grep -qx go; do sleep 0.1; done; {} fi;;
esac
"""


def test_workers_go_on_while_a_trial_has_the_main_tree_and_each_verdict_gets_one_row(parts: Scripted):
    parts.plan([propose("date +%N > part-$letter-note")])
    launch(parts, "--iterations", 90, "--salvage-runs", 0, check=HELD.format("echo 5; exit;"))
    beside = parts.repo.path.parent
    (beside / "hold").touch()
    folder = parts.repo.path / "autoresearch-evidence"
    assert until(lambda: len(list(folder.glob("batch/shelf/*/shelved.json"))) > 3), parts.log()
    note = min(folder.glob("batch/shelf/*/shelved.json"))
    one, commit = note.parent, json.loads(note.read_text())["proposal"]["commit"]
    shutil.copytree(one, beside / one.name)
    (beside / "go").touch()
    assert until(lambda: commit in parts.repo.read("research-results.tsv") and not one.exists()), parts.log()
    os.rename(beside / one.name, one)  # as if its recorder had been killed before it was taken off the shelf
    assert parts.ctl("pause").code == 0
    assert parts.ended()["reason"] == "user_paused", parts.log()
    rows = parts.rows()
    assert [row[0] for row in rows] == [str(number) for number in range(len(rows))] and len(rows) > 5
    assert [row[5] for row in rows].count("keep") == 1
    assert sum("(measured on " in row[6] for row in rows) > 2
    assert all((folder / f"{int(row[0]):04d}" / "verify-1.out").exists() for row in rows[1:])
    found = re.findall(r'"proposal": "(\w+)"', parts.repo.read("research-results.tsv"))
    assert commit in found and len(set(found)) == len(found)
    assert_gone(parts)


def shelved(parts: Scripted) -> list[tuple[str, str]]:
    """The worker and the verdict of each proposal that waits for its row, the oldest first."""
    notes = sorted((parts.repo.path / "autoresearch-evidence" / "batch" / "shelf").glob("*/shelved.json"))
    return [(note.parent.name[-1], json.loads(note.read_text())["verdict"]["status"]) for note in notes]


def test_a_worker_goes_on_with_its_gain_while_that_is_measured_again(parts: Scripted):
    # What follows the gain is another edit: the folder holds the gain already.
    lower = "case $(cat part-$letter) in 9) echo 8 > part-$letter;; *) date +%N > part-$letter-note;; esac"
    parts.plan([propose(lower)])
    launch(parts, "--iterations", 90, "--salvage-runs", 0, check=HELD.format(":;"))
    (parts.repo.path.parent / "hold").touch()

    def has_gone_on() -> str:
        found = shelved(parts)
        gains = [letter for letter, status in found if status == "keep"]
        return next((letter for letter in gains if (letter, "discard") in found), "")

    assert until(has_gone_on), (shelved(parts), parts.log())
    letter = has_gone_on()
    (parts.repo.path.parent / "go").touch()
    assert until(lambda: parts.repo.read(f"part-{letter}") == "8\n" and len(parts.rows()) > 6), parts.log()
    assert until(lambda: any("Your earlier gain was measured again" in text for text in parts.prompts())), parts.log()
    assert parts.ctl("pause").code == 0
    assert parts.ended()["reason"] == "user_paused", parts.log()
    mine = [row[5] for row in parts.rows() if f"worker-{letter}]" in row[6]]
    assert mine.index("keep") == 0 and mine.count("keep") == 1 and "discard" in mine, parts.rows()
    assert_gone(parts)


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_a_gain_that_waits_to_be_measured_again_stays_as_a_patch_where_the_run_ends(parts: Scripted, way: str):
    parts.plan([OWN])
    launch(parts, "--iterations", 90, check=HELD.format(":;"))
    (parts.repo.path.parent / "hold").touch()
    assert until(lambda: any(status == "keep" for _, status in shelved(parts))), parts.log()
    if way == "kill":
        kill(int(parts.record()["pid"]), signal.SIGKILL)
        assert until(lambda: parts.status()["status"] != "running")
    stopped = parts.ctl("stop", "--grace-seconds", 5).json
    assert stopped["alive"] == [] and len(parts.rows()) == 1, parts.log()
    patch = parts.repo.read("autoresearch-evidence/0001/undone.diff")
    assert patch.count("+8") >= 2, patch  # one was in the main tree, one on the shelf
    assert total(parts) == 27
    assert_gone(parts)


# Differs from run to run by less than the smallest gain that is wanted; it notes when and on which processors it ran.
NOISY = """top=..; mine=$top/k$(basename $PWD | tail -c 2); begun=$(date +%s%N); sleep 0.1
k=$(cat $mine 2>/dev/null || echo 0); echo $((k + 1)) > $mine
echo $begun $(date +%s%N) $(grep Cpus_allowed_list /proc/$$/status) >> $top/ran
echo $(($(cat part-a) + $(cat part-b) + $(cat part-c))).$((k % 5)); exit;
"""


@pytest.mark.skipif(len(limits.processors()) < 2, reason="needs a system that keeps programs to two processors")
def test_noisy_numbers_are_measured_side_by_side_on_processors_of_their_own(parts: Scripted):
    parts.plan([propose("echo $(($(cat part-$letter) - 3)) > part-$letter")])
    launch(parts, "--iterations", 6, "--min-delta", 1, "--salvage-runs", 0, check=NOISY)
    answer = parts.ended()
    assert (answer["status"], answer["iteration"]) == ("terminal", 6), parts.log()
    said = parts.record()["launch_context"]["side_by_side"]
    assert said.startswith("noisy numbers are measured 2 at a time") and said in parts.log()
    lines = [line.split() for line in (parts.repo.path.parent / "ran").read_text().split("\n") if line]
    runs = [(int(begun), int(ended), cpus) for begun, ended, _, cpus in lines]
    both = [(a[2], b[2]) for n, a in enumerate(runs) for b in runs[n + 1 :] if a[0] < b[1] and b[0] < a[1]]
    assert both and all(a != b for a, b in both), both
    assert_gone(parts)


def test_a_proposal_on_a_state_that_has_gone_is_brought_up_or_told(parts: Scripted):
    parts.plan([propose("echo $(($(cat part-a) - 1)) > part-a")])
    launch(parts, "--iterations", 4)
    answer = parts.ended()
    assert (answer["iteration"], answer["retained_metric"]) == (4, 23)
    assert "does not apply to what is retained by now" in parts.log()


def test_a_session_without_a_proposal_is_counted_and_its_edit_kept_as_a_patch(parts: Scripted):
    parts.plan(["echo 1 > part-a"])
    launch(parts, "--iterations", 4, "--max-stagnation", 3)
    answer = parts.ended()
    assert (answer["status"], answer["reason"]) == ("needs_human", "stagnated"), answer
    assert "+1" in parts.repo.read("autoresearch-evidence/0001/undone.diff")
    assert_gone(parts)


@pytest.mark.parametrize("held", ["proving", "thinking", "measuring"])
def test_stop_ends_all_workers_and_leaves_nothing(parts: Scripted, held: str):
    parts.plan([{"silent": 600}] if held == "thinking" else [OWN])
    launch(parts, "--verify-timeout", 900, check="[ -e ../go ] && sleep 600; ")
    if held == "measuring":
        assert until(lambda: len(parts.rows()) > 1)
    if held != "thinking":
        (parts.repo.path.parent / "go").touch()
    assert until(lambda: held in (parts.record().get("session") or {}).get("command", "")), parts.log()
    mark = parts.record()["session"]["mark"]
    stopped = parts.ctl("stop", "--grace-seconds", 5).json
    assert (stopped["status"], stopped["alive"]) == ("stopped", []), parts.log()
    assert process.pids_with_mark(mark) == ()
    assert_gone(parts)


def test_a_killed_controller_is_followed_by_one_that_goes_on(parts: Scripted):
    parts.plan([OWN])
    launch(parts, "--iterations", 9, check="sleep 0.2; ")
    assert until(lambda: len(parts.rows()) > 3)
    kill(int(parts.record()["pid"]), signal.SIGKILL)
    assert until(lambda: parts.status()["status"] != "running")
    rows = len(parts.rows())
    assert parts.ctl("start").code == 0, parts.log()
    answer = parts.ended()
    assert (answer["status"], answer["iteration"]) == ("terminal", 9) and rows <= 10, parts.log()
    assert total(parts) == answer["retained_metric"] == 18
    assert_gone(parts)


def test_a_check_that_does_not_see_the_workers_folders_is_noticed_while_they_think(parts: Scripted):
    here = parts.repo.path
    trial = f"echo 1 > part-a; python3 {SCRIPTS}/autoresearch_run_trial.py --repo . --description one"
    parts.plan([f"case $PWD in {here}) {trial};; *) sleep 600;; esac"])
    ran = parts.launch(*WORKERS, "--scope", "part-*", "--iterations", 1, verify=f"cat {here}/part-a")
    assert ran.code == 0, ran.err
    answer = parts.ended()
    assert (answer["status"], answer["iteration"]) == ("terminal", 1), parts.log()
    assert "the check does not see this tree" in parts.log()
    assert_gone(parts)


def test_where_no_crew_can_be_had_one_session_goes_on_with_the_reason_in_the_log(parts: Scripted):
    parts.plan([f"echo 1 > part-a; python3 {SCRIPTS}/autoresearch_run_trial.py --repo . --description one"])
    (parts.repo.path.parent / "repo-autoresearch-night-1-a").mkdir()
    launch(parts, "--iterations", 1)
    answer = parts.ended()
    assert (answer["status"], answer["iteration"]) == ("terminal", 1), parts.log()
    assert "one session at a time: " in parts.log()
    assert "exists" in json.dumps(parts.record()["launch_context"])


def test_pause_ends_between_experiments_and_start_goes_on(parts: Scripted):
    parts.plan([OWN])
    launch(parts, "--iterations", 8, check="sleep 0.2; ")
    assert until(lambda: len(parts.rows()) > 2)
    assert parts.ctl("pause").code == 0
    assert parts.ended()["reason"] == "user_paused"
    assert_gone(parts)
    assert parts.ctl("start").code == 0
    assert parts.ended()["iteration"] == 8
