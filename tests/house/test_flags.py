"""No setting and no flag is written and never read."""

from __future__ import annotations

import argparse
import ast
import functools
import importlib
from collections.abc import Iterator

import pytest
from autoresearch.background import manifest
from autoresearch.kernel.core import settings
from autoresearch.kernel.core.choices import FILES
from autoresearch.kernel.core.frozen import names

from tests.house.source import Module, modules


@functools.cache
def read(module: Module) -> frozenset[str]:
    """The names that a module reads: attributes, and strings that may be a key of `getattr` or of a table."""
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return frozenset(found)


def elsewhere(home: str) -> frozenset[str]:
    """The attributes that are read in all modules but one."""
    nodes = (node for m in modules() if m.parts[-1] != home for node in ast.walk(m.tree))
    return frozenset(n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load))


def test_every_setting_is_read():
    own = {name for m in modules() if m.parts[-1] == "settings.py" for name in read(m)}
    own |= {row.name for row in settings.BUDGETS}  # read as rows
    assert [name for name in names(settings.Config) if name not in elsewhere("settings.py") | own - {"setting"}] == []


@pytest.mark.parametrize("told", [manifest.Options, manifest.Manifest], ids=lambda cls: cls.__name__)
def test_what_a_launch_writes_down_is_read(told: type):
    ours = {"updated_at", "created_at", "unknown"}  # for people and other tools
    assert [name for name in names(told) if name not in elsewhere("manifest.py") | ours] == []


def commands() -> Iterator[Module]:
    """The modules of the commands."""
    return (module for module in modules() if module.parts[-1].endswith("_command.py"))


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of its subcommands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


@pytest.mark.parametrize("command", list(commands()), ids=lambda module: module.parts[-1][: -len("_command.py")])
def test_every_flag_is_read(command: Module):
    parser = argparse.ArgumentParser()
    importlib.import_module(".".join(command.parts)[: -len(".py")]).add_arguments(parser)
    flags = {action.dest for each in parsers(parser) for action in each._actions if action.option_strings} - {"help"}
    near = [m for m in modules() if m.room in (command.room, "cli", "setup", "background")]
    known = {name for m in near for name in read(m)} | {row.dest for row in settings.SETTINGS}
    known |= {f"{name}_path" for name in FILES}
    assert sorted(flags - known) == []
