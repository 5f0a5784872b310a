"""Which files the checks execute or name, and how checks trap their users."""

from __future__ import annotations

import pytest
from autoresearch.setup import evaluator_files
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("command", "executed"),
    [
        ("python3 check.py src/app.py", "check.py"),
        ("python -u -W ignore check.py", "check.py"),
        ("./check.sh>out 2>&1", "./check.sh"),
        ("sh a.sh | b.sh && (c.sh); d.sh || e.sh & f.sh", "a.sh b.sh c.sh d.sh e.sh f.sh"),
        ("FOO=1 BAR='a b' python3 check.py", "check.py"),
        ("env A=1 timeout -k 5 60s nice -n 5 bash -o pipefail check.sh", "check.sh"),
        ("python -m pkg.check --x", "pkg/check.py pkg/check/__main__.py"),
        ("bash -c 'python3 inner.py | ./tool'", "inner.py ./tool"),
        ("uv run python check.py", "check.py"),
        ("poetry run ./check.sh", "./check.sh"),
        ("find . | xargs python x.py", "x.py"),
        ("if ./a; then ./b; else ./c; fi", "./a ./b ./c"),
        ("cd sub && python check.py; cd deep; ./x", "sub/check.py sub/deep/./x"),
        ("cd sub && python -m check", "sub/check.py sub/check/__main__.py"),
        ("python < script.py", "script.py"),
        ("make bench", "Makefile"),
        ("cd sub\nmake", "sub/Makefile"),
        ("npm test", "package.json"),
        ("echo 'unclosed; ./x", ""),
        ("node -e 'require(\"x\")'", ""),
        ("grep -c python src/app.py", ""),
        ("[ ! -e src/app.py ] || ! ./x", "./x"),
        ("find . ! -name src/app.py", "find"),
        ("", ""),
    ],
)
def test_executed_files(command: str, executed: str):
    found = evaluator_files.programs(command)
    assert [name for name in executed.split() if name not in found] == []
    assert not {"src/app.py", "src", "ignore", "pipefail", "60s", "run"} & set(found)


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("grep -c any src/app.ts", {"grep", "any", "src/app.ts"}),
        ("run --config=conf/a.toml DATA=data/x.json ./tool", {"conf/a.toml", "data/x.json", "tool"}),
        ("cat 'a b.txt'", {"a b.txt"}),
    ],
)
def test_named_files(command: str, named: set[str]):
    assert named <= set(evaluator_files.named(command))


def test_the_judge_is_locked_and_the_subject_is_not():
    locked = evaluator_files.locked(
        ["python3 src/check.py src/app.py conf.json", "sh guard.sh"], lambda p: p.startswith("src")
    )
    assert {"src/check.py", "conf.json", "guard.sh"} <= set(locked)
    assert "src/app.py" not in locked
    assert evaluator_files.executed(["./a.sh", "cd b && ./../a.sh"]) >= {"a.sh"}


def test_imports_are_followed_relative_ones_too():
    source = "import a, b.c\nfrom d import e\nfrom . import f\nfrom .g import h\ndef x():\n    import i\n"
    found = evaluator_files.imports(source)
    for name in ("a", "b/c", "d", "d/e", "f", "g", "g/h", "i"):
        assert {f"{name}.py", f"{name}/__init__.py"} <= set(found)
    for broken in ("def", "\0", "(" * 5000):
        assert evaluator_files.imports(broken) == ()


@given(st.text(max_size=60))
def test_no_command_breaks_the_reader(command: str):
    evaluator_files.locked([command], lambda _: False)


def test_python_code_on_the_command_line_is_no_shell():
    check = """python3 -c 'print(open("src/value").read())' && bash -c 'sh bench.sh'"""
    assert evaluator_files.programs(check) == ("python3", "bash", "sh", "bench.sh")
