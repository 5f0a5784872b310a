"""Imports point one way, and each power (processes, files, printing) is held by one room."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.house.source import Module, entry_scripts, imports, modules, uses

# floor of the kernel -> the floors it may import
FLOORS = {
    "core": {"core"},
    "disk": {"core", "disk"},
    "system": {"core", "system"},
    "run": {"core", "disk", "system", "run"},
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


def reached(module: Module) -> Iterator[tuple[ast.AST, tuple[str, ...]]]:
    """Yield each import of the package itself: the statement and the dotted parts below `autoresearch`."""
    for node, name in imports(module):
        if name.startswith("autoresearch.") and name != "autoresearch.__version__":
            yield node, tuple(name.split(".")[1:])


def may_import(room: str) -> set[str]:
    """The parts that one part may import."""
    return {"kernel"} if room in ("kernel", "cli") else {room, *uses()[room]}


def test_every_feature_names_what_it_uses_and_no_more():
    rooms = {module.room for module in modules()} - {"", "kernel", "cli"}
    assert set(uses()) == rooms
    for room in rooms:
        imported = {parts[0] for module in modules() if module.room == room for _, parts in reached(module)}
        assert sorted(imported - {room}) == sorted(uses()[room]), room


def test_imports_point_one_way():
    wrong = [
        f"{module.at(node)}: {module.room} imports {'.'.join(parts)}"
        for module in modules()
        for node, parts in reached(module)
        if parts[0] not in may_import(module.room) | {module.room}
    ]
    assert wrong == []


def test_the_kernels_floors_are_in_order():
    wrong = [
        f"{module.at(node)}: {module.floor} imports {'.'.join(parts)}"
        for module in modules()
        if module.room == "kernel"
        for node, parts in reached(module)
        if parts[0] == "kernel" and len(parts) > 2 and parts[1] not in FLOORS[module.floor]
    ]
    assert wrong == []


def test_features_use_each_other_in_no_circle():
    graph = {room: set(named) - {"kernel", "cli"} for room, named in uses().items()}
    while free := [room for room, named in graph.items() if not named & set(graph)]:
        for room in free:
            del graph[room]
    assert graph == {}


def test_module_names_are_unique():
    stems = [module.parts[-1] for module in modules() if module.parts[-1] != "__init__.py"]
    assert sorted({stem for stem in stems if stems.count(stem) > 1}) == []


def test_a_module_with_the_name_of_a_feature_is_in_that_feature():
    features = {f"{name}.py" for name in uses()}
    assert [m.parts for m in modules() if m.parts[-1] in features and m.parts[-1] != f"{m.room}.py"] == []


def test_class_names_are_unique():
    """One name, one meaning: nobody has to ask which of five it is."""
    homes: dict[str, set[str]] = {}
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, set()).add("/".join(module.parts))
    assert {name: sorted(found) for name, found in homes.items() if len(found) > 1} == {}


def test_core_is_pure():
    core = [module for module in modules() if module.floor == "core"]
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
        if module.floor != "system"
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
        if module.room not in ("cli", "") and not module.parts[-1].endswith("_command.py")
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
