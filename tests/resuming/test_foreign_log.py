"""Logs that an editor, a spreadsheet or a copy has changed: read, gone on with, and nothing of them lost."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from autoresearch.kernel.core.errors import Refusal
from autoresearch.kernel.disk import journal
from autoresearch.resuming import foreign_log

COLUMNS = "iteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription\n"
HEAD = "# metric_direction: lower\n# mode: loop\n# their_header: kept\n" + COLUMNS
ROWS = (
    "0\ta1b2c3d\t10\t0\t-\tbaseline\tinitial\n"
    "1\tb2c3d4e\t8\t-2\tpass\tkeep\t[labels: prod] größer\n"
    "2\tc3d4e5f\t12\t+4\t-\tdiscard\ttwelve\n"
)
PLAIN = HEAD + ROWS


def columns(text: str, change: Callable[[list[str]], list[str]]) -> bytes:
    """The log with other columns."""
    lines = (line if line[:1] == "#" or not line else "\t".join(change(line.split("\t"))) for line in text.split("\n"))
    return "\n".join(lines).encode()


def noted(cells: list[str]) -> list[str]:
    """A column more."""
    return [*cells, "remark" if cells[0] == "iteration" else "odd" if cells[0] == "1" else ""]


# The bytes, what is said of them, and words that must stay in the log.
FORMS: dict[str, tuple[bytes, str, str]] = {
    "byte order mark": (b"\xef\xbb\xbf" + PLAIN.encode(), "byte order mark", "größer"),
    "Windows": (b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode(), "byte order mark", "größer"),
    "UTF-16": (b"\xff\xfe" + PLAIN.encode("utf-16-le"), "utf-16", "größer"),
    "UTF-16, other order": (b"\xfe\xff" + PLAIN.replace("\n", "\r\n").encode("utf-16-be"), "utf-16", "größer"),
    "Latin-1": (PLAIN.encode("latin-1"), "line 6 was not UTF-8", "größer"),
    "Latin-1 in one line of UTF-8": (PLAIN.encode() + b"3\td\t9\t+1\t-\tdiscard\t\xfc\n", "line 8", "größer"),
    "a column more": (columns(PLAIN, noted), "usual seven", "# beside 1: remark = odd"),
    "a column before": (columns(PLAIN, lambda c: noted(c)[-1:] + c), "usual seven", "# beside 1: remark = odd"),
    "columns in another order": (columns(PLAIN, lambda c: c[::-1]), "usual seven", "größer"),
    "no name above": (PLAIN.replace("twelve", "twelve\tmine").encode(), "usual seven", "# beside 2: column 8 = mine"),
    "empty cells at the end": (columns(PLAIN, lambda c: [*c, "", ""]), "usual seven", "größer"),
    "empty cells left out": (columns(PLAIN.replace("\ttwelve", "\t"), noted), "usual seven", "odd"),
    "quotes": (
        b"\xef\xbb\xbf" + PLAIN.replace("twelve", '"the ""twelve"", again"').encode(), "mark", 'the "twelve", again'),
    "no last line end": (PLAIN[:-1].encode(), "the end of its last line was missing", "twelve"),
    "no last line end, Windows": (PLAIN.replace("\n", "\r\n")[:-2].encode(), "the end of its last line", "twelve"),
    "a remark without its end": (PLAIN.encode() + b"# mine", "the end of its last line", "# mine"),
    "torn in a cell": (PLAIN.encode() + b"3\td4e5f60\t7", "line 8 ends in the middle", "twelve"),
    "torn before the text": (PLAIN.encode() + b"3\td4e5f60\t7\t-1\tpass\tkeep", "line 8 ends in the", "twelve"),
    "torn in a letter": (PLAIN.encode() + "3\td4e5f60\t7\t-1\tpass\tkeé".encode()[:-1], "line 8", "twelve"),
    "a row too far": (PLAIN.encode() + b"9\td4e5f60\t7\t-1\tpass\tkeep\tx", "line 8 ends in the middle", "twelve"),
}  # fmt: skip
UNLOST = ("no last line end", "no last line end, Windows", "a remark without its end")


@pytest.mark.parametrize("name", FORMS)
def test_it_is_read_and_written_anew_with_all_that_was_in_it(tmp_path: Path, name: str):
    data, words, kept = FORMS[name]
    path = tmp_path / "research-results.tsv"
    path.write_bytes(data)
    log = journal.read(path)
    rows = 4 if name == "Latin-1 in one line of UTF-8" else 3
    assert (log.state.iteration, int(log.state.current_metric), log.header["their_header"]) == (rows - 1, 8, "kept")
    assert path.read_bytes() == data, "to read it changes nothing"
    assert any(words in sentence for sentence in foreign_log.told(path)), foreign_log.told(path)

    with journal.locked(path) as held:
        added = held.append([], [log.rows[-1]._replace(iteration=rows, description="ours")])
    text = path.read_text("utf-8")
    assert kept in text and text.endswith("\tours\n") and "their_header: kept" in text
    assert journal.read(path).rows == added.rows and len(added.rows) == rows + 1
    assert {line.count("\t") for line in text.splitlines() if line[:1] not in ("#", "")} == {6}
    beside = tmp_path / "research-results.tsv.bak"
    assert beside.exists() == (name not in UNLOST) and (not beside.exists() or beside.read_bytes() == data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xef\xbb\xbf" + PLAIN.replace("\t12\t", "\t12,5\t").encode(), "line 7: metric '12,5'"),
        (columns(PLAIN.replace("\tdiscard\t", "\tDiscard\t"), noted), "line 7: status 'Discard'"),
        (b"\xef\xbb\xbf" + PLAIN.replace("metric\t", "value\t").encode(), "header"),
        (PLAIN.replace("\t12\t+4\t-\t", "\t12\t").encode(), "line 7: 5 cells"),
    ],
)
def test_what_cannot_be_read_is_named_and_left(tmp_path: Path, data: bytes, problem: str):
    path = tmp_path / "research-results.tsv"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=problem):
        journal.read(path)
    with pytest.raises(Refusal, match=problem), journal.locked(path):
        pass
    assert path.read_bytes() == data and [*tmp_path.glob("research*")] == [path]


def test_of_ours_only_a_row_that_the_snapshot_knows_is_whole(tmp_path: Path):
    ours = PLAIN.replace(ROWS, '# event: {"kind": "start"}\n' + ROWS)
    path, state = tmp_path / "research-results.tsv", tmp_path / "autoresearch-state.json"
    path.write_text(ours[:-1])
    assert journal.read(path).state.iteration == 1
    state.write_text('{"state": {"iteration": 1}}')
    assert journal.read(path).state.iteration == 1
    state.write_text('{"state": {"iteration": 2}}')
    assert journal.read(path).state.iteration == 2
