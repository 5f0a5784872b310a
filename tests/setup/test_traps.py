"""Checks that trap their users: exit codes, and what a shell text hides."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.kernel.core.settings import Config
from autoresearch.setup import traps
from hypothesis import given
from hypothesis import strategies as st


def warned(verify: str, direction: str, verify_exit: str, pattern: str = "") -> tuple[str, ...]:
    """The warnings on a check."""
    config = Config(verify=verify, direction=direction, verify_exit=verify_exit, metric_pattern=pattern)
    return traps.of_check(Path(), config)


@pytest.mark.parametrize(
    ("verify", "trap"),
    [
        ("grep -c any src/app.ts", "grep -c exits 1"),
        ("grep -rc any src", "grep -c exits 1"),
        ("rg --count any", "grep -c exits 1"),
        ("git grep -c any", "grep -c exits 1"),
        ("pytest -q", "pytest exits 1"),
        ("python -m pytest tests", "pytest exits 1"),
        ("npx tsc | grep error", "first command of the pipe"),
        ("cd src; grep -c any app.ts", "grep -c exits 1"),
        ("echo METRIC n=$(npx tsc | grep -c error)", "first command of the pipe"),
        ("mypy src | wc -l", "first command of the pipe"),
    ],
)
def test_traps_are_named_with_their_remedies(verify: str, trap: str):
    (found,) = warned(verify, "lower", "zero")
    assert found.startswith(trap) or f"the {trap}" in found
    assert ": " in found


@pytest.mark.parametrize(
    ("direction", "pattern", "number"), [("lower", r"(\d+) failed", 1), ("higher", r"(\d+) passed", 0)]
)
def test_a_number_that_vanishes_at_zero_is_warned_of(direction: str, pattern: str, number: int):
    assert len(warned("pytest -q", direction, "any", pattern)) == number


def test_a_pipe_into_a_count_fails_at_both_ends():
    unseen_zero, unseen_crash = warned("npx tsc | grep -c error", "lower", "zero")
    assert unseen_zero.startswith("grep -c exits 1") and unseen_crash.startswith("the first command of the pipe")


@pytest.mark.parametrize(
    ("verify", "direction", "verify_exit"),
    [
        ("grep -c any src || true", "lower", "zero"),
        ("grep -c any src", "lower", "any"),
        ("grep -c any src", "higher", "zero"),
        ("grep any src", "lower", "zero"),
        ("pytest -q || true", "lower", "zero"),
        ("pytest -q", "lower", "any"),
        ("set -o pipefail; mypy src | wc -l", "lower", "zero"),
        ("grep -c 'a|b' src || true", "lower", "zero"),
        ("python3 check.py", "lower", "zero"),
        ('out=$(mypy src); test $? -le 1 && echo METRIC n=$(echo "$out" | grep -c error)', "lower", "zero"),
    ],
)
def test_sound_checks_are_not_warned_of(verify: str, direction: str, verify_exit: str):
    assert warned(verify, direction, verify_exit) == ()


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(command: str):
    warned(command, "lower", "zero")


@pytest.mark.parametrize(
    ("verify", "build"),
    [
        ("make -s prog && ./prog", "make"),
        ("cargo run --release", "cargo run"),
        ("cd app && npm run build && node dist/x.js", "npm run build"),
        ("gcc -O2 a.c -o a && ./a", "gcc"),
        ("go test -bench .", "go test"),
        ("python3 make.py", ""),
        ("./bench", ""),
    ],
)
def test_a_build_within_the_check_is_told_of(verify: str, build: str):
    told = [text for text in warned(verify, "lower", "zero") if "--prepare" in text]
    assert [text.partition(" may build")[0] for text in told] == ([build] if build else [])


def test_scripts_that_the_check_runs_are_read_too(tmp_path: Path):
    (tmp_path / "check.sh").write_text("#!/bin/bash\nfor i in {1..3}; do ./bench; done\ncat out.json\n")
    told = " ".join(traps.of_check(tmp_path, Config(verify="sh check.sh")))
    assert "check.sh: bench may fail unseen" in told and ("{1..3}" in told) != traps.sh_is_bash()
    assert "{1..3}" not in " ".join(traps.of_check(tmp_path, Config(verify="./check.sh")))
    (tmp_path / "check.sh").write_text("#!/bin/sh -e\n./bench > out.json\ncat out.json\n")
    assert traps.of_check(tmp_path, Config(verify="./check.sh")) == ()


SWALLOWS = {
    "chk.py": "def run():\n    try:\n        return impl.V\n    except Exception:\n        return 0\n",
    "sets.py": "try:\n    import impl\n    n = impl.V\nexcept:\n    n = -1\nprint(n)\n",
    "tool": "#!/usr/bin/env python3\ntry:\n    run()\nexcept BaseException as e:\n    print(f'METRIC ms={99}')\n",
    "chk.js": 'try { require("./impl").run() } catch (e) { console.log("METRIC ms=0") }\n',
    "chk.rb": "begin\n  run\nrescue => e\n  puts 0\nend\n",
}
ENDS = {
    "chk.py": "try:\n    import impl\nexcept ImportError:\n    print(0)\n",
    "sets.py": "import sys\ntry:\n    run()\nexcept Exception as e:\n    print(0)\n    sys.exit(1)\n",
    "tool": "#!/usr/bin/env python3\ntry:\n    run()\nexcept Exception as e:\n    print(e.args[0], file=log)\n",
    "chk.js": "try { run() } catch (e) { console.log(0); process.exit(1) }\nconsole.log(5)\n",
    "chk.rb": "begin\n  run\nrescue => e\n  abort e.message\nend\nputs 0\n",
}


@pytest.mark.parametrize("name", SWALLOWS)
def test_a_script_that_makes_a_number_of_its_failure_is_warned_of(tmp_path: Path, name: str):
    runner = {"py": "python3 ", "js": "node ", "rb": "ruby "}.get(name[-2:], "./")
    for text, count in ((SWALLOWS[name], 1), (ENDS[name], 0)):
        (tmp_path / name).write_text(text)
        found = traps.of_check(tmp_path, Config(verify=f"{runner}{name}"))
        assert len(found) == count and all("every error and " in said for said in found)


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        ("python -c 'try:\n  import impl; print(impl.V)\nexcept: print(0)'", "is given catches every error and prints"),
        ("python3 - <<'X'\ntry:\n  run()\nexcept Exception:\n  print(0)\nX", "is given catches every error"),
        ("node -e 'try { run() } catch { console.log(0) }'", "that node is given catches"),
        ("python3 -c 'try:\n  run()\nexcept ValueError: print(0)'", ""),
        ("python bench.py 2>/dev/null || true", "passes over every failure of python"),
        ("sh -c 'timeout 5 ./bench || :'", "passes over every failure of bench"),
        ("python bench.py || echo 0", "where python fails, the command behind ||"),
        ("python -m pytest -q || true", ""),
        ("grep -c x a.txt || true", ""),
    ],
)
def test_a_check_that_swallows_its_failure_in_its_own_text_is_warned_of(verify: str, said: str):
    found = traps.of_check(Path(), Config(verify=verify))
    assert any(said in one for one in found) if said else not found


def test_recipes_that_go_on_are_warned_of_where_the_check_reaches_them(tmp_path: Path):
    recipe = "bench: build\n\t-python bench.py > out.txt\n\t@cat out.txt\nbuild:\n\t@-rm -f out.txt\n\t%s\n"
    (tmp_path / "Makefile").write_text(recipe % "gcc x.c || true" + "other:\n\tpython other.py\n")
    (tmp_path / "package.json").write_text('{"scripts": {"b": "node bench.js || echo 0", "c": "node bench.js"}}')
    counts = {"make bench": 2, "make": 2, "make build": 1, "make other": 0, "npm run b": 1, "npm run c": 0}
    for verify, count in counts.items():
        found = [said for said in traps.of_check(tmp_path, Config(verify=verify)) if "may build" not in said]
        assert len(found) == count, (verify, found)
