"""Calls whose answers are compared with those of an earlier commit."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.checks.conftest import findings, metrics
from tests.conftest import Ran, Repo

WORK = """\
def half(n):
    return n / 2


def exit(code):
    raise SystemExit(code)


def parts(text):
    return text.split(',')
"""
CALLS = ("half(4)", "half('x')", "parts('a,b')", "exit(3)", "--setup", "from work import *", "--against", "HEAD")


@pytest.fixture
def work(repo: Repo) -> Repo:
    repo.write("work.py", WORK)
    repo.commit("work")
    return repo


def test_the_same_code_answers_the_same(work: Repo, check: Callable[..., Ran]) -> None:
    ran = check("answers", *CALLS)
    assert metrics(ran) == {"different": "0", "compared": "4"}
    assert "# 2 of 4 calls raise, is that meant? half('x'): TypeError" in ran.out


def test_another_result_and_another_exception_are_found(work: Repo, check: Callable[..., Ran]) -> None:
    work.write("work.py", WORK.replace("n / 2", "n // 2").replace("text.split(',')", "[text]"))
    ran = check("answers", *CALLS, "--at-most", 0)
    assert ran.code == 1 and "METRIC different=3\n" in ran.out
    assert findings(ran)[0] == "call:1: half(4) was 2.0, is 2"
    assert "unsupported operand type(s) for //" in findings(ran)[1]
    assert findings(ran)[2] == "call:3: parts('a,b') was ['a', 'b'], is ['a,b']"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("half(4)",), "calls and --against REV are needed"),
        (("nothing()", "--setup", "import work", "--against", "HEAD"), "no call works: NameError"),
        (("__import__('random').random()", "--against", "HEAD"), "differs from turn to turn"),
        (("half(4)", "--setup", "import missing_module", "--against", "HEAD"), "did not finish"),
    ],
)
def test_what_cannot_be_compared_is_no_number(work: Repo, check: Callable[..., Ran], args: tuple[str, ...], why: str):
    ran = check("answers", *args)
    assert (ran.code, ran.out) == (1, "") and why in ran.err and ", expected" in ran.err
