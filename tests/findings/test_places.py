"""Findings read from outputs of tools, compared without their line numbers."""

from __future__ import annotations

import pytest
from autoresearch.findings import places


@pytest.mark.parametrize(
    ("line", "path", "number", "rule"),
    [
        ("pkg/a.py:3: error: Missing return  [return]", "pkg/a.py", 3, "return"),
        ("a.py:1:8: F401 `os` imported but unused", "a.py", 1, "F401"),
        ("src/a.ts(58,12): error TS18046: 'val' is of type 'unknown'.", "src/a.ts", 58, "TS18046"),
        ("./main.go:7:2: undefined: x", "./main.go", 7, ""),
        ("Makefile:2: missing separator", "Makefile", 2, ""),
    ],
)
def test_lines_of_tools(line: str, path: str, number: int, rule: str):
    (place,) = places.found(line)
    assert (place.path, place.line, place.rule) == (path, number, rule)


@pytest.mark.parametrize("line", ["METRIC a=1", "12:30:05 started", "http://a.b:80/ is up", "error: no", "a:b: c"])
def test_lines_without_a_place(line: str):
    assert places.found(line) == ()


def test_a_moved_finding_is_the_same_and_equal_ones_are_counted():
    before = places.found("a.py:1: x [r]\na.py:2: x [r]\na.py:3: y at line 7 [r]")
    after = places.found("a.py:5: x [r]\na.py:9: y at line 8 [r]\nb.py:1: x [r]")
    found = places.compared(before, after)
    assert (list(map(str, found.gone)), list(map(str, found.new))) == (["a.py:2: x [r]"], ["b.py:1: x [r]"])


def test_groups_name_the_folder_where_names_repeat():
    text = "a/x.py:1: u [r]\na/x.py:2: v [r]\nb/x.py:1: u [s]\nc.py:1: u"
    assert places.grouped(places.found(text), 2) == "2 r in a/x.py, 1 s in b/x.py and 1 more"
