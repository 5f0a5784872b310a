"""A failed edit with a good part: the tool keeps the part, the rest is evidence."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.faults.killer import Killer
from tests.lab import Lab, start_trial

# The number of lines "bad" over all files; the guard refuses a file that holds the word "wrong".
COUNT = "cat src/*.txt | grep -c bad || test $? = 1"
GUARD = "! grep -q wrong src/*.txt"
FILES = 4


def lines(*odd: str) -> str:
    """Six findings far enough apart to be hunks of their own; each of `odd` stands for one of them."""
    found = [*odd, *["bad"] * (6 - len(odd))]
    return "".join(f"{word}\n" + "fill\n" * 8 for word in found)


@pytest.fixture
def many(lab: Lab) -> Lab:
    """A run over four files with six findings each."""
    for number in range(FILES):
        lab.repo.write(f"src/{number}.txt", lines())
    lab.repo.write("notes.txt", "mine\n")
    lab.repo.commit("files")
    lab.repo.write("notes.txt", "mine, newer\n")
    lab.salvage = None
    return lab


def edit(lab: Lab) -> None:
    """Twelve hunks of which one breaks the guard."""
    lab.repo.write("src/0.txt", lines(*["good"] * 6))
    lab.repo.write("src/2.txt", lines("good", "good", "wrong", "good", "good", "good"))


def test_the_largest_part_that_passes_the_guard_is_kept(many: Lab):
    many.init(verify=COUNT, guard=GUARD)
    edit(many)
    answer = many.trial(None, "--hypothesis", "twelve are wrong", description="fix them")
    assert (answer["status"], answer["metric"], answer["guard"]) == ("keep", 13, "pass")
    assert answer["salvaged"] == "11 of 12 hunks"
    assert "rest.diff" in answer["left_out"] and "guard failed" in answer["left_out"]
    assert many.rows()[-1].description == "fix them (salvaged 11 of 12 hunks)"
    assert "wrong" not in many.repo.read("src/2.txt")
    assert many.repo.status() == " M notes.txt"
    message = many.repo.git("log", "--format=%B", "-1")
    assert message.startswith("experiment: fix them (salvaged 11 of 12 hunks)\n\n")
    assert "left out: 1 hunk of src/2.txt." in message and answer["left_out"].startswith("1 hunk of src/2.txt: ")
    rest = (many.evidence("0001/rest.diff")).read_text()
    assert rest.count("\n+wrong") == 1 and rest.count("\n-bad") == 1
    patch = many.evidence("0001/patch.diff").read_text()
    assert patch.count("\n+good") == 11 and "wrong" not in patch
    # Nobody reads of the part as of the whole.
    ran = many.call("finalize", "--branch", "clean")
    assert ran.code == 0, ran.err
    said = "(said of the whole edit; 11 of 12 hunks were kept, left out: 1 hunk of src/2.txt) twelve are wrong"
    branch = many.repo.git("log", "-1", "--format=%B", "clean")
    assert branch.startswith("fix them (salvaged 11 of 12 hunks)\n") and said in " ".join(branch.split())
    assert many.call("report").code == 0
    assert said in many.evidence("report.html").read_text()
    # The rest fits onto the new state.
    subprocess.run(["git", "apply", "--check"], input=rest, text=True, cwd=many.path, check=True)


@pytest.mark.parametrize("guard", ["", "echo fine", "echo fine; echo words >&2"])
def test_a_part_that_gains_is_kept_of_an_edit_that_loses(many: Lab, guard: str):
    many.init(verify=COUNT, guard=guard)
    many.repo.write("src/0.txt", lines(*["good"] * 3))
    many.repo.write("src/1.txt", lines() + "bad\n" * 5)
    answer = many.trial(description="mixed")
    assert (answer["status"], answer["metric"], answer["salvaged"]) == ("keep", 21, "3 of 4 hunks")
    # What the part measured lies where any trial's output does; what the whole measured is told and kept beside it.
    assert "the whole: 26" in answer["left_out"]
    assert many.evidence("0001/verify-1.out").read_text().split() == ["21"]
    assert many.evidence("0001/whole/verify-1.out").read_text().split() == ["26"]
    assert not list(many.evidence("0001").glob("part-*/guard.out"))


def test_without_a_good_part_the_row_is_as_before(many: Lab):
    many.init(verify=COUNT, guard=GUARD)
    many.repo.write("src/0.txt", lines("wrong", "wrong"))
    answer = many.trial(description="all wrong")
    assert (answer["status"], answer["guard"]) == ("discard", "fail")
    assert answer["salvage_tests"] >= 2
    assert "salvaged" not in answer
    assert many.repo.read("src/0.txt") == lines()


@pytest.mark.parametrize(("flags", "tests"), [(("--salvage-runs", 0), None), (("--salvage-runs", 2), 2)])
def test_the_user_says_how_much_may_be_spent(many: Lab, flags: tuple[object, ...], tests: int | None):
    many.init(*flags, verify=COUNT, guard=GUARD)
    many.repo.write("src/0.txt", lines(*["wrong"] * 6))
    answer = many.trial(description="all wrong")
    assert answer.get("salvage_tests") == tests


def test_what_new_edits_gain_sooner_is_not_searched_for(lab: Lab):
    lab.salvage = None
    lab.value(900_000)
    lab.repo.commit("far")
    lab.init(guard="test ! -e src/broken")
    assert lab.trial(1000)["status"] == "keep"
    lab.repo.write("src/broken", "x\n")
    answer = lab.trial(999)
    assert (answer["status"], answer["guard"]) == ("discard", "fail")
    assert answer["salvage"].startswith("not tried: parts take ") and "salvage_tests" not in answer


def test_new_and_deleted_files_are_left_out_whole(many: Lab):
    many.init(verify=COUNT, guard="! test -e src/new.txt")
    (many.path / "src/3.txt").unlink()
    many.repo.write("src/new.txt", "x\n")
    answer = many.trial(description="both")
    assert (answer["status"], answer["salvaged"], answer["metric"]) == ("keep", "1 of 2 hunks", 18)
    assert not (many.path / "src/new.txt").exists() and not (many.path / "src/3.txt").exists()


@pytest.mark.parametrize("guard", ["", "echo fine"])
def test_a_missed_requirement_is_mended_too(many: Lab, guard: str):
    check = f"echo METRIC cost=$({COUNT}); echo METRIC size=$(cat src/*.txt | wc -l)"
    many.init("--require", "size <= baseline", verify=check, guard=guard)
    many.repo.write("src/0.txt", lines(*["good"] * 6))
    many.repo.write("src/1.txt", lines("good") + "fill\n" * 9)
    answer = many.trial(description="longer")
    assert (answer["status"], answer["metric"], answer["salvaged"]) == ("keep", 17, "2 of 3 hunks") or answer[
        "salvaged"
    ].startswith("7 of 8")


@pytest.mark.parametrize("policy", ["revert", "reset"])
def test_killed_after_each_call_of_git(many: Lab, tmp_path: Path, policy: str):
    if policy == "reset":
        many.repo.git("switch", "--quiet", "-c", "autoresearch/x")
    many.init("--rollback-policy", policy, verify=COUNT, guard=GUARD)
    killer, saved = Killer(tmp_path / "faults"), tmp_path / "saved"
    subprocess.run(["cp", "-a", str(many.path), str(saved)], check=True)
    edit(many)
    assert start_trial(many, env=killer.env(0, "never")).wait() == 0
    total = int(killer.count.read_text())
    step, killed = 1 if os.environ.get("EVERY_CALL") else total // 4, 0
    for at in range(step, total + 1, step):
        subprocess.run(["rm", "-rf", str(many.path)], check=True)
        subprocess.run(["cp", "-a", str(saved), str(many.path)], check=True)
        edit(many)
        whole = many.repo.read("src/2.txt")
        code = start_trial(many, env=killer.env(at, "after")).wait()
        if code == 0 and int(killer.count.read_text()) < at:
            continue  # how many calls a trial makes depends on how often it looks at what else runs
        assert code == -signal.SIGKILL, at
        killed += 1
        answer = many.trial(description="the next one")
        kept = [row for row in many.rows() if row.status == "keep"]
        assert [row.metric for row in kept] == [13], (at, answer)
        assert kept[0].description.endswith("(salvaged 11 of 12 hunks)")
        assert "wrong" in whole and "wrong" not in many.repo.read("src/2.txt")
        assert many.repo.status() == " M notes.txt"
        assert many.repo.git("rev-parse", "HEAD") == many.events("heads")[-1]["heads"][str(many.path)]
    assert killed >= 3
