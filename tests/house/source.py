"""The package's source, parsed: what the tests of this folder look at."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from tests.conftest import ROOT, SCRIPTS

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    path: Path
    tree: ast.Module

    @property
    def parts(self) -> tuple[str, ...]:
        """The file's place below `scripts`: ("autoresearch", "report", "page.py")."""
        return self.path.relative_to(SCRIPTS).parts

    @property
    def room(self) -> str:
        """The feature or part it lies in ("report", "kernel", "cli"), or "" for what stands above all of them."""
        return self.parts[1] if len(self.parts) > 2 else ""

    @property
    def floor(self) -> str:
        """The kernel's floor ("core", "disk", "system", "run"), else ""."""
        return self.parts[2] if self.room == "kernel" and len(self.parts) > 3 else ""

    def at(self, node: ast.AST) -> str:
        """Where a node stands, as text for a message."""
        return f"{'/'.join(self.parts)}:{getattr(node, 'lineno', 0)}"


@functools.cache
def modules() -> tuple[Module, ...]:
    """All files of the package, but for the programs in an `inside` folder: they run in the project's interpreter."""
    found = sorted(p for p in (SCRIPTS / "autoresearch").rglob("*.py") if p.parent.name != "inside")
    return tuple(Module(path, ast.parse(path.read_text(encoding="utf-8"), str(path))) for path in found)


def entry_scripts() -> list[Path]:
    """The entry scripts."""
    return sorted(SCRIPTS.glob("*.py"))


def imports(module: Module, top_only: bool = False) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each import as its statement and the full dotted name ("autoresearch.kernel.core.fold.Fold")."""
    package = module.parts[:-1]
    for node in _at_import(module.tree) if top_only else ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) + 1 - node.level]) if node.level else []
            base += [node.module] if node.module else []
            yield from ((node, ".".join([*base, alias.name])) for alias in node.names)


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs at import: neither bodies of functions nor blocks for type checkers."""
    for child in ast.iter_child_nodes(node):
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and not typing_only:
            yield child
            yield from _at_import(child)


def functions() -> Iterator[tuple[Module, Function]]:
    """Yield every function and method of the package, nested ones too."""
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield module, node


def lines_of_code(text: str, tree: ast.Module) -> int:
    """The lines that hold code: without blank ones, comments and docstrings."""
    told: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                told.update(range(first.lineno, (first.end_lineno or 0) + 1))
    kept = enumerate(text.splitlines(), 1)
    return sum(1 for at, line in kept if line.strip() and not line.lstrip().startswith("#") and at not in told)


def project_files() -> list[Path]:
    """All files of the project that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def uses() -> dict[str, tuple[str, ...]]:
    """For each feature the parts that its `USES` line names."""
    found = {}
    for module in modules():
        if module.parts[-1] != "__init__.py" or module.room in ("", "kernel", "cli"):
            continue
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "USES":
                found[module.room] = tuple(ast.literal_eval(node.value))
    return found
