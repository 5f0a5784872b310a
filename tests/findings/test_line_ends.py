"""An edit that changes the line ends of a whole file is told, for its diff shows every line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from autoresearch.findings import line_ends

from tests.lab import Lab

LF = "".join(f"line {n}\n" for n in range(9))
CRLF = LF.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (CRLF, LF, "now has LF: the diff shows every line of it"),
        (LF, CRLF, "now has CRLF"),
        (CRLF, LF.replace("line 4", "other"), "now has LF"),
        (CRLF, CRLF.replace("line 4", "other"), ""),
        (LF, LF.replace("line 4", "other"), ""),
        (CRLF, "new\n", ""),
        (CRLF, CRLF + "more\n", ""),
        ("a\r\n", "a\n", ""),
        ("", CRLF, ""),
        (CRLF, "", ""),
    ],
)
def test_a_patch_tells_whether_it_changed_all_line_ends(before: str, after: str, said: str, tmp_path: Path):
    for name, text in (("a.txt", before), ("b.txt", after)):
        (tmp_path / name).write_bytes(text.encode())
    diff = ["git", "diff", "--no-index", "--binary", "a.txt", "b.txt"]
    patch = subprocess.run(diff, cwd=tmp_path, capture_output=True).stdout
    told = line_ends.of_patch(patch)
    assert (said in told and told.startswith("b.txt ")) if said else told == ""


def test_the_answer_of_a_trial_says_it(lab: Lab):
    (lab.path / "src/more").write_bytes(CRLF.encode())
    lab.repo.commit("line ends of another system")
    lab.init()
    assert "line_ends" not in lab.trial(9)
    for name in ("more", "other", "third"):
        lab.repo.write(f"src/{name}", LF)
    answer = lab.trial(8)
    assert answer["status"] == "keep"
    assert answer["line_ends"] == (
        "src/more now has LF: the diff shows every line of it; put the line ends back with the next edit"
    )
