"""TAP as the runners print it: nested, with comments, with a plan at the start or the end."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.checks.conftest import metrics, need
from tests.conftest import Ran, Repo

MOCHA = """\
1..3
ok 1 a adds
not ok 2 a fails
  Error: wrong
      at Context.<anonymous> (test/a.js:9:3)
ok 3 a b # SKIP -
"""
TAPE = """\
TAP version 13
# one
ok 1 equal
ok 2 equal
# two
not ok 3 equal
  ---
    operator: equal
    at: T (/x/b.js:4:2)
"""
NESTED = """\
# Subtest: g
    ok 1 - in
    not ok 2 - out
      ---
      error: 'bad'
    1..2
not ok 1 - g
1..1
"""
NODE = """\
const test = require("node:test"), assert = require("node:assert")
test("good", () => {})
test("group", async t => {
  await t.test("inner", () => {})
})
test("bad", () => { assert.fail("two is no three") })
test("later", {skip: true}, () => {})
"""


@pytest.mark.parametrize(
    ("text", "code", "numbers", "finding"),
    [
        (MOCHA, 1, ("1", "2", "1"), "test/a.js:9: a fails: not ok [failed]"),
        (TAPE + "  ...\n1..3\n# fail  1\n", 1, ("1", "3", "0"), "/x/b.js:4: two equal: equal [failed]"),
        (NESTED, 1, ("1", "2", "0"), "out:0: out: bad [failed]"),
        ("ok 1 - a # TODO\nnot ok 2 - b # TODO later\nok 3 - c # time=3ms\n1..3\n", 0, ("0", "1", "2"), ""),
        ("1..2\nok 1 - a\n", 1, None, "did not finish"),
        ("ok 1 - a\nBail out! no\n", 1, None, "did not finish"),
        ("ok 1 - a\n", 7, None, "did not finish"),
        ("all fine\n", 0, None, "printed no TAP"),
        ("not ok 1 - /p/a.test.js\n1..1\n", 1, None, "/p/a.test.js could not be loaded"),
        ("1..0\n", 0, None, "printed no TAP"),
    ],
)
def test_tap_is_counted_by_its_leaves(
    text: str, code: int, numbers: tuple[str, ...] | None, finding: str, repo: Repo, check: Callable[..., Ran]
):
    repo.write("out.tap", text)
    ran = check("tap", f"cat out.tap; exit {code}")
    if numbers is None:
        assert ran.code == 1 and finding in ran.err, ran
        return
    assert tuple(metrics(ran).values()) == numbers
    assert finding in ran.out


def test_the_tests_of_node_are_counted(repo: Repo, check: Callable[..., Ran]):
    need("node")
    repo.write("a.test.js", NODE)
    line = "node --test-reporter=tap --test a.test.js"
    ran = check("tap", line)
    assert metrics(ran) == {"failed": "1", "ran": "3", "skipped": "1"}
    assert "a.test.js:6: bad: two is no three [failed]" in ran.out
    repo.write("a.test.js", "const broken = (\n")
    assert "a.test.js could not be loaded" in check("tap", line).err
