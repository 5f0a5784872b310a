"""For a goal without a number: one look at where time, errors and size go, each cause with its likely gain and risk."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..checks import toolbox
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..profiles import profilers
from . import proposals, surroundings
from .surroundings import Project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SENDS = re.compile(r"\.(?:execute|fetchone|fetchall|scalar|scalars|query|first|get_or_404|objects\.(?:get|filter))\(")
_ONE_WORKER = re.compile(
    r"app\.run\(|flask\b.*\brun\b|uvicorn(?!.*--workers)[^\n]*:app|gunicorn(?!.*(?:-w|--workers))[^\n]*|runserver"
)
_TABLE = re.compile(
    r"create table (?:if not exists )?[\"`]?(\w+)[\"`]?\s*\((.*?)\)\s*[;\"']", re.IGNORECASE | re.DOTALL
)
_INDEX = re.compile(r"create (?:unique )?index .*? on (\w+)\s*\(([^)]*)", re.IGNORECASE | re.DOTALL)
_SHOWN = 5


@dataclass(frozen=True)
class Cause:
    """One thing seen: where, what, the gain it promises and what a change risks. `aside`: it lies outside the code."""

    place: str
    what: str
    gain: str
    risk: str
    aside: bool = False


def causes(project: Project) -> list[Cause]:
    """What reading alone shows, most telling first."""
    found = [*_queries_in_loops(project), *_missing_indexes(project), *_one_worker(project)]
    return [*found, *_large_functions(project)][: 2 * _SHOWN]


def _trees(project: Project) -> Iterator[tuple[str, ast.Module, str]]:
    for name in project.files:
        if name.endswith(".py") and not re.search(r"(?:^|/)tests?/|test_", name):
            text = toolbox.read(project.root / name)
            try:
                yield name, ast.parse(text), text
            except (SyntaxError, ValueError):
                continue


def _queries_in_loops(project: Project) -> Iterator[Cause]:
    """Statements sent to a database once for each turn of a loop."""
    for name, tree, _ in _trees(project):
        for loop in (node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.ListComp, ast.While))):
            body: list[Any] = [*loop.body] if isinstance(loop, (ast.For, ast.While)) else [loop.elt]
            lines = [part for part in body if _SENDS.search(ast.unparse(part))]
            if lines:
                yield Cause(f"{name}:{lines[0].lineno}", "a database query for each turn of a loop",
                            "large where lists are long", "low: one query for all, same result")  # fmt: skip


def _missing_indexes(project: Project) -> Iterator[Cause]:
    """Columns that a WHERE or ORDER BY names and that no index or key covers, as far as the schema is in the files."""
    texts = {n: toolbox.read(project.root / n) for n in project.files if n.endswith((".py", ".sql", ".js", ".ts"))}
    whole = "\n".join(texts.values())
    tables = dict(_TABLE.findall(whole))
    indexed = {(table, column.strip()) for table, columns in _INDEX.findall(whole) for column in columns.split(",")}
    seen: set[tuple[str, str]] = set()
    for name, text in texts.items():
        for match in re.finditer(r"from (\w+)\b[^;\"']*?\bwhere (?:\w+\.)?(\w+)\s*(?:=|in\b|like\b|<|>)", text, re.I):
            table, column = match[1], match[2]
            keyed = re.search(rf"\b{column}\b[^,]*(?:primary key|unique)", tables.get(table, ""), re.I)
            if table in tables and (table, column) not in indexed | seen and not keyed:
                seen.add((table, column))
                line = text.count("\n", 0, match.start()) + 1
                yield Cause(f"{name}:{line}", f"looks up {table} by {column}, which has no index",
                            "large on big tables", "low: writes cost a little more", aside=True)  # fmt: skip


def _one_worker(project: Project) -> Iterator[Cause]:
    for name in ("Procfile", "Dockerfile", "docker-compose.yml", "wsgi.py", *project.settings("*.sh", "app.py")):
        match = _ONE_WORKER.search(project.text(name))
        if match:
            risk = "memory doubles; what one process keeps, the others do not see"
            yield Cause(
                name, "starts one server worker: requests wait for each other", "up to one for each core", risk, True
            )
            return


def _large_functions(project: Project) -> Iterator[Cause]:
    rows = []
    for name, tree, _ in _trees(project):
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                rows.append(((node.end_lineno or 0) - node.lineno + 1, f"{name}:{node.lineno}", node.name))
    for lines, place, name in sorted(rows, reverse=True)[:2]:
        if lines > 60:
            yield Cause(
                place, f"{name} is {lines} lines long", "easier to read and change", "middle: behind tests only"
            )


def measured(project: Project, seconds: float) -> list[str]:
    """Lines of what running shows: where the tests' time goes, and how many findings of which kind tools have."""
    request = toolbox.Request(project.root, (), {"timeout": seconds})
    found = []
    for look in (_profile, _findings):
        try:
            found += look(project, request)
        except (Refusal, ValueError, KeyError):  # a tool that is not there or fails is no part of the picture
            continue
    return found


def _profile(project: Project, request: toolbox.Request) -> list[str]:
    """The project's own functions in which the tests spend most time."""
    import tempfile

    if "pytest" not in proposals.guard_command(project):
        return []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "profile")
        fixed = ["-m", "cProfile", "-o", str(out), "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        toolbox.run([toolbox.python(request), *fixed], request)
        found = profilers.top_functions(out, project.root)[:_SHOWN] if out.is_file() else []
        return [f"time {spot}" for spot in found]


def _findings(project: Project, request: toolbox.Request) -> list[str]:
    """How many findings the installed linter and type checker have, by rule."""
    from ..checks import kinds

    lines = []
    for name in ("ruff", "mypy"):
        places = project.sources.get("Python", ())
        if places and toolbox.look(name, project.root):
            counted = kinds.of(name).measure(toolbox.Request(project.root, places, request.options))
            rules = Counter(item.rule for item in counted.findings).most_common(3)
            told = ", ".join(f"{rule} {times}" for rule, times in rules)
            lines.append(f"errors: {name} {len(counted.findings)}{f' ({told})' if told else ''}")
    return lines


def frameworks(project: Project) -> str:
    """Web frameworks and databases, for the first line."""
    return ", ".join(surroundings.frameworks(project))
