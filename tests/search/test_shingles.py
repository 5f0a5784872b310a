"""How near patches are, and what they bring back."""

from __future__ import annotations

from autoresearch.search import shingles

OLD = "for item in items:\n    total = total + price_of(item) * count_of(item)\n"
NEW = "total = sum(price_of(item) * count_of(item) for item in items)\n"


def patch(old: str, new: str, path: str = "a.py") -> str:
    """A patch that replaces one text by another."""
    body = "".join(f"{sign}{line}\n" for sign, text in (("-", old), ("+", new)) for line in text.splitlines())
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1,9 +1,9 @@ def f():\n{body}"


def near(one: str, other: str) -> float:
    return shingles.resemblance(shingles.of(one), shingles.of(other))


def test_blanks_and_places_do_not_make_a_patch_another():
    moved = patch(OLD.replace("    ", "\t\t"), "  " + NEW).replace("@@ -1,9 +1,9 @@", "@@ -40,9 +44,9 @@")
    assert near(patch(OLD, NEW), moved) == 1


def test_another_idea_is_far_and_the_way_back_is_not_the_way():
    assert near(patch(OLD, NEW), patch(OLD, "total = cache[items]\n")) < 0.6
    assert near(patch(OLD, NEW), patch(NEW, OLD)) < 0.5


def test_another_constant_in_a_small_patch_is_no_repeat():
    before = "LIMIT = 1000\nSTEP = 10\n"
    assert near(patch(before, "LIMIT = 2000\nSTEP = 10\n"), patch(before, "LIMIT = 500\nSTEP = 20\n")) < 0.9
    assert shingles.of(patch("x = 1\n", "x = 2\n")) == frozenset()


def test_lines_that_a_kept_trial_deleted_are_known_again():
    assert shingles.brings_back(patch(NEW, OLD), patch(OLD, NEW)) == 2
    assert shingles.brings_back(patch(OLD, NEW), patch(OLD, NEW)) == 0
    assert shingles.brings_back(patch(NEW, OLD, "b.py"), patch(OLD, NEW)) == 0


def test_one_plain_line_beside_others_is_no_way_back():
    other = "def many_more(items):\n    for item in items:\n        yield item\n"
    assert "for item in items:" in OLD
    assert shingles.brings_back(patch(NEW, NEW + other), patch(OLD, NEW)) == 0


def test_a_few_lines_in_a_large_rewrite_are_no_way_back():
    old = "".join(f"value_{n} = compute({n})\n" for n in range(3))
    new = "".join(f"another_{n} = reworked({n}, {n})\n" for n in range(20))
    assert shingles.brings_back(patch(NEW, old + new), patch(old, NEW)) == 0
    assert shingles.brings_back(patch(NEW, old + new[:200]), patch(old, NEW)) == 3


def test_a_line_that_only_moved_is_not_deleted():
    both = patch(OLD, OLD + NEW)
    assert shingles.deleted(both) == frozenset()
    assert shingles.added(both) == {("a.py", NEW.strip())}
