"""The ladder since the last keep, and the limits on searches: the documented figures."""

from __future__ import annotations

from decimal import Decimal

import pytest
from autoresearch.guidance import ladder
from autoresearch.kernel.core.rows import Row

STATUS = {
    "k": "keep", "d": "discard", "c": "crash", "n": "no-op", "r": "refine", "p": "pivot", "s": "search",
    "b": "blocked", "t": "drift",
}  # fmt: skip


def log(letters: str) -> list[Row]:
    """A baseline and one row a letter."""
    found = [Row(0, "", "a1b2c3d", Decimal(9), "0", "-", "baseline", (), "initial")]
    for number, letter in enumerate(letters, 1):
        found.append(Row(number, "", "b2c3d4e", Decimal(9), "0", "-", STATUS[letter], (), "x"))
    return found


@pytest.mark.parametrize(
    ("letters", "action"),
    [
        ("", "continue"),
        ("dd", "continue"),
        ("ddd", "refine"),
        ("dcn", "refine"),
        ("kdd", "continue"),
        ("ddk", "continue"),
        ("dddk", "continue"),
        ("ddkd", "continue"),
        ("dddr", "continue"),
        ("dddrd", "pivot"),
        ("ddddd", "pivot"),
        ("dddd", "refine"),
        ("ddtd", "refine"),
        ("ddsd", "refine"),
        ("tstst", "continue"),
        ("ddddt", "refine"),
        ("rrrrr", "pivot"),
        ("bbbbb", "continue"),
        ("dddrdp", "continue"),
        ("dddrdpdd", "continue"),
        ("dddrdpddd", "refine"),
        ("dddrdpdddrd", "pivot"),
        ("pp", "continue"),
        ("ppp", "needs_human"),
        ("ddddpdddddpdddddp", "needs_human"),
        ("pkpp", "continue"),
        ("pppk", "continue"),
        ("pptp", "needs_human"),
    ],
)
def test_steps_without_a_search(letters: str, action: str):
    assert ladder.step(log(letters), "disabled").action == action


@pytest.mark.parametrize(
    ("letters", "action"),
    [
        ("ddddpddddd", "pivot"),
        ("dddddpdddddp", "search"),
        ("dddddpdddddps", "continue"),
        ("dddddpdddddpsddd", "refine"),
        ("dddddpdddddpsddddd", "pivot"),
        ("dddddpdddddpsdddddp", "needs_human"),
        ("dddddpdddddpsk", "continue"),
        ("pp", "continue"),
        ("ppd", "search"),
        ("dddddpddddspd", "search"),
        ("ddddpddddsp", "search"),
    ],
)
def test_after_two_pivots_one_search_where_it_is_allowed(letters: str, action: str):
    assert ladder.step(log(letters), "enabled").action == action


@pytest.mark.parametrize(
    ("letters", "refused"),
    [
        ("", "first 3"),
        ("dd", "first 3"),
        ("ddd", None),
        ("ddds", "2 iterations"),
        ("dddsd", None),
        ("dddsdsds", "2 iterations"),
        ("dddsdsdsd", "3 searches"),
        ("dddsdsdsddddd", None),
        ("dddsdsdsdddd", "3 searches"),
    ],
)
def test_limits_of_searches(letters: str, refused: str | None):
    found = ladder.search_refusal(log(letters))
    assert (found is None) if refused is None else (found is not None and refused in found)


def test_no_window_of_ten_ever_holds_more_than_three_searches():
    letters = ""
    for _ in range(60):
        letters += "d" if ladder.search_refusal(log(letters)) else "s"
    searches = [number for number, letter in enumerate(letters, 1) if letter == "s"]
    assert min(searches) == 4
    assert all(later - earlier >= 2 for earlier, later in zip(searches, searches[1:]))
    assert all(fourth - first >= 10 for first, fourth in zip(searches, searches[3:]))


def test_worker_rows_count_for_nothing():
    rows = log("dd")
    assert ladder.step([*rows, rows[-1]._replace(iteration=3, worker="a")], "disabled").action == "continue"
    assert ladder.since_keep([*rows, rows[-1]._replace(worker="a")]) == rows[1:]


def crashes(*reasons: str) -> list[Row]:
    return [row._replace(description=reason) for row, reason in zip(log("c" * len(reasons))[1:], reasons)]


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        (log(""), 0),
        ([], 0),
        (crashes("a (crash: exit 2)", "b (crash: exit 2)"), 2),
        (crashes("a (crash: exit 3)", "b (crash: exit 2)", "c (crash: exit 2)"), 2),
        (crashes("a (crash: no number; its last line is 'x')", 'b (crash: no number; its last line is "it\'s")'), 2),
        (crashes("a (crash: no number; its last line is 'x')", "b (crash: a second 'x')"), 1),
        (crashes("exit 2", "exit 2"), 2),
        (crashes("", "x"), 1),
        (crashes("x", ""), 1),
        ([*crashes("x", "x"), *log("d")[1:]], 0),
        ([*crashes("x", "x"), crashes("y")[0]._replace(worker="a")], 2),
    ],
)
def test_the_same_crash_is_counted_from_the_end(rows: list[Row], count: int):
    assert ladder.same_crash(rows) == count


def undecided(letters: str) -> list[Row]:
    """Rows as of `log`, with `u` for a discard that refutes nothing."""
    rows = log(letters.replace("u", "d"))
    marked = (
        row._replace(description="x (undecided)") if letter == "u" else row for row, letter in zip(rows[1:], letters)
    )
    return [rows[0], *marked]


@pytest.mark.parametrize(
    ("letters", "action"), [("uuuuuu", "continue"), ("dudud", "refine"), ("duu", "continue"), ("dddud", "refine")]
)
def test_what_is_undecided_is_no_step(letters: str, action: str):
    assert ladder.step(undecided(letters), "disabled").action == action


def test_several_undecided_in_a_row_are_told():
    assert ladder.step(undecided("duu"), "disabled").reason == ""
    told = ladder.step(undecided("duuu"), "disabled").reason
    assert told.startswith("3 undecided in a row: the check is too noisy")
    assert "join causes into one larger edit" in told and "--retry 3,4" in told
    assert ladder.step(undecided("uuud"), "disabled").reason == ""
    both = ladder.step(undecided("ddduuu"), "disabled")
    assert (both.action, both.reason.split(":")[0]) == (
        "refine",
        "3 experiments in a row did not help; 3 undecided in a row",
    )
    recorded = ladder.step(undecided("uuru"), "disabled").reason  # a refine that is written down is no experiment
    assert recorded.startswith("3 undecided in a row") and "--retry 2,4" in recorded
