"""Text from a run: one clean bounded line, whatever it was."""

from __future__ import annotations

import unicodedata

import pytest
from autoresearch.kernel.core import text
from hypothesis import example, given
from hypothesis import strategies as st

NASTY = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(["\x1b[31m", "\x1b]0;title\x07", "\x1b", "\x1b[", "\x9b1m", "\u2028", "\u202e", "\t", "\r\n"]),
        st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF, categories=["Cs"]),
    )
).map("".join)


@given(NASTY, st.integers(1, 40))
@example("a" * 39 + "\x1b[31m" + "b" * 200, 10)
def test_a_line_is_clean_bounded_and_stays_as_it_is(dirty: str, limit: int):
    line = text.one_line(dirty, limit)
    assert len(line) <= limit
    assert line.splitlines() in ([line], [])
    assert line == " ".join(line.split())
    assert not [char for char in line if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert text.one_line(line, limit) == line
    line.encode()


@given(NASTY, st.integers(1, 40))
def test_a_block_keeps_lines_and_nothing_else_that_moves_a_cursor(dirty: str, limit: int):
    block = text.block(dirty, limit)
    assert not {char for char in block if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")} - {"\n", "\t"}
    assert len(block) <= limit + 40


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("plain", "plain"),
        ("a\tb\nc\r\nd", "a b c d"),
        ("  a   b  ", "a b"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x07", "link"),
        ("$(rm -rf ~) `id` $HOME", "$(rm -rf ~) `id` $HOME"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("naïve ✓ 漢字", "naïve ✓ 漢字"),
        ("cut \ud83d here", "cut here"),
    ],
)
def test_what_becomes_of_it(dirty: str, clean: str):
    assert text.one_line(dirty) == clean


def test_what_was_cut_says_so():
    assert text.one_line("x" * 1_000_000) == "x" * 999 + "…"
    assert text.one_line(" " * 1_000_000 + "x") == "…"
    assert text.one_line("a" + "\n" * 5000 + "b") == "a…"
    assert text.block("x" * 100, 10) == "xxxxx\n[… 90 characters cut …]\nxxxxx"


@pytest.mark.parametrize(("count", "shown"), [(0, ""), (1, "a"), (2, "a, a"), (3, "a, a and 1 more")])
def test_a_listing_names_the_first_and_counts_the_rest(count: int, shown: str):
    assert text.listing(["a"] * count, 2) == shown


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("narrow the casts (casts is 15, required 9)", "narrow the casts (casts is 15…"),
        ("narrow the casts (crash: exit code 1)", "narrow the casts (crash: exit…"),
        ("fits in the line", "fits in the line"),
        ("x" * 40, "x" * 31 + "…"),
    ],
)
def test_a_line_is_shortened_between_words(long: str, short: str):
    assert text.shortened(long, 32) == short
