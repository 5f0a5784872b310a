"""Pieces of work taken from a project's tests: the calls of one function or method with all that a test puts before
them (its fixtures, imports and helpers), as statements that run without a test runner."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..checks import toolbox
from ..kernel.core.frozen import dataclass
from .surroundings import Project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CALLS, _SETUP, _CODE = 4, 1500, 400  # calls taken; characters of the statements before them, and of the calls
_FOLDER = "__import__('pathlib').Path(__import__('tempfile').mkdtemp())"
_GIVEN = {"tmp_path": _FOLDER, "tmpdir": _FOLDER}  # fixtures of the runner that are plain values
_STEPS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.For, ast.Import, ast.ImportFrom, ast.FunctionDef,
          ast.ClassDef)  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """Statements, and after them an expression that makes the calls; `source` is the test's file."""

    setup: str
    code: str
    source: str


def of(project: Project, name: str) -> Iterator[Scenario]:
    """Scenarios that call what has this name, in the order of the files; they have not been run."""
    trees = {path: tree for path in project.files if _may_hold(project, path) and (tree := _parsed(project, path))}
    for path, tree in trees.items():
        beside = [trees[p] for p in trees if os.path.basename(p) == "conftest.py" and _above(p, path)]
        known: dict[str, ast.stmt] = {}
        for module in (*beside, tree):
            known.update(_defined(module.body))
        for test in tree.body:
            if isinstance(test, ast.FunctionDef) and test.name.startswith("test"):
                found = _scenario(test, name, known, path)
                if found:
                    yield found


def _may_hold(project: Project, path: str) -> bool:
    return path.endswith(".py") and (project.is_test(path) or path.endswith("conftest.py"))


def _above(conftest: str, path: str) -> bool:
    return (os.path.dirname(path) + "/").startswith((os.path.dirname(conftest) + "/").lstrip("/"))


def _parsed(project: Project, path: str) -> ast.Module | None:
    try:
        return ast.parse(toolbox.read(project.root / path))
    except (OSError, SyntaxError, ValueError):
        return None


def _defined(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    """What the statements at the top of a module define, by name."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level):
            for alias in node.names:
                yield (alias.asname or alias.name).partition(".")[0], node
        elif isinstance(node, ast.Assign):
            yield from ((target.id, node) for target in node.targets if isinstance(target, ast.Name))


def _scenario(test: ast.FunctionDef, name: str, known: Mapping[str, ast.stmt], path: str) -> Scenario | None:
    given = _parameters(test)
    before: list[str] = []
    for arg in test.args.args:
        made = given.get(arg.arg) or _fixture(arg.arg, known, ())
        if made is None:
            return None
        before += made
    steps, calls = _steps(test.body, name)
    code = _listed(calls)
    setup = "\n".join([*_needed([*before, *steps, code], known, test.name), *before, *steps])
    return Scenario(setup, code, path) if code and len(setup) <= _SETUP else None


def _steps(body: Sequence[ast.stmt], name: str) -> tuple[list[str], list[str]]:
    """The statements of a test that are no assertion, up to the first of another kind; and the calls in all of them."""
    steps: list[str] = []
    calls: list[str] = []
    for node in body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.With):
            continue
        calls += _calls(node, name)
        if isinstance(node, _STEPS):
            steps.append(ast.unparse(node))
        elif not isinstance(node, ast.Assert):
            break
    return steps, calls


def _calls(node: ast.AST, name: str) -> Iterator[str]:
    """The outermost calls of what has this name."""
    if isinstance(node, ast.Call):
        called = node.func
        if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) == name:
            yield ast.unparse(node)
            return
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, (ast.Lambda, ast.GeneratorExp, ast.ListComp)):
            yield from _calls(inner, name)


def _listed(calls: Iterable[str]) -> str:
    chosen = list(dict.fromkeys(calls))[:_CALLS]
    while len(", ".join(chosen)) > _CODE:
        chosen.pop()
    return f"[{', '.join(chosen)}]" if chosen else ""


def _parameters(test: ast.FunctionDef) -> dict[str, list[str]]:
    """The first values of `parametrize`, as assignments."""
    found: dict[str, list[str]] = {}
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("parametrize") and len(mark.args) > 1:
            names, values = mark.args[:2]
            first = values.elts[0] if isinstance(values, (ast.List, ast.Tuple)) and values.elts else None
            if isinstance(names, ast.Constant) and isinstance(names.value, str) and first is not None:
                each = [part.strip() for part in names.value.split(",")]
                parts = first.elts if len(each) > 1 and isinstance(first, (ast.Tuple, ast.List)) else [first]
                found.update({one: [f"{one} = {ast.unparse(part)}"] for one, part in zip(each, parts)})
    return found


def _fixture(name: str, known: Mapping[str, ast.stmt], seen: Sequence[str]) -> list[str] | None:
    """Statements that make what a fixture gives, under its name; None where they cannot be told."""
    if name in _GIVEN:
        return [f"{name} = {_GIVEN[name]}"]
    node = known.get(name)
    marks = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    mark = next((mark for mark in marks if "fixture" in ast.unparse(mark)), None)
    if not isinstance(node, ast.FunctionDef) or mark is None or name in seen:
        return None
    lines: list[str] = []
    for arg in node.args.args:
        made = _request(mark) if arg.arg == "request" else _fixture(arg.arg, known, (*seen, name))
        if made is None:
            return None
        lines += made
    for step in node.body:
        value = _given(step)
        if value is not None:
            return [*lines, f"{name} = {ast.unparse(value)}"]
        if not (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)):
            lines.append(ast.unparse(step))
    return None


def _given(step: ast.stmt) -> ast.expr | None:
    """What a statement of a fixture hands to the test, None for any other statement."""
    if isinstance(step, ast.Return):
        return step.value
    return step.value.value if isinstance(step, ast.Expr) and isinstance(step.value, ast.Yield) else None


def _request(mark: ast.expr) -> list[str] | None:
    """A stand-in for the `request` of a fixture with parameters: the first of them."""
    params: Any = next((key.value for key in getattr(mark, "keywords", ()) if key.arg == "params"), None)
    if not isinstance(params, (ast.List, ast.Tuple)) or not params.elts:
        return None
    return [f"request = __import__('types').SimpleNamespace(param={ast.unparse(params.elts[0])})"]


def _needed(texts: Iterable[str], known: Mapping[str, ast.stmt], test: str) -> list[str]:
    """The imports and helpers of the module that the texts use, and those that these use."""
    found: dict[str, None] = {}
    queue, seen = list(texts), {test}
    while queue:
        for node in ast.walk(ast.parse(queue.pop())):
            name = node.id if isinstance(node, ast.Name) else ""
            if name in known and name not in seen:
                seen.add(name)
                text = ast.unparse(known[name])
                if "fixture" not in text.partition("def ")[0]:
                    found[text] = None
                    queue.append(text)
    # What was found last is what the others need.
    return list(found)[::-1]
