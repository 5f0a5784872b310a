"""Which paths a scope allows."""

from __future__ import annotations

import pytest
from autoresearch.kernel.core import scope
from autoresearch.kernel.core.errors import Refusal
from hypothesis import given
from hypothesis import strategies as st

NAME = st.text("abcxyz0_-.", min_size=1, max_size=6).filter(lambda name: name.strip(".") == name)
PATH = st.lists(NAME, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("", ["a", "src/deep/b.py"], []),
        (".", ["a", "src/deep/b.py"], []),
        ("src", ["src", "src/a.py", "src/deep/b.py"], ["srcs/a.py", "lib/src/a.py", "sr"]),
        ("src/", ["src/a.py", "src/deep/b.py"], ["srcs/a.py"]),
        ("./src/", ["src/a.py"], ["a.py"]),
        ("src/app.py", ["src/app.py"], ["src/app.pyc", "src/appxpy"]),
        ("src/*.py", ["src/a.py"], ["src/deep/a.py", "src/a.ts"]),
        ("src/**", ["src/a.py", "src/deep/deeper/a"], ["srca"]),
        ("src/**/*.py", ["src/a.py", "src/deep/deeper/a.py"], ["a.py", "src/a.ts", "src/deep/a.pyi"]),
        ("**/*.py", ["a.py", "src/deep/a.py"], ["a.ts"]),
        ("**/tests", ["tests/a", "src/tests/a.py"], ["src/tests2/a.py"]),
        ("src/?.py", ["src/a.py"], ["src/ab.py", "src//.py"]),
        ("src/[a-c]*.py", ["src/a.py", "src/bx.py"], ["src/d.py"]),
        ("src/[!a-c].py", ["src/d.py"], ["src/a.py", "src/.py"]),
        ("src[!x]a", ["src-a", "src.a"], ["src/a", "srcxa"]),
        (r"src/[&|~[\d].py", ["src/&.py", "src/[.py", "src/d.py", "src/\\.py"], ["src/1.py", "src/a.py"]),
        ("src/*.{ts,tsx}", ["src/a.ts", "src/a.tsx"], ["src/a.js", "src/a.{ts,tsx}"]),
        ("{src,lib/{a,b}}/x.py", ["src/x.py", "lib/a/x.py", "lib/b/x.py"], ["lib/x.py"]),
        ("{src, lib}/x.py", ["src/x.py", "lib/x.py"], [" lib/x.py"]),
        ("src,lib", ["src/a", "lib/b"], ["test/c"]),
        ("src lib\n\tdocs ,, extra", ["src/a", "lib/b", "docs/c", "extra"], ["test/c"]),
        ("src !src/vendor", ["src/a"], ["src/vendor/a", "src/vendor"]),
        ("!src/vendor src", ["src/a"], ["src/vendor/a"]),
        ("!vendor", ["src/a", "b"], ["vendor/a"]),
        ("a+(b).py", ["a+(b).py"], ["aab.py"]),
        ("src/line.py", ["src/line.py"], ["src/line.py\n", "src/line.py\nx"]),
    ],
)
def test_patterns(pattern: str, inside: list[str], outside: list[str]):
    assert scope.outside([*inside, *outside], pattern) == tuple(outside)


@pytest.mark.parametrize(
    "pattern", ["src/{a,b", "src/a}", "a} {b,c}", "../other", "src/../../x", "/etc", "~/x", "!/etc", "src/[z-a]"]
)
def test_what_is_no_pattern_of_this_repository_is_refused(pattern: str):
    with pytest.raises(Refusal, match="expected"):
        scope.matcher(pattern)


@given(PATH)
def test_a_path_is_its_own_scope_and_so_is_each_folder_above_it(path: str):
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        assert scope.matcher("/".join(parts[:depth]))(path)
        assert scope.matcher("/".join(parts[:depth]) + "/")(path)


@given(PATH, PATH)
def test_a_plain_name_allows_nothing_beside_it(pattern: str, path: str):
    assert scope.matcher(pattern)(path) == (path == pattern or path.startswith(pattern + "/"))


@given(PATH, st.lists(NAME, min_size=1, max_size=3))
def test_what_is_taken_out_is_out_whatever_else_lets_it_in(path: str, others: list[str]):
    assert not scope.matcher(" ".join(["**", *others, "!" + path.split("/")[0]]))(path)


@given(st.text(max_size=30), st.text(max_size=10))
def test_any_text_is_a_scope_or_a_refusal(pattern: str, path: str):
    try:
        allowed = scope.matcher(pattern)(path)
    except Refusal:
        return
    assert allowed is (scope.outside([path], pattern) == ())
