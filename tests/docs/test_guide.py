"""The manual's tables are complete, the states it names are those of the code, and README's claims can be run."""

from __future__ import annotations

import argparse
import ast
import functools
import json
import re
import shlex
from collections.abc import Iterator
from typing import get_args

import autoresearch
import pytest
from autoresearch.background.agent import Name
from autoresearch.cli import arguments
from autoresearch.kernel.core.choices import FILES

from tests.conftest import ROOT
from tests.docs import markdown
from tests.docs.test_references import help_of
from tests.house.source import modules

NIGHT = "A night's run"
SHOWN = "What makes it different, and the command that shows it"
VERDICTS = ("Ruling",)  # made with a decision and a reason
BEFORE = ("launch_rules", "resume_rules")  # modules that rule whether a run begins or goes on, not how it ends
# Reasons of other doors: nothing to report, exec mode, and what `status` says while all is well.
UNTOLD = {"none", "exec_mode_completed", "runtime_active"}
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+(?![\w-])")


def section(name: str, title: str) -> str:
    """One section of a document, from its heading of the second level to the next."""
    text = f"\n{markdown.read(ROOT / name)}\n## "
    found = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, f"{name} has no section {title}"
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of each table row, headings left out."""
    lines = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
    return [re.split(r" \| ", line) for line in lines]


@functools.cache
def words() -> frozenset[str]:
    """Every string constant of the package."""
    nodes = (node for module in modules() for node in ast.walk(module.tree))
    return frozenset(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def reasons() -> Iterator[str]:
    """The reasons that the code gives for an ending, where they are written out."""
    for module in modules():
        for node in ast.walk(module.tree) if module.path.stem not in BEFORE else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in VERDICTS:
                yield from (str(part.value) for part in node.args[1:2] if isinstance(part, ast.Constant))


def options(command: str, sub: str = "") -> set[str]:
    """The flags in a script's help."""
    return set(FLAG.findall(help_of(command, sub)))


def fields() -> Iterator[tuple[str, bool]]:
    """Flags of "Every field", and whether the row is about launches alone."""
    for cells in rows(section("GUIDE.md", "Every field")):
        yield from ((flag, "(launch)" in cells[0]) for flag in FLAG.findall(" ".join(cells[:2])))


def test_every_field_is_a_flag():
    known = {True: options("runtime_ctl", "launch"), False: options("init_run")}
    assert len(known[False]) > 30
    assert [flag for flag, launch in fields() if flag not in known[launch]] == []


def test_every_flag_is_a_field():
    parser = argparse.ArgumentParser(add_help=False)
    arguments.add_config(parser)
    flags = {flag for action in parser._actions for flag in action.option_strings}
    assert "--verify" in flags
    assert sorted(flags - {flag for flag, _ in fields()}) == []


def test_flags_of_the_night_exist():
    known = options("runtime_ctl", "launch") | options("runtime_ctl", "logs") | options("runtime_ctl", "stop")
    known |= options("resume_check")
    assert [flag for flag in FLAG.findall(section("GUIDE.md", NIGHT)) if flag not in known] == []


def test_states_of_the_night_are_those_of_the_code():
    named = re.findall(r"`([a-z]+(?:_[a-z]+)+)`", section("GUIDE.md", NIGHT))
    assert "needs_human" in named
    assert sorted({name for name in named if name not in words() and not help_of(name, "")}) == []


def test_the_night_leaves_no_ending_out():
    found = set(reasons()) - UNTOLD
    assert {"goal_reached", "blocked", "controller_lost"} <= found
    text = section("GUIDE.md", NIGHT)
    assert sorted(name for name in found if name not in text) == []


def test_the_night_leaves_no_class_of_errors_out():
    table = section("GUIDE.md", NIGHT).partition("### When something fails")[2].partition("\n### ")[0]
    told = {name for cells in rows(table) for name in re.findall(r"`(\w+)`", cells[0])}
    assert told == {*get_args(Name)} - {"ok"}


def test_quoted_status_has_the_labels_of_the_code():
    quoted = [code for code in markdown.split(section("GUIDE.md", NIGHT))[1] if code.startswith("    status ")]
    labels = {line[4:].partition("  ")[0].replace(" ", "_") for code in quoted for line in code.split("\n")}
    assert len(labels) > 12
    paths = {f"{name}_path" for name in FILES}
    assert sorted(labels - words() - paths) == []


def test_the_quoted_ending_has_the_keys_of_the_code():
    found = re.findall(r"^```json\n(.*?)^```", section("GUIDE.md", NIGHT), re.MULTILINE | re.DOTALL)
    ending = json.loads(found[0])
    assert {*ending, *ending["spent"]} <= words()


def test_the_manual_can_be_read_from_start_to_end():
    assert len(markdown.read(ROOT / "GUIDE.md").split()) <= 5000


def test_security_names_tests_that_are_there():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", markdown.read(ROOT / "SECURITY.md"))
    assert len(named) > 15
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert missing == []


QUOTING = ["GUIDE.md", "README.md", "docs/ci.md", "docs/modes.md", "docs/recipes.md", "docs/measurement.md"]


def test_quoted_errors_are_those_of_the_code():
    text = "\n".join(markdown.read(ROOT / name) for name in QUOTING)
    said = {clause.strip() for clause in re.findall(r"error: ([^:;(…`\n]+)", text)}
    assert len(said) >= 3
    assert [clause for clause in said if not any(clause in word for word in words())] == []


def test_the_cheat_table_names_tests_that_are_there():
    cells = [cells[2] for cells in rows(section("docs/measurement.md", "What a cheating edit meets"))]
    parts = [name.strip("…") for cell in cells for name in re.findall(r"`(…[^`]+)`", cell)]
    names = re.findall(r"^def (test_\w+)", (ROOT / "tests/kernel/run/test_cheats.py").read_text(), re.MULTILINE)
    assert len(parts) > 15
    assert [part for part in parts if not any(part in name for name in names)] == []


CLAIMS = [cells[1].strip("`") for cells in rows(section("README.md", SHOWN))[1:]]


@pytest.mark.parametrize("command", CLAIMS)
def test_a_claim_is_shown_by_something_that_is_there(command: str):
    python, *parts = shlex.split(command)
    assert python == "python3"
    if parts[:2] != ["-m", "tests"]:
        assert (ROOT / parts[0]).exists()
        return
    folder = ROOT / parts[2]
    assert folder.is_dir()
    word = parts[parts.index("-k") + 1] if "-k" in parts else ""
    assert any(word in f"{path.stem} {path.read_text()}" for path in folder.glob("test_*.py"))


def test_the_newest_release_of_the_changelog_is_the_version():
    released = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", markdown.read(ROOT / "CHANGELOG.md"), re.MULTILINE
    )
    assert released[0] == autoresearch.__version__


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "README.md", "GUIDE.md", "docs/measurement.md"])
def test_paths_of_the_project_that_a_page_names_are_there(name: str):
    named = re.findall(
        r"(?<![\w/])((?:tests|scripts|assets|docs|\.github)/[\w./-]*\w)(?=[`\s)])", markdown.read(ROOT / name)
    )
    assert [path for path in named if not (ROOT / path).exists() and "NAME" not in path] == []
