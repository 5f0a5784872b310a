"""A stalled run grows a line from an earlier kept state; it is adopted, tried on the main line, or left."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import Lab, refused

GUARD = "! grep -q bad src/*.n"
# Whatever is kept in b makes the better way in a impossible.
SUM = "cat src/*.n | grep -v line | paste -sd+ - | bc"


@pytest.fixture
def stalled(lab: Lab) -> Lab:
    """Two keeps in different files, then three pivots over ideas in `a`."""
    for name in "abc":
        lab.repo.write(f"src/{name}.n", "10\n" + "# a line that the main line deleted\n" * (name == "c"))
    lab.repo.commit("files")
    lab.init("--side-lines", 2, verify=SUM, guard=GUARD)
    put(lab, "b", 8, "keep")
    put(lab, "c", 9, "keep")
    put(lab, "a", 11, "discard")
    for name in "xy":
        lab.recorded("pivot", "--description", name)
    return lab


def put(lab: Lab, name: str, value: int, status: str) -> Any:
    lab.repo.write(f"src/{name}.n", f"{value}\n")
    answer = lab.trial(description=f"{name} {value}")
    assert answer["status"] == status
    return answer


def line(lab: Lab) -> Any:
    ran = lab.call("line")
    assert ran.code == 0, ran.err
    lab.sound()
    return ran.json


def values(lab: Lab) -> list[str]:
    return [lab.repo.read(f"src/{name}.n").split("\n")[0] for name in "abc"]


def begun(lab: Lab) -> Any:
    told = lab.recorded("pivot", "--description", "z")["next"]
    assert (told["action"], told["do"].split(" ")[-2:]) == ("line", ["--repo", "."])
    return line(lab)


def test_a_line_begins_at_an_earlier_state_and_is_marked(stalled: Lab):
    refused(stalled.call("line"), "no step of a side line is due")
    answer = begun(stalled)
    assert answer["line"] == "b from 1", answer
    assert answer["next"]["action"] == "continue"
    assert (answer["retained_metric"], values(stalled)) == (28, ["10", "8", "10"])
    assert stalled.log().state.pivot_count == 0
    assert stalled.state()["state"]["line"] == "b from 1"
    # What the main line deleted is no part of this one: bringing it back needs no word.
    stalled.repo.write("src/c.n", "7\n# a line that the main line deleted\n")
    assert stalled.trial(description="c 7")["status"] == "keep"
    assert stalled.rows()[-1].description == "[LINE b from 1] c 7"


def kept_in_the_branch(lab: Lab) -> list[int]:
    """The experiments of a finalized branch, whose content is the retained one."""
    ran = lab.call("finalize", "--branch", "clean")
    assert ran.code == 0, ran.err
    assert lab.repo.git("rev-parse", "clean^{tree}") == lab.repo.git("rev-parse", "HEAD^{tree}")
    return [number for commit in ran.json["commits"] for number in commit["iterations"]]


def stall(lab: Lab) -> Any:
    """Five ideas that gain nothing."""
    for value in range(21, 26):
        last = put(lab, "a", value, "discard")
    assert last["next"]["action"] == "line"
    return last


def test_a_better_tip_is_adopted(stalled: Lab):
    begun(stalled)
    put(stalled, "a", 3, "keep")
    stall(stalled)
    answer = line(stalled)
    assert answer["steps"] == ["14 [LINE b from 1] adopted: 21 against 27 of the main line"]
    assert (answer["retained_metric"], answer["line"], values(stalled)) == (21, "", ["3", "8", "10"])
    assert (str(stalled.log().state.best_metric), stalled.log().state.pivot_count) == ("21", 0)
    assert answer["next"]["action"] == "continue"
    assert kept_in_the_branch(stalled) == [1, 8]


def test_what_a_line_kept_is_tried_on_the_main_line(stalled: Lab):
    begun(stalled)
    put(stalled, "a", 9, "keep")  # 8 + 10 + 9: as good as the main line
    stall(stalled)
    answer = line(stalled)
    assert [step.partition(" ")[2] for step in answer["steps"]] == [
        "[LINE b from 1] back to the main line, which is as good; what the line kept is tried there",
        "[RETRY 8] a 9",
        "[LINE b from 1] a part of it is kept on the main line",
    ]
    assert (answer["retained_metric"], answer["line"], values(stalled)) == (26, "", ["9", "8", "9"])
    assert (answer["next"]["action"], answer["best_iteration"]) == ("continue", 15)
    assert stalled.log().state.pivot_count == 0
    assert kept_in_the_branch(stalled) == [1, 2, 15]
    report = stalled.call("report", "--worth", "--format", "json").json
    assert [item["iteration"] for item in report["worth"]] == [1, 2, 15]
    fate = "a part of it is kept on the main line"
    (told,) = report["lines"]
    assert (told["name"], told["start"], told["first"], told["last"], told["kept"]) == ("b", 1, 7, 16, 1)
    assert told["fate"] == fate
    page = stalled.evidence("report.html").read_text()
    assert 'class="side"' in page and "b from 1</text>" in page and fate in page
    assert f"| b | 1 | 7 to 16 | 1 | {fate} |" in stalled.evidence("report.md").read_text()


def test_what_a_line_kept_and_is_of_no_use_there_is_left(stalled: Lab):
    begun(stalled)
    stalled.repo.write("src/c.n", "9\n")
    put(stalled, "a", 10, "keep")  # what the main line has already
    stall(stalled)
    assert [step.partition(" ")[2] for step in line(stalled)["steps"]][1:] == [
        "[LINE b from 1] left without a gain",
        "[LINE c from 0] grows from the state of iteration 0",
    ]


def test_a_line_that_kept_nothing_is_left_and_the_next_one_begins(stalled: Lab):
    begun(stalled)
    refused(stalled.call("finalize", "--branch", "clean"), "the side line b from 1 is open")
    stall(stalled)
    answer = line(stalled)
    assert answer["steps"] == [
        "13 [LINE b from 1] left, it kept nothing",
        "14 [LINE c from 0] grows from the state of iteration 0",
    ]
    assert (answer["line"], values(stalled)) == ("c from 0", ["10", "10", "10"])
    stall(stalled)
    answer = line(stalled)
    assert answer["steps"] == ["20 [LINE c from 0] left, it kept nothing"]
    assert (answer["next"]["action"], values(stalled)) == ("needs_human", ["10", "8", "9"])
    assert "soft_blocked: 3 pivots without a keep" in answer["next"]["reason"]
    assert (answer["retained_metric"], answer["best_iteration"]) == (27, 2)
    refused(stalled.try_out(), "the run is over (soft_blocked")


def test_what_cannot_have_side_lines_is_refused(lab: Lab):
    flags = ("--metric-name", "n", "--side-lines", 1, "--direction", "lower", "--scope", "src/")
    refused(lab.call("init_run", *flags, "--baseline-metric", 3), "needs a measured run")
    refused(lab.call("init_run", *flags, "--verify", "cat src/value", "--parallel-mode", "parallel"), "at a time")
