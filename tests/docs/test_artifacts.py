"""The lists of docs/artifacts.md are those of the code: keys, events, statuses, commands with their flags, reasons."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator

import pytest
from autoresearch.background import manifest, runtime
from autoresearch.cli import arguments
from autoresearch.kernel.core import fold, log_events, rows, settings
from autoresearch.kernel.core.frozen import names
from autoresearch.kernel.core.statuses import NAMES as STATUSES

from tests.conftest import ROOT
from tests.docs import markdown
from tests.docs.test_guide import FLAG, reasons, section, words
from tests.docs.test_guide import rows as table
from tests.docs.test_references import help_of
from tests.house.source import entry_scripts, modules

PAGE = "docs/artifacts.md"
PATHS = {"--repo", "--results-path", "--state-path", "--launch-path", "--runtime-path"}
SUBCOMMANDS = {
    "runtime_ctl": ("launch", "create-launch", "start", "tell", "pause", "take-back", "run", "status", "stop", "logs"),
    "package": ("plugin", "skill"),
    "run_batch": ("open", "close", "measure", "propose", "settle", "abort"),
    "lessons": ("append", "list"),
    "ideas": ("add", "set", "bound", "list"),
    "mode_log": ("open", "add", "summary"),
    "hooks_ctl": ("install", "uninstall", "status", "run"),
}


def keys(title: str, name: str) -> list[str]:
    """The keys that an item of a section lists behind its name, in code spans."""
    item = section(PAGE, title).partition(f"\n- `{name}`")[2].partition("\n- ")[0]
    return [word for span in re.findall(r"`([^`]+)`", item) for word in span.split()]


def commands() -> dict[str, str]:
    """The flags' cell of each command."""
    return {cells[0].strip("`"): cells[1] for cells in table(section(PAGE, "Commands")) if len(cells) == 3}


def fixed(cell: str) -> set[str]:
    """The flags of a cell, the names of shared groups replaced by theirs."""
    found = set(FLAG.findall(cell))
    if "settings" in cell:
        parser = argparse.ArgumentParser(add_help=False)
        arguments.add_config(parser)
        found |= {flag for action in parser._actions for flag in action.option_strings}
    if "controller" in cell:
        found |= set(FLAG.findall(section(PAGE, "Commands").partition("- Controller:")[2].partition("\n\n")[0]))
    return found | (PATHS if "paths" in cell else set())


def events() -> Iterator[tuple[str, set[str]]]:
    """Kind and named fields of each event that the package makes."""
    for module in modules():
        for node in (node for node in ast.walk(module.tree) if isinstance(node, ast.Call)):
            if ast.unparse(node.func) == "log_events.make" and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value), {word.arg for word in node.keywords if word.arg}


def test_the_states_keys_are_listed():
    assert keys("The snapshot", "state") == list(fold.FIELDS)


def test_the_configurations_keys_are_listed():
    assert sorted(keys("The snapshot", "config")) == sorted([*settings.NAMES])


def test_manifest_and_record_are_listed():
    told = re.findall(r"[a-z_]+", section(PAGE, "Launch manifest"))
    for part in (manifest.Manifest, manifest.BaselinePlan, manifest.Options):
        assert [name for name in names(part) if name not in told] == []
    told = re.findall(r"[a-z_]+", section(PAGE, "Runtime record"))
    assert [name for name in runtime.Runtime().to_dict() if name not in told] == []


def test_columns_and_statuses_are_listed():
    cells = {cells[0].strip("`"): cells[1] for cells in table(section(PAGE, "The log"))}
    assert tuple(name for name in cells if name != "Column") == rows.COLUMNS
    assert re.findall(r"`([^`]+)`", cells["status"])[0].split() == list(STATUSES)
    folded = section(PAGE, "The fold").partition("\n\nEvery main row")[0]
    assert {*re.findall(r"`([a-z-]+)`", " ".join(one[0] for one in table(folded)))} == {*STATUSES} - {"baseline"}


def test_the_table_of_events_is_the_codes():
    shown = [tuple(cells) for cells in table(section(PAGE, "Events"))]
    made = []
    for kind in log_events.TABLE.values():
        fields = ", ".join(f"`{name}`" for name in kind.fields)
        rest = ", ".join(f"`{name}`" for name in kind.sometimes)
        made.append((f"`{kind.name}`", f"{fields}; sometimes {rest}" if rest else fields, kind.about))
    assert [row for row in shown if row[0] != "`kind`"] == made


def test_events_are_made_with_fields_of_the_table_alone():
    known = {kind.name: {*kind.fields, *kind.sometimes} for kind in log_events.TABLE.values()}
    assert {kind for kind, _ in events()} == set(known)
    assert [(kind, fields - known[kind]) for kind, fields in events() if fields - known[kind]] == []


def test_every_script_is_a_command_and_no_other():
    scripts = {path.stem.replace("autoresearch_", "") for path in entry_scripts()}
    assert set(commands()) - {"Command"} == scripts


@pytest.mark.parametrize("name", [path.stem.replace("autoresearch_", "") for path in entry_scripts()])
def test_a_commands_flags_are_listed(name: str):
    subs = SUBCOMMANDS.get(name, ("",))
    defined = re.findall(r"^  (-.*?)(?:  .*)?$", "\n".join(help_of(name, sub) for sub in subs), re.MULTILINE)
    real = set(FLAG.findall(" ".join(defined))) - {"--help"}
    listed = fixed(commands()[name])
    assert real - listed <= {"--repo"}
    assert listed - real == set()


def test_every_reason_is_listed():
    told = set(re.findall(r"`([a-z_]+)`", section(PAGE, "Reasons")))
    given = {name for name in reasons() if re.fullmatch("[a-z_]+", name)}
    assert {"goal_reached", "controller_lost", "soft_blocked"} <= given
    assert sorted(given - told) == []
    assert sorted(told - words() - set(commands()) - {"resume_strategy"}) == []


def test_what_the_page_shows_of_a_log_can_be_read():
    shown = re.findall(r"^```text\n(.*?)^```", markdown.read(ROOT / PAGE), re.MULTILINE | re.DOTALL)
    lines = [line for block in shown for line in block.split("\n") if line and not line.startswith(("#", "iteration"))]
    assert [rows.parse_row(line).iteration for line in lines] == [0, 1, 2, 5, 5, 5]


def test_sections_that_the_code_names_are_there():
    named = [
        (page, title)
        for module in modules()
        for page, title in re.findall(
            r"\b((?:docs|references)/[\w-]+\.md)(?:, ([A-Z][a-z]+(?: [a-z]+){0,2}))?", module.path.read_text()
        )
    ]
    assert len(named) > 40
    gone = [(page, title) for page, title in named if not (ROOT / page).exists()]
    assert gone == []
    heads = {page: markdown.read(ROOT / page) for page, _ in named}
    assert [(page, title) for page, title in named if title and f"\n## {title}\n" not in heads[page]] == []
