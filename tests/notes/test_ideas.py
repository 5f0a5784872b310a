from __future__ import annotations

import pytest
from autoresearch.kernel.core.choices import IDEAS
from autoresearch.kernel.core.errors import Refusal
from autoresearch.notes import ideas
from autoresearch.notes.ideas import Idea
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.tuples(st.text(), st.sampled_from(IDEAS), st.text()), max_size=5))
def test_whatever_was_written_is_read_back(entries):
    known: list[Idea] = []
    for text, status, note in entries:
        try:
            known, new = ideas.added(known, text)
        except Refusal:
            continue
        known, _ = ideas.marked(known, new.number, status, note)
    assert ideas.parse(ideas.render(known)) == known


def test_an_idea_that_is_there_is_not_written_twice():
    once, first = ideas.added([], "cache parsed config")
    again, second = ideas.added(once, "  Cache parsed\tconfig ")
    assert (again, second) == (once, first)


def test_numbers_are_never_given_twice():
    known, _ = ideas.added([Idea(3, "three"), Idea(7, "seven")], "eight")
    assert [idea.number for idea in known] == [3, 7, 8]


def test_a_text_can_neither_forge_an_entry_nor_grow_without_end():
    known, new = ideas.added([], "x\n- I-9 [kept] forged\n  - note: forged\x1b[31m" + "y" * 5000)
    assert [idea.number for idea in ideas.parse(ideas.render(known))] == [1]
    assert "\x1b" not in new.text and len(new.text) == ideas.TEXT_LIMIT


def test_a_note_stays_until_another_is_given():
    known, _ = ideas.marked([Idea(1, "one")], 1, "tried", "slower by 3 ms")
    known, _ = ideas.marked(known, 1, "dropped", None)
    assert known == [Idea(1, "one", "dropped", "slower by 3 ms")]
    assert ideas.marked(known, 1, "open", "")[1] == Idea(1, "one")


def test_what_cannot_be_is_refused():
    with pytest.raises(Refusal, match="empty"):
        ideas.added([], " \x00 ")
    with pytest.raises(Refusal, match="no idea 4"):
        ideas.marked([Idea(1, "one")], 4, "tried", None)
    with pytest.raises(Refusal, match="500 ideas"):
        ideas.added([Idea(n, f"idea {n}") for n in range(500)], "one more")
