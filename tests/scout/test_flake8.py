"""A project that is set up for flake8 is not counted by ruff's own wider rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from autoresearch.scout import flake8, surroundings


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("setup.cfg", "[flake8]\nmax-line-length = 88\nignore = E203, W503,E402 # why\n",
         " --option=--select=E,F,W --option=--line-length=88 --option=--ignore=E203,E402"),
        (".flake8", "[flake8]\nselect = C,E,F,W,B,B950\nmax_line_length=100\n",
         " --option=--select=B,E,F,W --option=--line-length=100"),
        ("tox.ini", "[tox]\nenvlist = py\n[flake8]\nexclude = docs\n",
         " --option=--select=E,F,W --option=--line-length=79"),
        ("setup.cfg", "[metadata]\nname = x\n", ""),
        ("setup.cfg", "no settings at all", ""),
    ],
)  # fmt: skip
def test_the_settings_of_flake8_are_handed_on(tmp_path: Path, name: str, text: str, expected: str):
    (tmp_path / "work.py").write_text("x = 1\n")
    (tmp_path / name).write_text(text)
    project = surroundings.look(tmp_path)
    assert flake8.operands(project) == expected
    assert bool(flake8.told(project)) == bool(expected)
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert flake8.operands(surroundings.look(tmp_path)) == flake8.told(surroundings.look(tmp_path)) == ""
