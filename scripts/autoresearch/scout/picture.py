"""For a goal without a number: one look at where time, errors and size go, each cause with its likely gain and risk."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..checks import toolbox
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.run import tempfolder
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
# No request and no user's call reaches these: tests, examples, Django's migrations and its commands for administrators.
_ASIDE = re.compile(r"(?:^|/)(?:tests?|examples?|demos?|samples?|docs?|bench\w*|migrations|management)/|test_")
_WRITES = re.compile(r"\b(?:insert|replace) into\b|\.(?:add|save|create)\(|insert\w*\b", re.IGNORECASE)
_LOCKS = re.compile(r"\block tables?\b", re.IGNORECASE)  # one statement for each table is no query for each row
_SHOWN = 5
_LOOP = " for each turn of a loop"
_LEAST_OWN = 5.0  # per cent of a profile below which it says nothing of the project
_READABLE = "easier to read and change"


@dataclass(frozen=True)
class Cause:
    """One thing seen: where, what, the gain it promises and what a change risks. `aside`: it lies outside the code."""

    place: str
    what: str
    gain: str
    risk: str
    aside: bool = False
    about: str = ""  # the table that is looked up, so that it is told once
    unreached: bool = False  # no request that was made comes there


def causes(project: Project, of_all_kinds: bool = True) -> list[Cause]:
    """What reading alone shows, most telling first; without `of_all_kinds` what costs time."""
    found = [*_queries_in_loops(project), *_missing_indexes(project), *_one_worker(project)]
    return [*found, *(_large_functions(project) if of_all_kinds else ())][: 2 * _SHOWN]


def _trees(project: Project) -> Iterator[tuple[str, ast.Module, str]]:
    for name in project.files:
        if name.endswith(".py") and not _ASIDE.search(name):
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
            lines = [part for part in body if _SENDS.search(text := ast.unparse(part)) and not _LOCKS.search(text)]
            if lines:
                writes = any(_WRITES.search(ast.unparse(part)) for part in lines)
                what, remedy = ("write", "executemany or one statement") if writes else ("query", "one query")
                yield Cause(f"{name}:{lines[0].lineno}", f"a database {what}{_LOOP}",
                            "large where lists are long", f"low: {remedy} for all, same result")  # fmt: skip


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
                            "large on big tables", "low: writes cost a little more", True, table)  # fmt: skip


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
            yield Cause(place, f"{name} is {lines} lines long", _READABLE, "middle: behind tests only")


@dataclass(frozen=True)
class Picture:
    """What running shows: lines on time, errors and size, and causes."""

    lines: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    routes: tuple[str, ...] = ()  # of a web application, those that answered, the slowest first


def measured(project: Project, seconds: float) -> Picture:
    """Where time, errors and size go: the routes of a web application with their statements, else the tests under
    a profiler; what linter and type checker find; the largest files."""
    from . import requests

    request = toolbox.Request(project.root, (), {"timeout": seconds, "header": project.headers})
    lines, asked = _size(project), Picture()
    for look in (_findings, _profile):
        try:
            lines += look(project, request)
        except (Refusal, ValueError, KeyError):  # a tool that is not there or fails is no part of the picture
            continue
    try:
        asked = requests.asked(project, request)
        lines = [*asked.lines, *lines]
    except (Refusal, ValueError, KeyError, OSError) as failed:
        lines += (
            [f"time: its routes could not be asked here: {failed}"]
            if {"Flask", "Django"} & set(surroundings.frameworks(project))
            else []
        )
    return replace(asked, lines=tuple(lines))


def together(read: Iterable[Cause], seen: Iterable[Cause], asked: bool) -> tuple[Cause, ...]:
    """What was measured before what was only read; of the same place or table once. Where routes were `asked`, loops of
    queries that no request showed are marked."""
    found = list(seen)
    places = {cause.place for cause in found}
    tables = {cause.about for cause in found if cause.about}
    read = [replace(cause, unreached=asked and cause.what.endswith(_LOOP)) for cause in read]
    new = (cause for cause in read if cause.place not in places and not (cause.about and cause.about in tables))
    return (*found, *(cause for cause in new if not found or cause.gain != _READABLE))


def _size(project: Project) -> list[str]:
    """The largest source files, with their share of all lines."""
    made = re.compile(r"(?:^|/)(?:dist|build|vendor|node_modules|third_party)/")
    names = [name for name in project.files if name.endswith(surroundings.CODE) and not made.search(name)]
    names = [name for name in names if not project.is_test(name)]
    counts = {name: toolbox.read(project.root / name).count("\n") + 1 for name in names[:2000]}
    total = sum(counts.values())
    largest = sorted(counts, key=lambda name: -counts[name])[:2]
    shown = ", ".join(f"{name} {counts[name]} ({100 * counts[name] // total} %)" for name in largest)
    return [f"size: {total} lines, largest {shown}"] if total else []


def _profile(project: Project, request: toolbox.Request) -> list[str]:
    """The project's own functions in which the tests spend most time."""

    if "pytest" not in proposals.guard_command(project):
        return []
    with tempfolder.folder("scout") as folder:
        out = Path(folder, "profile")
        fixed = ["-m", "cProfile", "-o", str(out), "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        toolbox.run([toolbox.python(request), *fixed], request)
        found = profilers.top_functions(out, project.root)[:_SHOWN] if out.is_file() else []
        own = sum(spot.share for spot in found)
        if own < _LEAST_OWN:
            return ["time: under the tests nearly all goes to the runner: time one piece of work instead"]
        return [f"time: {spot} (under the tests)" for spot in found]


def _findings(project: Project, request: toolbox.Request) -> list[str]:
    """How many findings the installed linter and type checker have, by rule."""
    from ..checks import kinds

    lines = []
    for name in ("ruff", "mypy"):
        places = project.sources.get("Python", ())
        if places and toolbox.look(name, project.root):
            strict = {"option": ["--strict"]} if name == "mypy" and not project.configured("mypy") else {}
            counted = kinds.of(name).measure(toolbox.Request(project.root, places, {**request.options, **strict}))
            rules = Counter(item.rule for item in counted.findings).most_common(3)
            told = ", ".join(f"{rule} {times}" for rule, times in rules)
            lines.append(f"errors: {name} {len(counted.findings)}{f' ({told})' if told else ''}")
    return lines


def frameworks(project: Project) -> str:
    """Web frameworks and databases, for the first line."""
    return ", ".join(surroundings.frameworks(project))
