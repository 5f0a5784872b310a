"""Lines that no test runs: Python by coverage.py, Go by its own profile, anything else by an LCOV report."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.run import tempfolder
from . import escapes, testruns, toolbox
from .counted import Counted, Finding, least_one
from .toolbox import Request

_NONE_RAN = 5  # the exit code of pytest where it collects nothing


def python(request: Request) -> Counted:
    """Lines of the packages named that pytest does not run, with tests, hollow tests and `no cover` comments.

    A test that fails gives no number.
    """
    with tempfolder.folder("check") as folder:
        path = toolbox.python_path(request.root)
        report, data = Path(folder, "report.json"), {"COVERAGE_FILE": str(folder / "data"), "PYTHONPATH": path}
        sources = ["--source=" + ",".join(request.operands or (".",))]
        sources += ["--branch"] if request.options.get("branches") else []
        cover = [toolbox.python(request), "-m", "coverage"]
        argv = testruns.pytest_command(request)[1:]
        ran = toolbox.run([*cover, "run", *sources, *argv, *request.get("option", [])], request, data)
        if "No module named coverage" in ran.err:
            raise toolbox.absent("coverage", request, "pip coverage")
        if ran.code == _NONE_RAN:
            raise Refusal("no test ran, expected some that cover the code; write the first one, or name their folder")
        if ran.code:
            raise toolbox.broken("the test run", ran)
        done = toolbox.run([*cover, "json", "-q", "-o", str(report)], request, data)
        if not report.is_file():
            raise toolbox.broken("coverage", done)
        files = toolbox.as_json(report.read_text("utf-8"), "coverage", done)["files"]
    missed = {toolbox.relative(path, request.root): row["missing_lines"] for path, row in files.items()}
    lines = sum(row["summary"]["num_statements"] for row in files.values())
    counted = _counted(request, missed, {"lines": lines, **_python_ways(request, missed)})
    ways = [
        (
            toolbox.relative(path, request.root),
            start,
            f"the way to {f'line {end}' if end > 0 else 'the end'} is not taken",
        )
        for path, row in files.items()
        for start, end in row.get("missing_branches", ())
    ]
    return _by_branch(counted, ways) if request.options.get("branches") else counted


def _by_branch(counted: Counted, ways: Sequence[tuple[str, int, str]]) -> Counted:
    """The branches that are not taken as the metric, the lines beside it."""
    found = [Finding(path, line, text, "branch") for path, line, text in ways]
    return Counted({"missed_branches": len(ways), **counted.metrics}, [*counted.findings, *found])


def _python_ways(request: Request, missed: Iterable[str]) -> dict[str, int]:
    everything = toolbox.Request(request.root, (), request.options)
    tests, hollow = escapes.hollow_tests(testruns.test_files(everything))
    pragmas = sum(escapes.comments(toolbox.read(request.root / path), escapes.COVERAGE) for path in missed)
    return {"tests": tests, "hollow": hollow, "ignores": pragmas}


def _counted(request: Request, missed: Mapping[str, Sequence[int]], others: Mapping[str, int]) -> Counted:
    least_one(others["lines"], "no line was looked at", "name the package or folder that is to be covered")
    found = [item for path, lines in missed.items() for item in _blocks(request.root / path, path, lines)]
    return Counted({"missed_lines": sum(map(len, missed.values())), **others}, found)


def _blocks(path: Path, shown: str, lines: Sequence[int]) -> Iterator[Finding]:
    """One finding for each run of missed lines, named by the function around it."""
    names = _functions(path)
    start = before = 0
    for line in [*sorted(lines), -1]:
        if start and line != before + 1:
            inside = max((span for span in names if span[0] <= start <= span[1]), default=(0, 0, "the module"))[2]
            yield Finding(shown, start, f"{before - start + 1} lines of {inside} are not run", "missed")
        start = line if line != before + 1 else start
        before = line


def _functions(path: Path) -> list[tuple[int, int, str]]:
    """First line, last line and name of each function of a Python file."""
    if path.suffix != ".py":
        return []
    nodes = (node for node in ast.walk(ast.parse(toolbox.read(path))))
    functions = (node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return [(node.lineno, node.end_lineno or node.lineno, node.name) for node in functions]


def golang(request: Request) -> Counted:
    """Statements that `go test` does not run, by the profile it writes; a test that fails gives no number."""

    tool = toolbox.find("go", request, toolbox.GO)
    with tempfolder.folder("check") as folder:
        profile = Path(folder, "cover.out")
        argv = [tool, "test", "-count=1", f"-coverprofile={profile}", *request.get("option", [])]
        ran = toolbox.run([*argv, *(request.operands or ("./...",))], request)
        if ran.code or not profile.is_file():
            raise toolbox.broken("go test", ran)
        blocks = _go_blocks(profile.read_text("utf-8"))
    module = re.search(r"^module\s+(\S+)", toolbox.read(request.root / "go.mod"), re.MULTILINE)
    prefix = module[1] + "/" if module else ""
    found = [
        Finding(path.replace(prefix, "", 1), first, f"{statements} statements up to line {last} are not run", "missed")
        for (path, first, last, statements), hits in blocks.items()
        if not hits
    ]
    total = least_one(sum(key[3] for key in blocks), "no statement was looked at", "name the packages")
    missed = sum(key[3] for key, hits in blocks.items() if not hits)
    return Counted({"missed_statements": missed, "statements": total}, found)


def _go_blocks(text: str) -> dict[tuple[str, int, int, int], int]:
    """Hits by path, first line, last line and number of statements; a block comes once for each test program."""
    found: dict[tuple[str, int, int, int], int] = {}
    for path, first, last, statements, hits in re.findall(r"^(.+?):(\d+)\.\d+,(\d+)\.\d+ (\d+) (\d+)$", text, re.M):
        key = (path, int(first), int(last), int(statements))
        found[key] = found.get(key, 0) + int(hits)
    return found


def lcov(request: Request) -> Counted:
    """Missed lines of an LCOV report that `--build CMD` writes anew (Jest, Vitest, c8, cargo-llvm-cov, gcov, …)."""
    path = request.root / request.command()
    command = request.options.get("build")
    if not command:
        raise Refusal("no --build CMD given, expected the command that runs the tests and writes the report; pass it")
    before = toolbox.stamps([path])
    ran = toolbox.done(str(command), request, "the test run")
    if toolbox.stamps([path]) in ({}, before):
        raise Refusal(f"{path} was not written by the command, expected a new LCOV report; {ran.complaint()}")
    text = toolbox.read(path)
    hits = _lcov_hits(text, request)
    missed = {name: [line for line, count in rows.items() if not count] for name, rows in hits.items()}
    counted = _counted(request, missed, {"lines": sum(map(len, hits.values()))})
    if not request.options.get("branches"):
        return counted
    if "BRDA:" not in text:
        raise Refusal(
            "the report has no branches (BRDA), expected some; let the tool write them, or leave --branches out"
        )
    return _by_branch(counted, list(_lcov_ways(text, request)))


def _lcov_ways(text: str, request: Request) -> Iterator[tuple[str, int, str]]:
    """Branches that no run took: records BRDA:line,block,branch,taken."""
    name = ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            name = toolbox.relative(value.strip(), request.root)
        elif key == "BRDA" and value.rpartition(",")[2] in ("-", "0"):
            number, _, branch = value.rpartition(",")[0].split(",", 2)
            yield name, int(number), f"way {branch} is not taken"


def _lcov_hits(text: str, request: Request) -> dict[str, dict[int, int]]:
    """Hits by file and line: records SF:path, DA:line,hits (format of geninfo(1))."""
    found: dict[str, dict[int, int]] = {}
    rows: dict[int, int] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            rows = found.setdefault(toolbox.relative(value.strip(), request.root), {})
        elif key == "DA":
            number, hits = value.split(",")[:2]
            rows[int(number)] = rows.get(int(number), 0) + int(float(hits))
    return {os.path.normpath(name): rows for name, rows in found.items()}
