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
    folders = [place for place in kernel.iterdir() if place.is_dir() and place.name != "__pycache__"]
    real = {folder.name: {path.stem for path in folder.glob("*.py")} - {"__init__"} for folder in folders}
    assert told == real


def test_ports_are_those_of_the_wiring_with_who_stands_there():
    lines = [line.split(" | ") for line in section(PAGE, "The ports").split("\n") if line.startswith("| ")][1:]
    told = [(named(cells[0]), named(cells[-2])[:1], named(cells[-1])) for cells in lines]
    real: dict[tuple[str, str], list[str]] = {}
    for at, modules_ in wiring.WIRES.items():
        for module, questions in modules_.items():
            for question in questions:
                real.setdefault((at, question), []).append(module)
    port = ""
    seen = {}
    for names, asked, who in told:
        port = names[0] if names else port
        seen[(port, asked[0])] = who
    assert seen == real


def test_every_question_of_a_port_is_explained_and_asked():
    text = (SCRIPTS / "autoresearch" / "kernel" / "ports.py").read_text()
    asked = "".join(path.read_text() for path in (SCRIPTS / "autoresearch").rglob("*.py"))
    assert len(wiring.WIRES) == 4
    for port, modules_ in wiring.WIRES.items():
        assert re.search(rf"^{port} ", text, re.MULTILINE)
        for question in {question for questions in modules_.values() for question in questions}:
            assert re.search(rf"^  {question} ", text, re.MULTILINE)
            assert f'("{port}", "{question}"' in asked


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
