"""Imports point one way, and each power (processes, files, printing) is held by one room."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.house.source import Module, entry_scripts, imports, modules

LOOP = {"core", "disk", "system", "run"}
# room -> the rooms it may import
MAY_IMPORT = {
    "core": {"core"},
    "disk": {"core", "disk"},
    "system": {"core", "system"},
    "run": LOOP,
    "control": LOOP | {"control"},
    "view": LOOP | {"view"},
    "cli": LOOP | {"control", "view", "cli"},
    "": set(),
}
# What reads or changes the world around it; `sys` and `os` included, since core needs neither.
IMPURE = set(
    """
    asyncio ctypes fcntl getpass glob io locale logging multiprocessing os pathlib platform random secrets
    select selectors shutil signal socket subprocess sys tempfile threading time urllib uuid
    """.split()
)
STARTS_PROCESSES = {"asyncio", "multiprocessing", "pty", "subprocess"}
STARTS_PROCESSES_IN_OS = ("system", "popen", "fork", "exec", "spawn", "posix_spawn")
# Each costs milliseconds that most calls of a script do not need; import them in the function that does.
SLOW = set(
    """
    asyncio concurrent ctypes difflib email http importlib.metadata importlib.resources inspect logging
    multiprocessing platform random secrets shutil socket sqlite3 statistics tempfile unittest urllib uuid xml
    """.split()
)


def within(name: str, group: set[str]) -> bool:
    """Whether a dotted name is one of the group, or below one."""
    return any(name == member or name.startswith(member + ".") for member in group)


def names_used(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield each `name`, each `name.attribute` and each call `name()` in the module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name):
            yield node, node.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node, f"{node.func.id}()"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node, f"{node.value.id}.{node.attr}"


def test_every_room_is_placed():
    assert {module.room for module in modules()} <= set(MAY_IMPORT)


def test_imports_point_one_way():
    wrong = [
        f"{module.at(node)}: {module.room or 'the root'} imports {name}"
        for module in modules()
        for node, name in imports(module)
        if name.startswith("autoresearch.")
        and name.split(".")[1] not in MAY_IMPORT[module.room] | {"__version__"}
    ]
    assert wrong == []


def test_core_is_pure():
    core = [module for module in modules() if module.room == "core"]
    wrong = [
        f"{module.at(node)}: imports {name}"
        for module in core
        for node, name in imports(module)
        if within(name, IMPURE)
    ]
    wrong += [
        f"{module.at(node)}: uses {name}"
        for module in core
        for node, name in names_used(module)
        if name in {"open()", "datetime.now", "datetime.utcnow", "date.today"}
    ]
    assert wrong == []


def test_only_system_starts_processes():
    wrong = [
        f"{module.at(node)}: {name}"
        for module in modules()
        if module.room != "system"
        for node, name in [*imports(module), *names_used(module)]
        if (isinstance(node, (ast.Import, ast.ImportFrom)) and within(name, STARTS_PROCESSES))
        or name.startswith(tuple(f"os.{call}" for call in STARTS_PROCESSES_IN_OS))
    ]
    assert wrong == []


def test_only_cli_prints_and_exits():
    speaks = {"print()", "input()", "exit()", "quit()", "SystemExit"}
    speaks |= {"sys.exit", "sys.stdout", "sys.stderr", "sys.stdin"}
    wrong = [
        f"{module.at(node)}: {name}"
        for module in modules()
        # The root's one exit is the check of the Python version, which must come before all else.
        if module.room not in ("cli", "")
        for node, name in names_used(module)
        if name in speaks
    ]
    assert wrong == []


def test_nothing_slow_is_imported_at_start():
    wrong = [
        f"{module.at(node)}: {name}"
        for module in modules()
        for node, name in imports(module, top_only=True)
        if within(name, SLOW)
    ]
    assert wrong == []


@pytest.mark.skipif(sys.version_info < (3, 10), reason="needs sys.stdlib_module_names of Python 3.10")
def test_only_the_standard_library_is_imported():
    known = {"autoresearch", *getattr(sys, "stdlib_module_names", ())}
    wrong = [
        f"{module.at(node)}: {name}"
        for module in [*modules(), *(Module(path, ast.parse(path.read_text())) for path in entry_scripts())]
        for node, name in imports(module)
        if name.partition(".")[0] not in known
    ]
    assert wrong == []
