"""What the checks work out themselves: ways out, tests that check nothing, signatures that users can tell apart."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Callable

import pytest
from autoresearch.checks import counted, escapes, surface, toolbox, tstypes
from autoresearch.kernel.core.settings import Config
from autoresearch.setup import evaluator

from tests.checks.conftest import link_node_modules, metrics, need
from tests.conftest import SCRIPTS, Ran, Repo


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 1  # type: ignore[attr-defined]\n", (1, 0, 0)),
        ("# mypy: ignore-errors\n", (1, 0, 0)),
        ("# a comment on types\nx = '# type: ignore'\n", (0, 0, 0)),
        ("import typing as t\nx = t.cast(int, 1)\ny: t.Any = 1\n", (0, 1, 1)),
        ("from typing import Any as A\ndef f(x: A) -> 'list[Any]': ...\n", (0, 0, 2)),
        ("def broken(: cast(Any)  # type: ignore\n", (1, 1, 1)),
    ],
)
def test_ways_out_of_types(source: str, found: tuple[int, int, int]):
    assert tuple(escapes.python_types([source]).values()) == found


@pytest.mark.parametrize(
    ("body", "hollow"),
    [
        ("assert f()", 0),
        ("self.assertEqual(f(), 1)", 0),
        ("with pytest.raises(ValueError): f()", 0),
        ("check_all(f())", 0),
        ("f()", 1),
        ("'assert is only said'", 1),
        ("pass", 1),
    ],
)
def test_tests_that_check_nothing(body: str, hollow: int):
    assert escapes.hollow_tests([f"def test_it():\n    {body}\n"]) == (1, hollow)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("def f(a, b)", "def f(a, b)", True),
        ("def f(a, b)", "def f(a, b, c=1)", True),
        ("def f(a, b)", "def f(a, b, *, c=1)", True),
        ("def f(a, b)", "def f(a, b, c)", False),
        ("def f(a, b)", "def f(a, c)", False),
        ("def f(a, b=1)", "def f(a, b=2)", False),
        ("def f(a, b=1)", "def f(a, b)", False),
        ("def f(a, /)", "def f(b, /)", True),
        ("def f(*args)", "def f(a=1, *args)", False),
        ("def f(*, key)", "def f(*, key=1)", False),
        ("@property def f(self)", "def f(self)", False),
        ("@classmethod def f(cls)", "@classmethod def f(cls, a=1)", True),
        ("class A(B)", "class A(C)", False),
    ],
)
def test_what_users_of_a_signature_notice(before: str, after: str, same: bool):
    assert surface.compatible(before, after) is same


@pytest.mark.parametrize(
    ("value", "shown"), [(3, "3"), (0.0123456789, "0.0123457"), (1234567.0, "1234570"), (1e-9, "0.000000001")]
)
def test_numbers_are_plain(value: float, shown: str):
    assert counted.plain(value) == shown


def test_branches_are_counted_where_no_line_is_missed(repo: Repo, check: Callable[..., Ran]):
    repo.write("pkg/__init__.py", "def f(a):\n    if a:\n        a = 1\n    return a\n")
    repo.write("test_a.py", "import pkg\n\n\ndef test_f():\n    assert pkg.f(2) == 1\n")
    ran = check("coverage", "pkg", "--branches")
    assert (metrics(ran)["missed_branches"], metrics(ran)["missed_lines"]) == ("1", "0")
    assert "pkg/__init__.py:2: the way to line 4 is not taken [branch]" in ran.out
    repo.write("make.sh", "printf 'SF:a.js\\nDA:1,1\\nBRDA:1,0,0,2\\nBRDA:1,0,1,0\\nend_of_record\\n' > out.info\n")
    lcov = ("coverage-lcov", "out.info", "--branches", "--build")
    assert metrics(check(*lcov, "sh make.sh"))["missed_branches"] == "1"
    assert "has no branches (BRDA)" in check(*lcov, "printf 'SF:a.js\\nDA:1,1\\nend_of_record\\n' > out.info").err
    assert check("coverage-go", "--branches").code == 1


def test_of_a_package_what_its_entry_offers_is_held(repo: Repo, check: Callable[..., Ran]):
    repo.write("pkg/__init__.py", "from .inner import Thing as Thing, make\n")
    repo.write("pkg/inner.py", "class Thing:\n    def use(self, a): ...\n    def _own(self): ...\ndef make(): ...\n"
               "def free(a): ...\n")  # fmt: skip
    commit = repo.commit("before")
    found = check("interface", "pkg", "--against", commit)
    assert (metrics(found)["public"], metrics(found)["changed"]) == ("3", "0"), found.out
    assert (
        "# held: names and signatures (no annotations) of what pkg/__init__.py offers; all else may change" in found.out
    )
    repo.write("pkg/inner.py", "class Thing:\n    def use(self): ...\ndef make(): ...\ndef free(): ...\n")
    found = check("interface", "pkg", "--against", commit)
    assert metrics(found)["changed"] == "1" and "Thing.use was: def use(self, a)" in found.out


def test_interface_names_what_is_gone_and_what_changed(repo: Repo, check: Callable[..., Ran]):
    repo.write("pkg/__init__.py", "def keep(a): ...\ndef gone(): ...\ndef other(a, b): ...\ndef _own(): ...\n")
    commit = repo.commit("before")
    repo.write("pkg/__init__.py", "def keep(a, b=1): ...\ndef other(a): ...\ndef new(): ...\n")
    ran = check("interface", "pkg", "--against", commit)
    assert metrics(ran) == {"changed": "2", "added": "1", "public": "3"}
    assert "pkg/__init__.py:2: gone is gone, it was: def gone() [gone]" in ran.out
    assert "pkg/__init__.py:2: other was: def other(a, b); is: def other(a) [changed]" in ran.out
    assert check("interface", "pkg", "--against", commit, "--at-most", 0).code == 1


def test_a_call_is_compared_with_the_start_and_a_wrong_answer_is_no_number(repo: Repo, check: Callable[..., Ran]):
    repo.write("work.py", "def work():\n    return sum(range(100000))\n")
    commit = repo.commit("slow")
    repo.write("work.py", "def work():\n    return 99999 * 50000\n")
    call = ("call", "work.work()", "--setup", "import work", "--against", commit)
    assert float(metrics(check(*call))["percent"]) < 50
    repo.write("work.py", "def work():\n    return 1\n")
    assert "the output differs" in check(*call).err


def test_a_call_that_answers_otherwise_each_time_is_refused(repo: Repo, check: Callable[..., Ran]):
    assert "two calls return different results" in check("call", "next(n)", "--setup", "n = iter(range(9))").err


def test_a_flaky_test_shows_over_seeds(repo: Repo, check: Callable[..., Ran]):
    text = 'import os\n\n\ndef test_order():\n    assert os.environ["PYTHONHASHSEED"] != "2"\n'
    repo.write("test_a.py", text)
    told = metrics(check("pytest", "--runs", 3))
    assert (told["failed"], told["flaky"], told["ran"], told["runs"]) == ("1", "1", "1", "3")


def test_a_file_that_cannot_be_loaded_is_counted_when_asked(repo: Repo, check: Callable[..., Ran]):
    repo.write("test_a.py", "def test_good():\n    assert 1\n")
    repo.write("test_b.py", "import nothing_of_that_name\n")
    assert "ModuleNotFoundError: No module named 'nothing_of_that_name'; its tests are hidden" in check("pytest").err
    assert metrics(check("pytest", "--count-broken"))["failed"] == "1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "is empty"), ("same\nsame\nsame\nother\n", "repeats one line"), ("fine\n", "has lost most of its length")],
)
def test_a_degenerate_text_is_not_judged(text: str, reason: str, repo: Repo, check: Callable[..., Ran]):
    for path in ("ref/good/a", "ref/bad/a", "a.md"):
        repo.write(path, "fine words of some length\n" * 2)
    commit = repo.commit("start")
    repo.write("a.md", text)
    ran = check("judge", "a.md", "--judge", "echo 5 {file}", "--anchors", "ref", "--against", commit)
    assert ran.code == 1 and reason in ran.err


def test_the_shipped_check_is_locked_where_a_run_measures_by_it(repo: Repo):
    entry = SCRIPTS / "autoresearch_check.py"
    config = Config(scope="src", verify=f"python3 {entry} docs .")
    locked = evaluator.files(repo.path, config)
    assert {str(entry), str(SCRIPTS / "autoresearch/checks/shape.py")} <= set(locked)
    assert evaluator.shown(repo.path, config, dict.fromkeys(locked, "")) == ()
    assert evaluator.files(repo.path, Config(scope="src", verify="true")) == ()


@pytest.mark.parametrize(
    ("err", "out", "told"),
    [
        (
            "CoverageWarning: no data\n",
            "..F\nFAILED tests/test_a.py::test_a - assert 1 == 2\n",
            "FAILED tests/test_a.py",
        ),
        ("a.py:1: CoverageWarning: none\n  self.warn(error)\nx\n", "", "x"),
        ("", "    :raises ValueError: when an int\nE   KeyError: 'x'\nERROR tests/a.py\n", "E KeyError: 'x' | ERROR"),
        ("warning: unused variable\nerror[E0425]: cannot find\n", "", "error[E0425]"),
        ("DeprecationWarning: old\n", "", "DeprecationWarning: old"),
        ("", "usage: tool\nline two\n", "usage: tool | line two"),
        ("", "", "nothing"),
    ],
)
def test_what_a_tool_said_is_its_error(err: str, out: str, told: str):
    assert toolbox.Ran(1, out, err, 0.1).complaint().startswith(told)


def test_a_call_of_go_is_timed_though_its_tests_do_not_build(repo: Repo, check: Callable[..., Ran]):
    need("go")
    repo.write("go.mod", "module play\n\ngo 1.16\n")
    repo.write("a.go", "package play\n\nfunc Pair(s string, n int) (string, error) {\n\treturn s[n:], nil\n}\n")
    repo.write("a_test.go", 'package play\n\nimport _ "not.here/at/all"\n')
    commit = repo.commit("before")
    call = ("gobench", 'Pair("a long text", 2)', ".", "--runs", 2, "--against", commit)
    told = metrics(check(*call))
    assert float(told["ns"]) > 0 and "percent" in told and "output" in told
    repo.write("a.go", "package play\n\nfunc Pair(s string, n int) (string, error) {\n\treturn s, nil\n}\n")
    assert "the call answers otherwise than that of the reference" in check(*call).err
    assert "undefined: None" in check("gobench", "None(1)", ".").err
    assert repo.status().strip() == "M a.go"


GO_METHOD = """\
package play

import str "strings"

type T struct{ words []string }

func New(s string) (*T, error) { return &T{str.Fields(s)}, nil }

func (t *T) Find(s string, n int) (int, *T, error) { return n + str.Index(s, t.words[0]), t, nil }

func (t *T) Drop() {}
"""


def test_a_method_of_go_is_timed_on_a_value_that_was_made_before(repo: Repo, check: Callable[..., Ran]):
    need("go")
    repo.write("go.mod", "module play\n\ngo 1.16\n")
    repo.write("a.go", GO_METHOD)
    commit = repo.commit("before")
    setup = 'b, _ := New(str.Repeat("ab ", 9)); i := []int{1, 2}; r := strings.NewReader("io.a")'
    call = ("gobench", 'b.Find("xab", i[1]+int(r.Size())-4)', "--runs", 1)
    told = metrics(check(*call, "--setup", setup, "--against", commit))
    assert float(told["ns"]) > 0 and "output" in told
    assert "has no result, expected" in check("gobench", "New2.Drop()", "--setup", "New2, _ := New(`b`)").err
    slow = ("--setup", "time.Sleep(3e8)")
    assert float(metrics(check("gobench", 'len(str.Fields("a b"))', *slow, "--runs", 1))["ns"]) < 1e5


def test_a_statement_that_django_sends_for_its_log_is_not_counted():
    space = runpy.run_path(str(Path(toolbox.__file__).parent / "inside/callable.py"), run_name="inside")
    statements = space["Statements"]()
    for sql in ("select id from posts", "SELECT QUOTE(1), QUOTE('a')", "select quote(id) from posts"):
        statements.note(sql)
    assert statements.count == 2


@pytest.mark.parametrize(
    ("files", "operands", "tool", "found"),
    [
        ((), ("src",), None, []),
        (("tsconfig.json",), ("src",), None, ["tsconfig.json"]),
        (("src/tsconfig.json", "tsconfig.json"), ("src",), None, ["src/tsconfig.json"]),
        (("p/a/tsconfig.json", "p/b/tsconfig.json"), ("p/a/src",), None, ["p/a/tsconfig.json"]),
        (("p/a/tsconfig.json", "p/b/tsconfig.json"), (), None, ["p/a/tsconfig.json", "p/b/tsconfig.json"]),
        (("p/a/tsconfig.json", "node_modules/x/tsconfig.json"), ("p",), None, ["p/a/tsconfig.json"]),
        (("tsconfig.json", "ts.json"), ("src",), "ts.json", ["ts.json"]),
        ((), ("src",), "ts.json", []),
    ],
)
def test_types_are_checked_by_the_nearest_settings(
    files: tuple[str, ...], operands: tuple[str, ...], tool: str | None, found: list[str], repo: Repo
):
    for name in (*files, *(f"{operand}/a.ts" for operand in operands)):
        repo.write(name, "{}")
    asked = toolbox.Request(repo.path, operands, {"tool": tool})
    assert tstypes.projects(asked) == [str(repo.path / name) for name in found]


def test_assumed_settings_of_typescript_are_told(repo: Repo, check: Callable[..., Ran]):
    need("node", "tsc")
    link_node_modules(repo, "tsc")
    repo.write("src/a.ts", "export const f = (a) => a\nexport const g = (a: string | null): string => a.trim()\n")
    repo.write("src/b.tsx", "import {f} from './a.ts'\nexport const d = f(1)\nexport default function h() {}\n")
    ran = check("tsc", "src")
    assert (
        metrics(ran)["errors"] == "2" and "# caution: no tsconfig.json was found: the settings are assumed" in ran.out
    )
    assert metrics(check("tsc", "src", "--option=--strict", "--option=false"))["errors"] == "0"
    assert "does not take --srict" in check("tsc", "src", "--option=--srict").err
    repo.write("package.json", '{"main": "dist/b.js"}')
    assert metrics(check("interface", "src"))["public"] == "2", "the default export has another name in its file"
    repo.write("tsconfig.json", '{"compilerOptions": {"jsx": "preserve", "allowImportingTsExtensions": true}}')
    ran = check("tsc", "src", "--option=--noImplicitAny")
    assert metrics(ran)["errors"] == "1" and "tsconfig" not in ran.out


def test_a_bundle_named_like_the_package_has_the_source_index_as_its_entry(tmp_path: Path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/index.ts").write_text("export * from './deep'\n")
    (tmp_path / "package.json").write_text(
        '{"name": "pack", "main": "./dist/cjs/pack.cjs", "types": "./dist/pack.d.ts"}'
    )
    assert tstypes.entries(tmp_path) == ["src/index.ts"]
    (tmp_path / "src/pack.ts").write_text("export const one = 1\n")
    assert tstypes.entries(tmp_path) == ["src/pack.ts"]
    (tmp_path / "package.json").write_text('{"name": "pack"}')
    assert tstypes.entries(tmp_path) == []
