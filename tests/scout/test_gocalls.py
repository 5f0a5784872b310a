"""What is timed for a goal in a Go project: benchmarks, functions, methods on values that are made first."""

from __future__ import annotations

import pytest
from autoresearch.scout import gocalls, surroundings

from tests.conftest import Repo

GLOB = """\
package glob

type Glob interface {
\tMatch(string) bool
\tClose()
}

func Compile(pattern string, separators ...rune) (Glob, error) { return nil, nil }

type Table struct{}

func New(width int) *Table { return nil }

func (t *Table) Render(rows []string, at map[int]bool) (string, error) { return "", nil }

type Plain struct{ n int }

func (Plain) Score(a, b string, f func(x, y int) bool) float64 { return 0 }

type Hidden interface{ Reach(c chan int) int }

func (t *Table) Odd(c Unknown) int { return 0 }
"""


@pytest.mark.parametrize(
    ("goal", "operands"),
    [
        ("Match is slow", """jumps over the lazy dog")' ./ --setup 'v, _ := Compile("[a-z]*")'"""),
        ("make matching faster", "'v.Match("),
        ("rendering a table takes long", """{"quick", "brown", "fox"},nil)' ./ --setup 'v := New(12)'"""),
        ("speed up Score", """with five dozen liquor jugs",nil)' ./ --setup 'var v Plain'"""),
        ("compile is slow", """'Compile("[a-z]*")' ./"""),
        ("Odd should be faster", ""),
        ("Close faster", ""),
        ("faster", ""),
    ],
)  # fmt: skip
def test_a_call_is_made_of_plain_values(goal: str, operands: str, repo: Repo):
    repo.write("go.mod", "module x.y/glob\n")
    repo.write("glob.go", GLOB)
    repo.git("add", "-A")
    found = gocalls.benchmark(surroundings.look(repo.path), goal)
    assert operands in found if operands else found == ""


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ("", []),
        ("a, b string, n int", [("a", "string"), ("b", "string"), ("n", "int")]),
        ("string, int", [("", "string"), ("", "int")]),
        ("f func(a, b int) bool, m map[string]int", [("f", "func(a, b int) bool"), ("m", "map[string]int")]),
        ("func(int, int) bool, []string", [("", "func(int, int) bool"), ("", "[]string")]),
        ("xs ...string", [("xs", "...string")]),
    ],
)
def test_parameters_are_read_as_go_reads_them(parameters: str, found: list[tuple[str, str]]):
    assert gocalls.pairs(parameters) == found
