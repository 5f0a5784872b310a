"""Failing and flaky tests, as the runners report them: pytest, unittest, Jest, Vitest, go test, cargo test, JUnit XML.

A test that fails in one run and passes in another is flaky. A file that cannot be loaded hides its tests, so it is a
refusal, unless `--count-broken` counts it as one failure more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.run import tempfolder
from . import escapes, toolbox
from .counted import Counted, Finding, least_one
from .toolbox import Ran, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable
    from xml.etree.ElementTree import Element

_PANIC = re.compile(
    r"^---- (.+?) stdout ----\n(?:(?!---- ).*\n)*?.*?panicked at (?:'.*?', )?([^\s:]+):(\d+)(?::\d+)?:?\n(.*)",
    re.MULTILINE,
)
PASSED, FAILED, SKIPPED, BROKEN = "passed", "failed", "skipped", "broken"


@dataclass(frozen=True)
class Test:
    """One test of one run: its name, outcome, and for a failure its place and first telling line."""

    name: str
    outcome: str
    path: str = ""
    line: int = 0
    text: str = ""


def counted(request: Request, once: Callable[[int], Iterable[Test]]) -> Counted:
    """Numbers of `--runs` runs; `once` makes one, given its seed from 1 (0: the only one, its order left alone)."""
    runs = int(request.get("runs", 1))
    outcomes: dict[str, set[str]] = {}
    failed: dict[str, Test] = {}
    ran = []
    for seed in range(1, runs + 1) if runs > 1 else (0,):
        tests = list(once(seed))
        _refuse_broken(tests, request)
        for test in tests:
            outcomes.setdefault(test.name, set()).add(test.outcome)
            if test.outcome in (FAILED, BROKEN):
                failed.setdefault(test.name, test)
        ran.append(sum(test.outcome in (PASSED, FAILED) for test in tests))
    least_one(min(ran), "no test ran", "name the folder or file that holds the tests")
    flaky = {name for name in failed if PASSED in outcomes[name]}
    skipped = sum(seen == {SKIPPED} for seen in outcomes.values())
    numbers = {"failed": len(failed), "ran": min(ran), "skipped": skipped}
    found = [
        Finding(t.path or t.name, t.line, f"{t.name}: {t.text}", "flaky" if t.name in flaky else t.outcome)
        for t in failed.values()
    ]
    return Counted({**numbers, **({"flaky": len(flaky), "runs": runs} if runs > 1 else {})}, found)


def _refuse_broken(tests: Iterable[Test], request: Request) -> None:
    wrong = next((test for test in tests if test.outcome == BROKEN), None)
    if wrong and not request.options.get("count_broken"):
        raise Refusal(
            f"{wrong.name} could not be loaded: {wrong.text}; its tests are hidden, expected all to run. Repair it, or "
            "pass --count-broken where this is what the run is to repair"
        )


def pytest(request: Request) -> Counted:
    """Failing tests by pytest; several runs take seeds for hashes, and for the order where pytest-randomly is there."""
    found = counted(request, lambda seed: _pytest_once(request, seed))
    tests, hollow = escapes.hollow_tests(test_files(request))
    return Counted({**found.metrics, "hollow": hollow}, found.findings, (f"{tests} test functions",))


def test_files(request: Request) -> Iterator[str]:
    """The sources of the tests in Python."""
    paths = (path for path in toolbox.sources(request, ".py") if re.match(r"test_|(?:.*_)?tests?\.py$", path.name))
    return map(toolbox.read, paths)


def pytest_command(request: Request) -> list[str]:
    """How pytest is called: quietly, without leaving a cache."""
    return [toolbox.python(request), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--continue-on-collection-errors"]


def _pytest_once(request: Request, seed: int) -> list[Test]:
    with tempfolder.folder("check") as folder:
        report = Path(folder, "report.xml")
        argv = [
            *pytest_command(request),
            "--junitxml",
            str(report),
            "-o",
            "junit_family=xunit1",
            *_order(request, seed),
        ]
        argv += [*request.get("option", []), *map(str, request.paths() if request.operands else ())]
        path = {"PYTHONPATH": toolbox.python_path(request.root)}
        ran = toolbox.run(argv, request, {**path, "PYTHONHASHSEED": str(seed)} if seed else path)
        if "No module named pytest" in ran.err:
            raise toolbox.absent("pytest", request, "pip pytest")
        if ran.code not in (0, 1) or not report.is_file():
            raise toolbox.broken("pytest", ran)
        return list(junit_tests(report, request.root))


def _order(request: Request, seed: int) -> list[str]:
    """The option that seeds the order of tests, where pytest-randomly is there to vary it."""
    if not seed or toolbox.run([toolbox.python(request), "-c", "import pytest_randomly"], request).code:
        return []
    return [f"--randomly-seed={seed}"]


def junit(request: Request) -> Counted:
    """Tests of JUnit XML reports (Maven, Gradle, CTest, …) that `--build CMD` writes; an older report is refused."""
    return counted(request, lambda seed: _junit_once(request))


def _junit_once(request: Request) -> list[Test]:
    command = request.options.get("build")
    if not command:
        raise Refusal("no --build CMD given, expected the command that writes the reports; pass it")
    before = toolbox.stamps(path for name in request.operands for path in request.root.glob(name))
    ran = toolbox.shell(str(command), request)
    reports = [path for name in request.operands for path in sorted(request.root.glob(name))]
    fresh = [path for path, stamp in toolbox.stamps(reports).items() if before.get(path) != stamp]
    if not fresh:
        old = f"{len(reports)} older reports" if reports else "no report"
        raise Refusal(f"{old} at {' '.join(request.operands)} after the command, expected new ones; {ran.complaint()}")
    return [test for path in fresh for test in junit_tests(path, request.root)]


def junit_tests(path: Path, root: Path) -> Iterator[Test]:
    """The tests of one JUnit XML file; raises `Refusal` when it is none."""
    import xml.etree.ElementTree as ET

    try:
        top = ET.parse(path).getroot()
    except (ET.ParseError, OSError) as error:
        raise Refusal(
            f"{path.name} is no JUnit XML ({error}), expected a whole report; let the runner write it"
        ) from None
    return (_junit_test(case, root) for case in top.iter("testcase"))


def _junit_test(case: Element, root: Path) -> Test:
    name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
    failure = case.find("failure")
    error = case.find("error")
    if failure is None and error is None:
        return Test(name, SKIPPED if case.find("skipped") is not None else PASSED)
    node = failure if failure is not None else error
    assert node is not None
    collecting = "collection failure" in (node.get("message") or "")
    text = _telling((node.text or "") if collecting else (node.get("message") or node.text or ""))
    path = case.get("file") or ""
    line = int(case.get("line") or -1) + 1
    return Test(name, BROKEN if collecting else FAILED, toolbox.relative(path, root) if path else "", line, text)


def _telling(text: str) -> str:
    """The line that says most of a failure: an error's own, else the first that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(?:E\s+)?[\w.]*(?:Error|Exception|panicked)\b", line)]
    return (errors or lines or ["no reason given"])[-1 if errors else 0]


def unittest(request: Request) -> Counted:
    """Failing tests by unittest: modules given, or discovery below a folder."""
    names = list(request.operands)

    def once(seed: int) -> list[Test]:
        """One run in a fresh interpreter."""
        rows = toolbox.inside(request, toolbox.python(request), "unittests.py", {"names": names, "seed": seed})
        return [Test(row[0], row[1], toolbox.relative(row[2], request.root), *row[3:]) for row in rows]

    return counted(request, once)


def jest(request: Request) -> Counted:
    """Failing tests by Jest; several runs take seeds for the order within a file."""
    tool = toolbox.find("jest", request, "npm jest")
    return counted(request, lambda seed: _node(request, [tool, "--json", "--testLocationInResults"], _jest_seed(seed)))


def _jest_seed(seed: int) -> list[str]:
    return ["--randomize", "--seed", str(seed)] if seed else []


def vitest(request: Request) -> Counted:
    """Failing tests by Vitest; several runs take seeds for the order."""
    tool = toolbox.find("vitest", request, "npm vitest")
    fixed = [tool, "run", "--reporter=json", "--includeTaskLocation"]
    return counted(
        request, lambda seed: _node(request, fixed, ["--sequence.shuffle", f"--sequence.seed={seed}"] if seed else [])
    )


def _node(request: Request, fixed: list[str], seeded: list[str]) -> list[Test]:
    with tempfolder.folder("check") as folder:
        report = Path(folder, "report.json")
        argv = [*fixed, f"--outputFile={report}", *seeded, *request.get("option", []), *request.operands]
        ran = toolbox.run(argv, request, {"CI": "1"})
        if not report.is_file():
            raise toolbox.broken(Path(fixed[0]).name, ran)
        return list(_node_tests(toolbox.as_json(report.read_text("utf-8"), "the test report", ran), request))


def _node_tests(report: Any, request: Request) -> Iterator[Test]:
    """Jest's report, which Vitest writes too."""
    for file in report["testResults"]:
        path = toolbox.relative(file["name"], request.root)
        if file["status"] == "failed" and not any(t["status"] == "failed" for t in file["assertionResults"]):
            yield Test(path, BROKEN, path, 0, _telling(_plain(file.get("message") or "")))
        for test in file["assertionResults"]:
            outcome = {"passed": PASSED, "failed": FAILED}.get(test["status"], SKIPPED)
            line = (test.get("location") or {}).get("line") or 0
            text = _plain("\n".join(test.get("failureMessages") or []))
            yield Test(f"{path} {test['fullName']}", outcome, path, line, next(iter(text.strip().splitlines()), ""))


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def gotest(request: Request) -> Counted:
    """Failing tests by `go test`; several runs shuffle them by seed."""
    tool = toolbox.find("go", request, toolbox.GO)

    def once(seed: int) -> list[Test]:
        """One run, never from Go's cache of results."""
        order = [f"-shuffle={seed}"] if seed else []
        argv = [
            tool,
            "test",
            "-json",
            "-count=1",
            *order,
            *request.get("option", []),
            *(request.operands or ("./...",)),
        ]
        return list(_go_tests(toolbox.run(argv, request), request))

    return counted(request, once)


def _go_tests(ran: Ran, request: Request) -> Iterator[Test]:
    """Tests without subtests, and packages that do not build; a test with subtests is as good as these."""
    events = [jsontext.loads(line) for line in ran.out.splitlines() if line.startswith("{")]
    if ran.code and not events:
        raise toolbox.broken("go test", ran)
    said: dict[tuple[str, str], list[str]] = {}
    for event in events:
        if event["Action"] == "output":
            said.setdefault((event["Package"], event.get("Test", "")), []).append(event["Output"])
    names = {(event["Package"], event["Test"]) for event in events if event.get("Test")}
    parents = {(package, name.rpartition("/")[0]) for package, name in names if "/" in name}
    failing = {event["Package"] for event in events if event.get("Test") and event["Action"] == "fail"}
    module = re.search(r"^module\s+(\S+)", _go_mod(request), re.MULTILINE)
    for event in events:
        key = (event.get("Package", ""), event.get("Test", ""))
        outcome = {"pass": PASSED, "fail": FAILED, "skip": SKIPPED}.get(event["Action"])
        if outcome and key[1] and key not in parents:
            yield _go_test(key, outcome, said.get(key, []), module[1] if module else "")
        elif outcome == FAILED and not key[1] and key[0] not in failing:  # fails without a failing test: no build
            text = _telling(ran.err if ran.err.strip() else "".join(said.get(key, [])))
            yield Test(key[0], BROKEN, key[0], 0, text)


def _go_mod(request: Request) -> str:
    path = request.root / "go.mod"
    return toolbox.read(path) if path.is_file() else ""


def _go_test(key: tuple[str, str], outcome: str, said: list[str], module: str) -> Test:
    place = re.search(r"^\s*([\w./-]+\.go):(\d+): (.*)", "".join(said), re.MULTILINE)
    folder = key[0].replace(module, "", 1).strip("/") if module else ""
    if outcome != FAILED or not place:
        return Test(".".join(key), outcome, text=_telling("".join(said)) if outcome == FAILED else "")
    return Test(".".join(key), outcome, f"{folder}/{place[1]}".lstrip("/"), int(place[2]), place[3])


def cargotest(request: Request) -> Counted:
    """Failing tests by `cargo test`, documentation tests too; what does not compile is refused before any runs."""
    tool = toolbox.find("cargo", request, "rustup")
    options = list(request.get("option", []))

    def once(seed: int) -> list[Test]:
        """One run of everything."""
        built = toolbox.run([tool, "test", "--quiet", "--no-run", *options], request)
        if built.code:
            raise toolbox.broken("cargo test --no-run", built)
        ran = toolbox.run(
            [tool, "test", "--no-fail-fast", *options, *request.operands], request, {"RUST_BACKTRACE": "0"}
        )
        return list(_cargo_tests(ran))

    return counted(request, once)


def _cargo_tests(ran: Ran) -> Iterator[Test]:
    """Each program's tests; the programs are named on stderr, in the order in which their blocks come on stdout."""
    units = re.findall(r"^\s*(?:Running (?:unittests )?(\S+)|Doc-tests (\S+))", ran.err, re.MULTILINE)
    blocks = re.split(r"^running \d+ tests?$", ran.out, flags=re.MULTILINE)[1:]
    for index, block in enumerate(blocks):
        unit = "".join(units[index]) if len(units) == len(blocks) else str(index)
        places = {m[1]: (m[2], int(m[3]), m[4].strip()) for m in _PANIC.finditer(block)}
        for name, word in re.findall(r"^test (.+?) \.\.\. (ok|FAILED|ignored)", block, re.MULTILINE):
            outcome = {"ok": PASSED, "FAILED": FAILED}.get(word, SKIPPED)
            yield Test(f"{unit} {name}", outcome, *(places.get(name, ("", 0, "")) if outcome == FAILED else ()))
