from __future__ import annotations

import pytest
from autoresearch.core import scope
from autoresearch.core.evaluator import imports, locked, named, programs, traps, words


@pytest.mark.parametrize(
    ("command", "executed"),
    [
        ("python3 check.py --seed 3", ["python3", "check.py"]),
        ("python3 -B tools/check.py src/app.py", ["python3", "tools/check.py"]),
        ("python -m bench.run --quick", ["python", "bench/run.py", "bench/run/__main__.py"]),
        ("python3 -c 'print(1)' check.py", ["python3"]),
        ("./check.sh && bash b.sh; c.sh | tail -1", ["./check.sh", "bash", "b.sh", "c.sh", "tail"]),
        ("SEED=3 timeout 60s node bench.js", ["timeout", "node", "bench.js"]),
        ("time -p ./run", ["time", "./run"]),
        ("make -s bench", ["make", "Makefile", "makefile", "GNUmakefile"]),
        ("npm test", ["npm", "package.json"]),
        ("cd tools\npython3 check.py", ["cd", "python3", "check.py"]),
    ],
)
def test_the_executed_files_of_a_command(command, executed):
    assert [path for path in programs(command) if path != ""] == executed


def test_every_word_that_could_be_a_path_is_named():
    assert named("python3 ./check.py --data=data/a.json SEED=seeds/1 -v") == (
        "python3",
        "check.py",
        "data/a.json",
        "SEED=seeds/1",
        "seeds/1",
    )


def test_quotes_that_do_not_close_are_read_all_the_same():
    assert "check.py" in words("python3 check.py 'oops")


def test_what_is_executed_is_locked_anywhere_and_what_is_named_only_outside_the_scope():
    found = locked(["python3 src/check.py src/app.py data/set.json"], scope.matcher("src/"))
    assert {"src/check.py", "data/set.json"} <= set(found)
    assert "src/app.py" not in found


def test_imports_are_candidates_by_file():
    source = "import helper, pkg.tool\nfrom pkg import part\nfrom . import near\n"
    assert {"helper.py", "pkg/tool.py", "pkg/tool/__init__.py", "pkg/part.py", "pkg/__init__.py"} <= set(
        imports(source)
    )
    assert imports("def broken(:\n") == ()


@pytest.mark.parametrize(
    ("verify", "direction", "verify_exit", "said"),
    [
        ("grep -c any src/app.ts", "lower", "zero", ["grep -c exits 1"]),
        ("rg --count TODO src", "lower", "zero", ["grep -c exits 1"]),
        ("grep -c any src/app.ts || true", "lower", "zero", []),
        ("grep -c any src/app.ts", "lower", "any", []),
        ("grep -c any src/app.ts", "higher", "zero", []),
        ("python3 -m pytest -q", "lower", "zero", ["pytest exits 1"]),
        ("python3 -m pytest -q || true", "lower", "zero", []),
        ("tsc --noEmit | wc -l", "lower", "zero", ["may fail unseen"]),
        ("set -o pipefail; tsc --noEmit | wc -l", "lower", "zero", []),
        ("python3 check.py", "lower", "zero", []),
    ],
)
def test_traps_are_named_with_their_remedies(verify, direction, verify_exit, said):
    found = traps(verify, direction, verify_exit)
    assert len(found) == len(said)
    assert all(words in trap for words, trap in zip(said, found))
