"""What the user's words settle: the check, the guards, what may change; in several languages, and nothing made up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable

import pytest
from autoresearch.scout import known_tools, sentence, surroundings, topics
from autoresearch.scout.surroundings import Project

from tests.conftest import Ran, Repo

FILES = {
    "pkg/__init__.py": "def f(a):\n    return a\n",
    "pkg/deep/m.py": "",
    "same.py": "",
    "score.py": "print(7)\n",
    "data.bin": "7",
    "mypy.ini": "[mypy]\nstrict = True\n",
    "Makefile": "test:\n\ttrue\n",
    "tests/test_a.py": "",
    ".gitignore": "__pycache__/\n.mypy_cache/\n",
}


@pytest.fixture
def project(repo: Repo) -> Project:
    for path, text in FILES.items():
        repo.write(path, text)
    repo.commit("project")
    return surroundings.look(repo.path)


SAME, SCORE, MAKE = "python3 same.py", "python3 score.py", "make test"


@pytest.mark.parametrize(
    ("goal", "check", "guards"),
    [
        ("Fewer type errors. `python3 same.py` must keep passing (exit 0).", "", SAME),
        ("Weniger Typfehler, `python3 same.py` muss weiter laufen.", "", SAME),
        ("die Typfehler sollen weg, ohne `make test` kaputt zu machen", "", MAKE),
        ("Typfehler weg. `make test` darf nicht fehlschlagen", "", MAKE),
        ("moins d'erreurs de types; `python3 same.py` doit toujours passer", "", SAME),
        ("menos errores de tipos sin romper `make test`", "", MAKE),
        ("make pkg/deep/m.py faster without breaking `make test`", "", MAKE),
        ("reduce the type errors; 'python3 same.py' must pass", "", SAME),
        ("`python3 same.py` must pass", SAME, ""),
        ("`make test` muss durchlaufen", MAKE, ""),
        ("reduce what `python3 score.py` prints without breaking `make test`", SCORE, MAKE),
        ("Keep `make test` green and lower the number of “python3 score.py”", SCORE, MAKE),
        ("`make test` and `python3 same.py` stay green, less of what `python3 score.py` prints", SCORE, (MAKE, SAME)),
        ("`python3 score.py` is still too slow, but keep the output as it is", SCORE, ""),
        ("`python3 score.py` runs for 9 s, that must not stay so", SCORE, ""),
        ("`pytest` must keep passing; fewer type errors", "", "pytest"),
        ("rename `test foo` to `find all`, `sort by name`, `make faster`, `no-such x` and `cast`", "", ""),
        ("make the number that python3 score.py prints as small as possible. same.py stays", SCORE, ""),
        ("fewer type errors, python3 same.py must keep passing", "", SAME),
        ("Weniger von dem, was python3 ./score.py ausgibt; python3 same.py muss laufen.", "python3 ./score.py", SAME),
        ("less of what ./score.py --fast 9 prints", "./score.py --fast 9", ""),
        ("fewer type errors; cargo test must keep passing and npm run lint too", "", ""),
        ("make test must pass, go test it, python3 of the past, node and bash, run sh scripts", "", ""),
        ("python3 is slow here: pkg/deep/m.py, and node too", "", ""),
        ("No `# type: ignore`, no new `Any`: fewer type errors", "", ""),
        ("`go away` said `time flies`", "", ""),
        ("`cd pkg && python3 ../score.py` prints too much", "cd pkg && python3 ../score.py", ""),
        ("`python3 same.py` writes data.bin; less of what `python3 score.py` prints", SCORE,
         "python3 same.py && git diff --exit-code -- data.bin"),
        ("`python3 score.py` schreibt das data.bin, `python3 same.py` muss weiter laufen", "",
         (SAME, "python3 score.py && git diff --exit-code -- data.bin")),
        ("less of what `python3 score.py` prints; only same.py may change (`python3 same.py` writes data.bin)", SCORE,
         "python3 -c 'import runpy; runpy.run_module(\"same\", run_name=\"__main__\")'"
         " && git diff --exit-code -- data.bin"),
        ("less of what `python3 score.py` prints; only same.py may change (`python3 same.py x` writes data.bin)", SCORE,
         ""),
        ("`python3 score.py` makes too much noise", SCORE, ""),
    ],
)  # fmt: skip
def test_a_quoted_command_measures_or_must_keep_passing(project: Project, goal: str, check: str, guards: object):
    said = sentence.read(project, goal)
    assert (said.check, said.guards) == (check, guards if isinstance(guards, tuple) else tuple(filter(None, [guards])))


@pytest.mark.parametrize(
    ("goal", "scope", "kept"),
    [
        ("Only files under pkg/ may change.", "pkg/**", ""),
        ("Only pkg/__init__.py and score.py may change, don't touch tests/", "pkg/__init__.py score.py", "tests/**"),
        ("Nur pkg/deep darf geändert werden, mypy.ini nicht anfassen", "pkg/deep/**", "mypy.ini"),
        ("Ändere nur score.py", "score.py", ""),
        (
            "Only same.py and data.bin may change (made of score.py; in mypy.ini). score.py and pkg stay as they are.",
            "same.py data.bin",
            "pkg/** score.py",
        ),
        ("ne modifie que pkg/", "pkg/**", ""),
        ("solo pkg/ puede cambiar", "pkg/**", ""),
        ("Nothing outside pkg/deep may change", "pkg/deep/**", ""),
        ("nichts außerhalb von pkg/ ändern", "pkg/**", ""),
        ("You may change pkg/, nothing else", "pkg/**", ""),
        ("No looser mypy.ini, please", "", "mypy.ini"),
        ("mypy.ini stays as it is", "", "mypy.ini"),
        ("score.py must not change", "", "score.py"),
        ("leave tests alone", "", "tests/**"),
        ("work only in pkg.deep.m", "pkg/deep/m.py", ""),
        ("fix score.py without changing its behaviour", "", ""),
        ("score.py does not work, fix it", "", ""),
        ("make score.py faster and the output must not change", "", ""),
        ("Only the number counts", "", ""),
    ],
)
def test_what_may_change_and_what_may_not(project: Project, goal: str, scope: str, kept: str):
    said = sentence.read(project, goal)
    assert (said.scope, sorted(said.kept)) == (tuple(scope.split()), sorted(kept.split()))


def test_limits_are_no_goal(project: Project):
    said = sentence.read(project, "Make pkg faster. No new `any`, no warnings. `make test` must stay green.")
    assert topics.topics(said.rest) == ("speed",)


@pytest.mark.parametrize(
    ("command", "kind", "operands"),
    [
        ("{bin}/mypy pkg", "mypy", "pkg --tool {bin}/mypy"),
        ("{bin}/mypy --strict --config-file mypy.ini pkg | tail -1", "mypy",
         "--option=--strict --option=--config-file --option=mypy.ini pkg --tool {bin}/mypy"),
        ("mypy pkg", "mypy", "pkg"),
        ("uv run mypy pkg 2>&1", "mypy", "pkg"),
        ("python3 -m mypy pkg", "mypy", "pkg"),
        ("ruff check pkg -q", "ruff", "pkg"),
        ("python3 -m pytest tests -q -k a", "pytest", "tests --option=-k --option=a"),
        ("{bin}/pytest -x", "pytest", ""),
        ("mypy -p pkg", "", ""),
        ("mypy nowhere", "", ""),
        ("{bin}/gone/mypy pkg", "", ""),
        ("ruff format pkg", "", ""),
        ("mypy pkg && make test", "", ""),
        ("python3 score.py", "", ""),
    ],
)  # fmt: skip
def test_a_command_of_a_known_tool_is_the_shipped_check(
    project: Project, tmp_path: Path, command: str, kind: str, operands: str
):
    place = tmp_path / "bin"
    place.mkdir()
    for name in ("mypy", "pytest"):
        (place / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {name} "$@"\n')
        (place / name).chmod(0o755)
    found = known_tools.known(project, command.format(bin=place))
    told = (found.kind, found.operands) if found else ("", "")
    assert told == (kind, operands.format(bin=place))


def test_the_scout_and_the_dry_run_take_what_was_said(project: Project, tmp_path: Path, run_script: Callable[..., Ran]):
    tool = tmp_path / "bin" / "mypy"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m mypy "$@"\n')
    tool.chmod(0o755)
    goal = f"`{tool} pkg` reports type errors. `{SAME}` must keep passing. Only pkg/ may change. No looser mypy.ini."
    page = run_script("scout", "--repo", project.root, "--goal", goal, "--measure").out
    assert "1. errors, lower is better: 1 now" in page and f"CHECK mypy pkg --tool {tool}" in page
    assert f"guard: {SAME}" in page and "no number" not in page and "--as-proposed 1 " in page and "as given" in page
    told = run_script("init_run", "--repo", project.root, "--dry-run", "--as-proposed", "1").json
    assert (told["baseline_metric"], told["guard"], told["startable"]) == (1, "pass", True)
    assert "May change: pkg/**" in told["draft"][2] and "mypy.ini" in told["draft"][2]
