"""Each kind on a small project whose numbers are counted by hand, with the real tool; then the program is broken.

A case is what is written, how the check is called, numbers and a finding that must come out, and an edit after which
there may be no number.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest
from autoresearch.checks import kinds

from tests.checks.conftest import findings, link_node_modules, metrics, need
from tests.conftest import Ran, Repo

SYNTAX = "def broken(:\n"
TYPED = """\
from typing import Any, cast
from typing import Any as Loose


def untyped(value):
    text = "# type: ignore in a string"
    return text


def loose(value: Any, other: "Any", third: Loose) -> int:
    number: int = "one"  # type: ignore
    return cast(int, value)


def wrong() -> int:
    return "one"
"""
TS = """\
// an any in a comment, and "any" in a string
export const list: readonly any[] = ["any"]
export function cast(value: unknown) { return value as string }
// @ts-expect-error
const fixed = ["a"] as const, wrong: number = "one"
export let late: string | undefined
export const length = late!.length
"""
TSCONFIG = '{"compilerOptions": {"strict": true, "target": "es2020", "noEmit": true}, "include": ["src"]}'
LINTED = 'import os\nimport sys  # noqa: F401\n\nprint("# noqa in a string")\n'
TESTS = """\
import pytest


def test_good():
    assert 1 == 1


def test_bad():
    assert 1 == 2


@pytest.mark.skip
def test_later():
    assert True


def test_hollow():
    "assert nothing"
    int("1")
"""
UNIT = """\
import unittest


class TestAll(unittest.TestCase):
    def test_good(self):
        self.assertEqual(1, 1)

    def test_bad(self):
        self.assertEqual(1, 2)

    @unittest.skip("later")
    def test_later(self):
        pass

    def test_parts(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertNotEqual(number, 1)
"""
JEST = """\
test("good", () => { expect(1).toBe(1) })
describe("more", () => {
  test("bad", () => { expect(2).toBe(3) })
})
test.skip("later", () => {})
"""
COVERED = """\
def used(flag):
    if flag:
        return 1
    return 2


def left(flag):  # pragma: no cover
    return 3


def missed():
    first = 1
    return first
"""
GO = """\
package play

import "fmt"

func Add(a, b int) int { return a + b }

func Bad() string { return fmt.Sprintf("%d", "x") }
"""
GO_TEST = """\
package play

import "testing"

func TestAdd(t *testing.T) {
	if Add(1, 2) != 3 {
		t.Fatal("no")
	}
}

func TestWrong(t *testing.T) {
	t.Run("sub", func(t *testing.T) {
		t.Errorf("Add is %d", Add(1, 2))
	})
}

func TestLater(t *testing.T) { t.Skip("later") }
"""
GO_BENCH = """\
package play

import "testing"

func BenchmarkAdd(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Add(i, i)
	}
}
"""
GO_FILES = {"go.mod": "module example.com/play\n\ngo 1.19\n", "a.go": GO, "a_test.go": GO_TEST}
RUST = """\
/// ```
/// assert_eq!(play::add(1, 2), 3);
/// ```
pub fn add(a: i32, b: i32) -> i32 {
    return a + b;
}

pub fn denied(x: u32) -> bool {
    x < 0
}

#[allow(dead_code)]
fn unused() {}

#[cfg(test)]
mod tests {
    #[test]
    fn good() {
        assert_eq!(super::add(1, 2), 3);
    }

    #[test]
    fn bad() {
        assert_eq!(super::add(1, 2), 4);
    }

    #[test]
    #[ignore]
    fn later() {}
}
"""
RUST_FILES = {"Cargo.toml": '[package]\nname = "play"\nversion = "0.1.0"\nedition = "2021"\n', "src/lib.rs": RUST}
SERVER = """\
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"item" * 50
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
DATABASE = """\
import sqlite3


def work():
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("create table t (id integer primary key, name text)")
    for number in range(5):
        db.execute("insert into t values (?, ?)", (number, str(number)))
    for name in "abc":
        db.execute(f"savepoint s{name}_x1")
        db.execute(f"release savepoint s{name}_x1")
    return [db.execute("select name from t where id = ?", (n,)).fetchone() for n in range(6)]
"""
SHAPE = '''\
"""A module."""


class Bare:
    def method(self):
        return [1 for a in () if a and a]

    def _private(self):
        return 1


def hollow():
    """Hollow."""


def said(a, b):
    """Tell whether the one is larger."""
    if a:
        return 1
    elif b:
        return 2
    for item in a:
        while item and b:
            pass
    try:
        return 3 if a else 4
    except ValueError:
        return 5
'''
JUDGE = "grep -o fine $1 | wc -l\n"
TWICE = "first = 1\nsecond = 2\nthird = 3\n\n    \nfourth = 4\n"
PYPROJECT = """\
[project]
name = "play"
dependencies = [
  "Requests[socks]>=2; python_version > '3'", # not "this"
  'click',
]

[project.optional-dependencies]
more = ["flask"]
"""
LOCK = '{\n  "packages": {\n    "node_modules/a": {\n    },\n    "node_modules/@b/c": {\n    }\n  }\n}\n'
LCOV = "SF:lib/a.js\\nDA:1,1\\nDA:2,0\\nDA:3,0\\nDA:5,0\\nend_of_record\\n"
LOSS = "import sys\nprint('epoch 1')\nprint(f'METRIC loss={0.5 + int(sys.argv[1]) / 100}')\n"


@dataclass(frozen=True)
class Case:
    """Files; the call after the kind; numbers; a finding; the break (path and text); programs; node_modules of."""

    files: dict[str, str]
    args: tuple[object, ...]
    numbers: str  # "name=value" with a blank between, * for any value
    finding: str
    broken: tuple[str, str]
    needs: tuple[str, ...] = ()
    modules: str = ""


PY = {"pkg/__init__.py": TYPED}
TSF = {"src/a.ts": TS, "tsconfig.json": TSCONFIG}
ESLINT = {
    "eslint.config.mjs": 'import js from "@eslint/js"\nexport default [js.configs.recommended]\n',
    "lib/a.js": "var unused = 1\n// eslint-disable-next-line no-unused-vars\nvar other = 2\n",
}
COVER = {"pkg/__init__.py": COVERED, "test_a.py": "import pkg\n\n\ndef test_it():\n    assert pkg.used(True) == 1\n"}
CASES = {
    "mypy": Case(PY, ("pkg", "--option=--strict"), "errors=2 files=1 ignores=1 casts=1 anys=3",
                 'pkg/__init__.py:16: Incompatible return value type (got "str", expected "int") [return-value]',
                 ("pkg/__init__.py", SYNTAX), ("mypy",)),
    "pyright": Case(PY, ("pkg",), "errors=1 files=1 ignores=1 casts=1 anys=3",
                    "[reportReturnType]", ("pkg/__init__.py", SYNTAX), ("pyright",)),
    "tsc": Case(TSF, ("src",), "errors=0 any=1 casts=1 bangs=1 ignores=1 files=1", "",
                ("src/a.ts", "export let a: = 1\n"), ("node", "tsc"), "tsc"),
    "ts-any": Case(TSF, ("src",), "any=1 implicit=0 errors=0 casts=1",
                   'src/a.ts:2: export const list: readonly any[] = ["any"] [any]',
                   ("src/a.ts", "export let a: = 1\n"), ("node", "tsc"), "tsc"),
    "ruff": Case({"pkg/a.py": LINTED}, ("pkg", "--option=--isolated", "--option=--select=F"),
                 "findings=1 ignores=1 files=1", "pkg/a.py:1: `os` imported but unused [F401]",
                 ("pkg/a.py", SYNTAX), ("ruff",)),
    "eslint": Case(ESLINT, ("lib",), "findings=1 ignores=1 files=1",
                   "lib/a.js:1: 'unused' is assigned a value but never used. [no-unused-vars]",
                   ("lib/a.js", "var =\n"), ("node", "eslint"), "eslint"),
    "clippy": Case(RUST_FILES, (), "findings=3 ignores=1 benches=1 files=1",
                   "src/lib.rs:5: unneeded `return` statement [clippy::needless_return]",
                   ("src/lib.rs", "fn broken( {\n"), ("cargo-clippy",)),
    "govet": Case(GO_FILES, (), "findings=1 ignores=0",
                  'a.go:7: fmt.Sprintf format %d has arg "x" of wrong type string [printf]',
                  ("a.go", "package play\nfunc broken( {\n"), ("go",)),
    "pytest": Case({"test_a.py": TESTS}, (), "failed=1 ran=3 skipped=1 hollow=1",
                   "test_a.py:8: test_a::test_bad: assert 1 == 2 [failed]", ("test_b.py", SYNTAX)),
    "unittest": Case({"test_a.py": UNIT}, (), "failed=2 ran=3 skipped=1",
                     "test_a.py:9: test_a.TestAll.test_bad: AssertionError: 1 != 2 [failed]", ("test_a.py", SYNTAX)),
    "jest": Case({"a.test.js": JEST, "package.json": "{}"}, (), "failed=1 ran=2 skipped=1",
                 "a.test.js:3: a.test.js more bad: ", ("b.test.js", 'test("x\n'), ("node", "jest"), "jest"),
    "vitest": Case({"a.test.mjs": 'import {test, expect, describe} from "vitest"\n' + JEST}, (),
                   "failed=1 ran=2 skipped=1", "a.test.mjs:4: a.test.mjs more bad: ",
                   ("b.test.mjs", 'test("x\n'), ("node", "vitest"), "vitest"),
    "gotest": Case(GO_FILES, ("--option=-vet=off",), "failed=1 ran=2 skipped=1",
                   "a_test.go:13: example.com/play.TestWrong/sub: Add is 3 [failed]",
                   ("a.go", "package play\nfunc broken( {\n"), ("go",)),
    "cargotest": Case(RUST_FILES, (), "failed=1 ran=3 skipped=1",
                      "src/lib.rs:24: src/lib.rs tests::bad: ", ("src/lib.rs", "fn broken( {\n"), ("cargo",)),
    "junit": Case({"test_a.py": TESTS}, ("out.xml", "--build", "python3 -m pytest -q --junitxml out.xml || true"),
                  "failed=1 ran=3 skipped=1", "test_a::test_bad:0: test_a::test_bad: assert 1 == 2 [failed]",
                  ("out.xml/keep", "a folder is in the way")),
    "coverage": Case(COVER, ("pkg",), "missed_lines=3 lines=7 tests=1 hollow=0 ignores=1",
                     "pkg/__init__.py:12: 2 lines of missed are not run [missed]", ("pkg/__init__.py", SYNTAX)),
    "coverage-go": Case({**GO_FILES, "a_test.go": GO_TEST.partition("func TestWrong")[0]}, ("--option=-vet=off",),
                        "missed_statements=1 statements=2", "a.go:7: 1 statements up to line 7 are not run",
                        ("a.go", "package play\nfunc broken( {\n"), ("go",)),
    "coverage-lcov": Case({"make.sh": f"printf '{LCOV}' > out.info\n"}, ("out.info", "--build", "sh make.sh"),
                          "missed_lines=3 lines=4", "lib/a.js:2: 2 lines of the module are not run [missed]",
                          ("make.sh", "exit 0\n")),
    "call": Case({"work.py": "def work():\n    return {'b', 'a'}\n"}, ("work.work()", "--setup", "import work"),
                 "output=* ms=*", "", ("work.py", SYNTAX)),
    "call-node": Case({"work.cjs": "exports.work = async () => ({b: 1, a: 2})\n"}, ("require('./work.cjs').work()",),
                      "output=* ms=*", "", ("work.cjs", "var =\n"), ("node",)),
    "command": Case({"work.py": "print(1)\n"}, ("python3 work.py", "--runs", 2), "ms=*", "", ("work.py", SYNTAX)),
    "gobench": Case({**GO_FILES, "b_test.go": GO_BENCH}, ("Add", "--runs", 2), "ns=*", "",
                    ("a.go", "package play\nfunc broken( {\n"), ("go",)),
    "startup": Case({"work.py": "import json\n"}, ("import work", "--runs", 2), "ms=*", "", ("work.py", SYNTAX)),
    "memory": Case({"work.py": "print(1)\n"}, ("python3 work.py",), "peak_kib=*", "", ("work.py", SYNTAX)),
    "build": Case({"make.sh": "mkdir out\n"}, ("sh make.sh", "--clean", "rm -rf out", "--runs", 2),
                  "seconds=* cpu_seconds=*", "", ("make.sh", "exit 3\n")),
    "http": Case({"app.py": SERVER}, ("/items", "--serve", "python3 app.py {port}", "--runs", 5),
                 "p50_ms=* p99_ms=* output=*", "", ("app.py", SERVER.replace("200", "500"))),
    "size": Case({"make.sh": "printf 12345 > out.txt\n"}, ("out.txt", "--build", "sh make.sh"),
                 "bytes=5 packed=25 files=1", "out.txt:0: 5 bytes [size]", ("make.sh", ": > out.txt\n")),
    "bundle": Case({"a.js": 'import {b} from "./b.js"\nconsole.log(b)\n', "b.js": "export const b = 1, c = 2\n"},
                   ("a.js",), "bytes=27 inputs=1", "a.js:0: ", ("b.js", "var =\n"), ("esbuild",), "esbuild"),
    "queries": Case({"db.py": DATABASE}, ("db.work()", "--setup", "import db"), "queries=18 distinct=5",
                    "db.py:12: 6 times select name from t where id = ? [query]", ("db.py", SYNTAX)),
    "docs": Case({"pkg/a.py": SHAPE}, ("pkg",), "undocumented=2 hollow=2 public=5",
                 "pkg/a.py:4: class Bare has no docstring [class]", ("pkg/a.py", SYNTAX)),
    "complexity": Case({"pkg/a.py": SHAPE}, ("pkg", "--over", 4), "complex=1 excess=4 worst=8 functions=4",
                       "pkg/a.py:16: said has complexity 8, over 4 [complexity]", ("pkg/a.py", SYNTAX)),
    "duplicates": Case({"a.py": TWICE, "b.py": "zero = 0\n" + TWICE}, ("--least", 4),
                       "duplicate_lines=4 lines=9", "b.py:2: 4 lines as at a.py:1 [duplicate]", ("", "")),
    "dependencies": Case({"pyproject.toml": PYPROJECT, "package.json": '{"dependencies": {"a": "1"}}',
                          "package-lock.json": LOCK}, (), "dependencies=3 locked=2",
                         "pyproject.toml:0: requests [dependency]", ("package.json", "{")),
    "loss": Case({"train.py": LOSS}, ("python3 train.py {seed}",), "loss=0.52 worst=0.53 best=0.51", "",
                 ("train.py", "print('METRIC loss=nan')\n")),
    "judge": Case({"a.md": "fine words\n", "ref/good/a": "fine words, fine\n", "ref/bad/a": "x\n", "judge.sh": JUDGE},
                  ("a.md", "--judge", "sh judge.sh {file}", "--anchors", "ref"),
                  "score=1 worst=1 anchor_gap=2 texts=1 calls=9", "a.md:0: 1 of 10 [score]",
                  ("judge.sh", "echo 5\n")),
    "tap": Case({"t.tap": "ok 1 - a\nnot ok 2 - b # no\n1..2\n"}, ("cat t.tap",), "failed=1 ran=2 skipped=0",
                "b:0: b: not ok [failed]", ("t.tap", "ok 1 - a\n1..2\n")),
    "interface": Case({"pkg/a.py": SHAPE}, ("pkg",), "public=4", "pkg/a.py:16: def said(a, b) [public]",
                      ("pkg/a.py", SYNTAX)),
}  # fmt: skip
# golangci-lint is installed neither in CI nor by any registry that the tests use.
UNTRIED = {"golangci"}
BESIDE = {"answers"}  # test_answers.py


def test_every_kind_is_tried():
    assert set(CASES) | UNTRIED | BESIDE == set(kinds.KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_an_empty_folder_gives_no_number(kind: str, repo: Repo, check: Callable[..., Ran]) -> None:
    case = CASES[kind]
    need(*case.needs)
    empty = check(kind, *case.args)
    assert (empty.code, empty.out) == (1, ""), empty.out
    assert empty.err.startswith("error: ") and ", expected" in empty.err and len(empty.err.splitlines()) == 1


@pytest.mark.parametrize("kind", CASES)
def test_a_kind_counts_what_is_there_and_nothing_of_a_broken_program(
    kind: str, repo: Repo, check: Callable[..., Ran]
) -> None:
    case = CASES[kind]
    need(*case.needs)
    if case.modules:
        link_node_modules(repo, case.modules)
    for path, text in case.files.items():
        repo.write(path, text)
    ran = check(kind, *case.args)
    told = metrics(ran)
    for name, value in (number.split("=") for number in case.numbers.split()):
        assert told[name] == value or value == "*", (name, told)
    assert next(iter(told)) == kinds.of(kind).metric or kind == "interface"
    assert case.finding in ran.out
    assert {require.split()[0] for require in kinds.of(kind).require} <= set(told)
    if not case.broken[0]:
        return  # counts text, which need not be a program
    if case.broken[0].endswith("/keep"):
        (repo.path / "out.xml").unlink()
    repo.write(*case.broken)
    refused = check(kind, *case.args)
    assert (refused.code, refused.out) == (1, ""), refused.out
    assert refused.err.startswith("error: ") and ", expected" in refused.err


def test_benchmarks_that_need_another_rust_are_left_out_and_told(repo: Repo, check: Callable[..., Ran]) -> None:
    need("cargo-clippy")
    for path, text in {**RUST_FILES, "benches/b.rs": "#![feature(test)]\nextern crate test;\n"}.items():
        repo.write(path, text)
    assert {"findings": "3", "benches": "0"}.items() <= metrics(check("clippy")).items()
    repo.write("src/lib.rs", "fn broken( {\n")
    assert check("clippy").code == 1


# Not those that stand beside the tests' interpreter, where every check looks.
FOREIGN = [kind for kind, case in CASES.items() if case.needs and not Path(sys.executable).with_name(kind).exists()]


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_missing_tool_is_named(kind: str, repo: Repo, run_script: Callable[..., Ran], tmp_path: Path) -> None:
    for path, text in CASES[kind].files.items():
        repo.write(path, text)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "git"):
        (programs / name).symlink_to(str(shutil.which(name)))
    ran = run_script("check", kind, *CASES[kind].args, cwd=repo.path, env={"PATH": str(programs)})
    assert (ran.code, ran.out) == (1, ""), ran.out
    assert "is not installed here, expected " in ran.err, ran.err


def test_findings_are_bounded_and_the_number_is_not(repo: Repo, check: Callable[..., Ran]):
    repo.write("a.py", "\n\n".join(f"def f{n}(): pass" for n in range(30)))
    ran = check("docs", "--findings", 3)
    assert metrics(ran)["undocumented"] == "31"
    assert (len(findings(ran)), "# 28 more findings" in ran.out) == (3, True)


def test_a_path_that_is_not_there_and_a_foreign_option_are_refused(repo: Repo, check: Callable[..., Ran]):
    assert "is not there, expected a file or folder" in check("docs", "nowhere").err
    assert "docs takes no --runs" in check("docs", "--runs", 3).err
    assert check("nonsense").code == 2


def test_any_kind_is_a_guard(repo: Repo, check: Callable[..., Ran]):
    repo.write("a.py", "def f(): pass\n")
    assert check("docs", "--at-most", 2).code == 0
    refused = check("docs", "--at-most", 1)
    assert refused.code == 1 and "a.py:1: function f has no docstring" in refused.out


def test_a_limit_beside_a_reference_is_one_of_its_percent(repo: Repo, check: Callable[..., Ran]):
    """A hidden check of a second workload says `--at-most 110`, whatever the call takes."""
    repo.write("work.py", "def work():\n    return sum(range(20000))\n")
    repo.commit("work")
    call = ("call", "work()", "--setup", "from work import work", "--against", repo.git("rev-parse", "HEAD").strip())
    assert check(*call, "--at-most", 20).code == 1  # less than 20 ms, and about 100 % of the reference
    assert check(*call, "--at-most", 2000).code == 0


def test_the_help_beside_a_kind_is_about_that_kind(run_script: Callable[..., Ran]):
    told = run_script("check", "queries", "--help").out
    assert "SQL statements" in told and "--setup" in told
    assert "--judge" not in told and "mypy" not in told
    assert "--judge" in run_script("check", "--help").out


@pytest.mark.parametrize(("kind", "number"), [("coverage", "missed_lines=3"), ("pytest", "failed=0")])
def test_code_below_src_needs_no_installation(kind: str, number: str, repo: Repo, check: Callable[..., Ran]) -> None:
    repo.write("src/pkg/__init__.py", COVERED)
    repo.write("tests/test_a.py", COVER["test_a.py"])
    name, value = number.split("=")
    assert metrics(check(kind, *(["src/pkg"] if kind == "coverage" else [])))[name] == value
