"""What a dry run measured is taken over by the next one and by the start, as far as nothing it depends on changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab import Lab, refused

CHECK = """\
import pathlib
seen = pathlib.Path("{count}")
seen.write_text(seen.read_text() + "v" if seen.exists() else "v")
pathlib.Path("out.txt").write_text("a product")
print("METRIC cost=" + pathlib.Path("src/value").read_text() + "METRIC rss=" + str(100 + len(seen.read_text()) % 3))
"""


class Counting:
    """A repository whose checks count their runs."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.count = lab, lab.path.parent / "count"
        lab.repo.write("check.py", CHECK.format(count=self.count))
        lab.repo.commit("a check that counts")
        self.flags: list[object] = ["--scope", "src/", "--verify", "python3 check.py", "--metric-name", "cost"]

    def ran(self, *flags: object, dry: bool = True) -> tuple[Any, str]:
        """The answer, and which checks were run for it: v for verify, g for guard, c for confirm."""
        self.count.write_text("")
        more = ("--dry-run",) if dry else ("--environment-summary", "x")
        answer = self.lab.call("init_run", *self.flags, *flags, *more).json
        return answer, self.count.read_text()

    def marked(self, letter: str) -> str:
        return f"printf {letter} >> {self.count}"


@pytest.fixture
def counting(lab: Lab) -> Counting:
    return Counting(lab)


def test_only_what_changed_flags_touch_is_run_again(counting: Counting):
    guard, confirm = ("--guard", counting.marked("g")), ("--confirm", counting.marked("c"))
    first, runs = counting.ran(*guard, *confirm)
    assert (runs, "taken_over" in first) == ("vvvgc", False)
    again, runs = counting.ran(*guard, *confirm, "--goal", "other words", "--iterations", 5)
    assert runs == "" and "3 runs of verify, the guard, confirm" in again["taken_over"]
    assert {name: first[name] for name in ("noise", "guard", "confirm", "others")} == {
        name: again[name] for name in ("noise", "guard", "confirm", "others")
    }
    limited, runs = counting.ran(*guard, *confirm, "--require", "rss <= baseline*1.5")
    assert runs == "" and "3 runs of verify" in limited["taken_over"]
    refused(
        counting.lab.call("init_run", *counting.flags, *guard, *confirm, "--require", "rss <= 1", "--dry-run"),
        "does not hold",
    )
    assert counting.ran("--guard", f"true && {counting.marked('g')}", *confirm)[1] == "g"
    assert counting.ran(*guard, *confirm, "--calibrate", 5)[1] == "vvg"
    assert counting.ran(*guard, *confirm, "--metric-key", "rss")[1].startswith("vvv")


def test_a_start_takes_over_runs_output_and_what_the_check_leaves(counting: Counting):
    counting.ran("--calibrate", 5, "--metric-key", "rss")  # output of other runs is no evidence of these
    counting.ran("--guard", counting.marked("g"))
    started, runs = counting.ran("--guard", counting.marked("g"), dry=False)
    assert runs == "" and started["taken_over"].startswith("taken over from the dry run of a minute ago")
    lab = counting.lab
    assert lab.evidence("0000/verify-1.out").read_text().startswith("METRIC cost=10")
    assert [one["value"] for one in lab.events("samples")[0]["samples"]] == [10, 10, 10]
    assert sorted(path.name for path in lab.evidence("0000").glob("verify-*.out")) == [
        f"verify-{number}.out" for number in (1, 2, 3)
    ]
    assert lab.trial(8)["status"] == "keep"  # what the check writes is known as its own


@pytest.mark.parametrize("change", ["tree", "evaluator", "old", "others_folder"])
def test_nothing_is_taken_over_where_something_changed(counting: Counting, sealed: Path, change: str):
    counting.ran()
    (note,) = (sealed / "tmp").glob("codex-autoresearch-*/*/measured.json")
    if change == "tree":
        counting.lab.value(9)
        counting.lab.repo.commit("another state")
    elif change == "evaluator":
        counting.lab.repo.write("check.py", CHECK.format(count=counting.count) + "# another\n")
    elif change == "old":
        data = json.loads(note.read_text())
        data["verify"]["at"] -= 1000
        note.write_text(json.dumps(data))
    else:
        note.parent.parent.chmod(0o777)
    assert counting.ran()[1] == "vvv"


def test_the_guard_alone_is_run_while_it_is_chosen(counting: Counting):
    lab = counting.lab
    answer, runs = counting.ran("--guard-only", "--guard", f"{counting.marked('g')}; echo no; false")
    assert (runs, answer["guard"], answer["guard_printed"]) == ("g", "fail", ["no"])
    assert "the guard fails on the untouched tree (exit code 1" in answer["message"]
    answer, runs = counting.ran("--guard-only", "--guard", counting.marked("g"))
    assert (runs, answer["guard"], answer["guard_printed"]) == ("g", "pass", [])
    assert answer["message"].startswith("the guard passes")
    assert counting.ran("--guard", counting.marked("g"))[1] == "vvv"  # its pass is taken over
    assert lab.repo.status() == "" or "out.txt" in lab.repo.status()
    refused(lab.call("init_run", *counting.flags, "--dry-run", "--guard-only"), "no guard to run")
    refused(lab.call("init_run", *counting.flags, "--guard-only", "--guard", "true"), "belongs to --dry-run")


def test_a_note_that_is_broken_is_measured_anew(counting: Counting, sealed: Path):
    counting.ran()
    (note,) = (sealed / "tmp").glob("codex-autoresearch-*/*/measured.json")
    data = json.loads(note.read_text())
    bad = {**data["verify"], "samples": [{"value": "x"}]}
    for text in ("{", "[]", '{"verify": {"at": 9e99}}', '{"verify": [1]}', json.dumps({"verify": bad})):
        note.write_text(text)
        assert counting.ran()[1] == "vvv"
