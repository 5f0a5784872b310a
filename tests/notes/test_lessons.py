"""Lessons: entries in and out, and old ones folded by family."""

from __future__ import annotations

from autoresearch.notes import lessons
from autoresearch.notes.lessons import Lesson
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.core import logs

TEXT = """# Lessons

An introduction by hand.

### L-1: narrow types
- **Strategy:** narrow auth types
- **Outcome:** keep
- **Insight:** errors 47 to 41 (-6)
- **Context:** no any; scope src
- **Iteration:** any-types#1
- **Timestamp:** 2026-03-25T01:02:03Z

### L-7: generic wrapper
- **Strategy:** generic wrapper
- **Unknown:** passed over
- **Outcome:** discard
"""


def lesson(number: int, strategy: str, outcome: str = "keep") -> Lesson:
    return Lesson(number, f"title {number}", strategy, outcome, f"insight {number}")


def test_the_documented_format_reads_and_writes():
    first, second = lessons.parse(TEXT)
    assert first.text() in TEXT
    assert first.iteration == "any-types#1"
    assert (second.number, second.outcome, second.insight) == (7, "discard", "")
    assert second.to_dict() == {
        "id": "L-7",
        "title": "generic wrapper",
        "strategy": "generic wrapper",
        "outcome": "discard",
        "insight": "",
        "context": "",
        "iteration": "",
        "timestamp": "",
    }


def test_lost_spaces_at_the_end_of_a_line_do_no_harm():
    entries = [lesson(1, ""), Lesson(2, "", "s", "keep", "")]
    stripped = "\n".join(line.rstrip() for line in lessons.render(entries).split("\n"))
    assert lessons.parse(stripped) == entries


@given(st.lists(st.builds(Lesson, st.integers(1, 999), *[logs.WILD] * 7), max_size=4))
def test_any_entry_reads_back_as_what_was_written(entries: list[Lesson]):
    written = lessons.render(entries)
    found = lessons.parse(written)
    assert [entry.number for entry in found] == [entry.number for entry in entries]
    assert lessons.render(found) == written


def test_a_new_entry_gets_the_next_number_whatever_it_came_with():
    (only,) = lessons.add([], lesson(0, "a"))
    assert only.number == 1
    assert [entry.number for entry in lessons.add(lessons.parse(TEXT), lesson(3, "a"))] == [1, 7, 8]


def test_at_most_fifty_old_entries_stand_before_the_new_one():
    entries: list[Lesson] = []
    for number in range(200):
        entries = lessons.add(entries, lesson(0, f"strategy {chr(97 + number % 7) * 4} try {number}"))
        assert len(entries) <= 51
        assert entries[-1].number == max(entry.number for entry in entries) == number + 1
    assert len(entries) == 51


def test_old_entries_fold_by_family_and_say_how_many_they_were():
    entries = [
        lesson(n + 1, "cache the parser result" if n in (3, 5, 9) else f"idea {'x' * (n + 3)}") for n in range(52)
    ]
    found = lessons.add(entries, lesson(0, "new"))
    assert found[3].title == "title 10 (×3)"
    assert found[3].insight == "insight 10"
    assert [entry.number for entry in found[:6]] == [1, 2, 3, 10, 5, 7]


def test_strangers_fold_oldest_first_and_keep_their_outcomes():
    entries = [lesson(n + 1, "abc" + "x" * n, "keep" if n else "discard") for n in range(51)]
    found = lessons.add(entries, lesson(0, "new"))
    assert (found[0].title, found[0].outcome, found[1].number) == ("title 2 (×2)", "discard, keep", 3)


def test_a_long_title_does_not_hide_how_many_were_folded():
    entries = [Lesson(n + 1, "t" * 400, "one family here", "keep", "") for n in range(51)]
    for _ in range(3):
        entries = lessons.add(
            lessons.parse(lessons.render(entries)), Lesson(0, "t" * 400, "one family here", "keep", "")
        )
    assert lessons.parse(lessons.render(entries))[0].title.endswith("… (×4)")


def test_a_family_is_the_first_words_of_the_strategy():
    assert lessons.family(lesson(1, "Cache 12 the PARSER_result, twice")) == "cache the parser"
    assert lessons.family(Lesson(1, "Title counts", "", "keep", "")) == "title counts"
