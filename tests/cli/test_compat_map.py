"""The map of what other tools rely on names tests that there are."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from tests.cli.compat_map import RULES
from tests.conftest import ROOT


@functools.cache
def names_in(path: Path) -> frozenset[str]:
    """The names of a file's tests."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_its_tests(rule: str):
    assert RULES[rule]
    for file, _, name in (test.partition("::") for test in RULES[rule]):
        assert name in names_in(ROOT / "tests" / file), name


def test_every_test_of_compatibility_holds_a_rule():
    named = {test.partition("::")[2] for tests in RULES.values() for test in tests}
    here = names_in(ROOT / "tests" / "cli" / "test_compat_scripts.py")
    there = names_in(ROOT / "tests" / "background" / "test_compat_controller.py")
    assert {name for name in here | there if name.startswith("test_")} == {n for n in named if n in here | there}
