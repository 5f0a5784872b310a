"""docs/design.md fits the code: its folders, modules, ports and paths are those that are there."""

from __future__ import annotations

import re

from autoresearch import wiring

from tests.conftest import ROOT, SCRIPTS
from tests.docs.test_guide import rows, section
from tests.house.source import modules, project_files

PAGE = "docs/design.md"


def named(cell: str) -> list[str]:
    """The code spans of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def test_features_are_folders():
    listed = [named(cells[0])[0] for cells in rows(section(PAGE, "The features"))[1:]]
    assert sorted(listed) == sorted({module.room for module in modules()} - {"", "kernel", "cli"})


def test_modules_of_the_kernel_are_named_on_their_floor():
    floors = re.split(r"^\*\*`(\w+)`\*\*", section(PAGE, "The kernel"), flags=re.MULTILINE)[1:]
    told = {
        floor: {name for cells in rows(text) for name in named(cells[0])} for floor, text in zip(*[iter(floors)] * 2)
    }
    kernel = SCRIPTS / "autoresearch" / "kernel"
    real = {folder.name: {path.stem for path in folder.glob("*.py")} - {"__init__"} for folder in kernel.glob("*/")}
    assert told == real


def test_ports_are_those_of_the_wiring_with_who_stands_there():
    told = {named(cells[0])[0]: named(cells[2]) for cells in rows(section(PAGE, "The ports")) if named(cells[0])}
    real = {port: dict.fromkeys(name.partition(":")[0] for name in names) for port, names in wiring.WIRES.items()}
    assert told == {port: list(names) for port, names in real.items()}


def test_paths_and_functions_that_the_page_names_are_there():
    text = (ROOT / PAGE).read_text()
    files = {path.relative_to(ROOT).as_posix() for path in project_files()}
    paths = re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|md|yaml|tsv))`", text)
    assert len(paths) > 10
    owned = {"research-results.tsv", "X_command.py", "__init__.py"}
    assert [
        path for path in paths if path not in owned and not any(f"/{file}".endswith(f"/{path}") for file in files)
    ] == []
    for module, function in re.findall(r"`(context|intent)\.(\w+)`", text):
        assert f"def {function}(" in (SCRIPTS / "autoresearch" / "kernel" / "run" / f"{module}.py").read_text()
