"""The table of shipped checks: one row a kind, read by the command, by its help and by whoever proposes a check."""

from __future__ import annotations

import importlib

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .counted import Counted
    from .toolbox import Request


@dataclass(frozen=True)
class Kind:
    """One check: the function that makes it, its operands, the options that it takes, its metric and direction,
    what holds the ways out, what it needs, and what it does not see."""

    name: str
    function: str
    operands: str
    what: str
    metric: str
    options: str = ""
    direction: str = "lower"
    require: tuple[str, ...] = ()
    install: str = ""
    misses: str = ""
    exact: bool = True

    def measure(self, request: Request) -> Counted:
        """Make the check; raises `Refusal` when there is no number."""
        module, _, name = self.function.partition(":")
        function: Callable[[Request], Counted] = getattr(importlib.import_module(f".{module}", __package__), name)
        return function(request)


_PY_OUT = ("ignores <= baseline", "casts <= baseline", "anys <= baseline")
_TS_OUT = ("casts <= baseline", "bangs <= baseline", "ignores <= baseline")
_LINT_OUT = ("ignores <= baseline",)
_RAN = ("ran >= baseline", "skipped <= baseline")
_SAME = ("output == baseline",)
_GOLANGCI = "go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@latest"
_PIP, _NPM = "pip ", "npm "  # as in toolplace.command

KINDS = {
    kind.name: kind
    for kind in (
        Kind("mypy", "pytypes:mypy", "[PATH…]", "type errors of Python by mypy", "errors", "option tool",
             require=_PY_OUT, install=_PIP + "mypy", misses="whether the program still works"),
        Kind("pyright", "pytypes:pyright", "[PATH…]", "type errors of Python by pyright", "errors",
             "option tool python", require=_PY_OUT, install=_PIP + "pyright", misses="whether the program still works"),
        Kind("tsc", "tstypes:errors", "[PATH…]", "type errors of TypeScript", "errors", "option tool",
             require=("any <= baseline", *_TS_OUT), install=_NPM + "typescript@5",
             misses="whether the program still works"),
        Kind("ts-any", "tstypes:anys", "[PATH…]", "written `any` types of TypeScript", "any", "option tool",
             require=("implicit <= baseline", "errors <= baseline", *_TS_OUT), install=_NPM + "typescript@5",
             misses="`any` that comes from a library's types"),
        Kind("ruff", "linters:ruff", "[PATH…]", "lint findings of Python by ruff", "findings", "option tool",
             require=_LINT_OUT, install=_PIP + "ruff", misses="rules that the settings leave out"),
        Kind("eslint", "linters:eslint", "[PATH…]", "lint findings of JavaScript and TypeScript", "findings",
             "option tool", require=_LINT_OUT, install=_NPM + "eslint", misses="rules that the settings leave out"),
        Kind("clippy", "linters:clippy", "[FOLDER]", "lint findings of Rust by clippy", "findings", "option",
             require=(*_LINT_OUT, "benches >= baseline"), install="rustup component add clippy",
             misses="code behind features that are off"),
        Kind("golangci", "linters:golangci", "[PACKAGE…]", "lint findings of Go by golangci-lint", "findings",
             "option tool", require=_LINT_OUT, install=_GOLANGCI, misses="linters that the settings leave out"),
        Kind("govet", "linters:govet", "[PACKAGE…]", "findings of go vet", "findings", "option", require=_LINT_OUT,
             misses="what only golangci-lint or staticcheck sees"),
        Kind("pytest", "testruns:pytest", "[PATH…]", "failing tests by pytest; flaky ones with --runs", "failed",
             "option python runs count-broken", require=(*_RAN, "hollow <= baseline"), install=_PIP + "pytest",
             misses="what no test checks"),
        Kind("unittest", "testruns:unittest", "[MODULE|FOLDER…]", "failing tests by unittest", "failed",
             "python runs count-broken", require=_RAN, misses="what no test checks"),
        Kind("jest", "testruns:jest", "[PATTERN…]", "failing tests by Jest", "failed", "option tool runs count-broken",
             require=_RAN, install=_NPM + "jest", misses="what no test checks"),
        Kind("vitest", "testruns:vitest", "[PATTERN…]", "failing tests by Vitest", "failed",
             "option tool runs count-broken", require=_RAN, install=_NPM + "vitest", misses="what no test checks"),
        Kind("tap", "taptests:tap", "CMD", "failing tests as TAP (of tape, mocha, ava, node --test)", "failed",
             "runs", require=_RAN, misses="what no test checks"),
        Kind("gotest", "testruns:gotest", "[PACKAGE…]", "failing tests by go test", "failed",
             "option runs count-broken", require=_RAN, misses="what no test checks"),
        Kind("cargotest", "testruns:cargotest", "[ARGUMENT…]", "failing tests by cargo test", "failed", "option runs",
             require=_RAN, misses="what no test checks"),
        Kind("junit", "testruns:junit", "REPORT…", "failing tests of the JUnit XML that --build CMD writes", "failed",
             "build runs count-broken", require=_RAN, misses="what no test checks"),
        Kind("coverage", "covering:python", "[PACKAGE…]", "lines of Python that no test runs", "missed_lines",
             "option python branches",
             require=("tests >= baseline", "hollow <= baseline", "ignores <= baseline"),
             install=_PIP + "coverage", misses="whether a line that runs is also checked"),
        Kind("coverage-go", "covering:golang", "[PACKAGE…]", "statements of Go that no test runs", "missed_statements",
             "option", misses="branches, which go test does not tell; whether what runs is also checked"),
        Kind("coverage-lcov", "covering:lcov", "REPORT", "missed lines of the LCOV report that --build CMD writes",
             "missed_lines", "build branches",
             misses="whether a line that runs is also checked; tests that check nothing"),
        Kind("call", "timing:python_call", "CODE", "processor time of one Python call", "ms",
             "setup runs wall against python", require=_SAME, exact=False, misses="other inputs than this one"),
        Kind("call-node", "timing:node_call", "CODE", "processor time of one JavaScript call", "ms",
             "setup runs wall against", require=_SAME, exact=False, misses="other inputs than this one"),
        Kind("command", "timing:command", "CMD", "processor time of one command", "ms", "runs wall against",
             exact=False, misses="whether its output stays right: let a guard say"),
        Kind("gobench", "timing:gobench", "NAME|CALL [PACKAGE]",
             "processor time of one benchmark of go test, or of a call", "ns", "setup runs wall against",
             exact=False, misses="other work than this benchmark's"),
        Kind("startup", "timing:startup", "CODE", "what a start adds to an empty one", "ms", "runs ending python",
             exact=False, misses="work that is only put off until later"),
        Kind("memory", "timing:memory", "CMD", "peak memory of the largest process of one command", "peak_kib",
             exact=False, misses="several processes together; an interpreter's own share is in the number"),
        Kind("build", "timing:build", "CMD", "seconds of a build, --clean CMD before it", "seconds", "clean runs",
             exact=False, misses="what the build leaves out: let a guard say"),
        Kind("http", "timing:http", "PATH…", "milliseconds of GET requests to the server of --serve CMD", "p50_ms",
             "serve runs against header", require=("output == baseline", "p99_ms <= baseline*1.5"), exact=False,
             misses="many users at once; a database as large as the real one"),
        Kind("size", "sizes:files", "FILE…", "bytes of files, written by --build CMD", "bytes", "build",
             misses="whether what was left out is needed: let a guard say"),
        Kind("bundle", "sizes:bundle", "ENTRY", "bytes of a bundle by esbuild", "bytes", "option tool",
             install=_NPM + "esbuild", misses="whether what was left out is needed: let a guard say"),
        Kind("queries", "sqlcount:queries", "CODE", "SQL statements that one Python call sends", "queries",
             "setup python", require=_SAME, misses="how long each of them takes"),
        Kind("docs", "shape:documentation", "[PATH…]", "public Python names without a docstring", "undocumented",
             require=("hollow <= baseline", "public >= baseline"), misses="whether a text is true"),
        Kind("complexity", "shape:complexity", "[PATH…]", "Python functions over --over ways through", "complex",
             "over", require=("excess <= baseline",), misses="whether the pieces make sense alone"),
        Kind("duplicates", "shape:duplicates", "[PATH…]", "lines that stand again elsewhere", "duplicate_lines",
             "least ending", misses="the same said in other words"),
        Kind("dependencies", "shape:dependencies", "[FOLDER…]", "direct dependencies", "dependencies",
             misses="code that was copied instead"),
        Kind("loss", "timing:seeds", "CMD with {seed}", "mean loss of a training over --seeds", "loss", "seeds name",
             require=("worst <= baseline",), misses="data that no run has seen: let a hidden check say"),
        Kind("judge", "judging:score", "FILE…", "what --judge CMD says of texts, 0 to 10, anchors among them", "score",
             "judge anchors runs against", direction="higher", require=("worst >= baseline", "anchor_gap >= 1"),
             exact=False, misses="whether readers agree with the judge; what it likes for the wrong reason"),
        Kind("answers", "answers:answers", "CODE…", "Python calls that answer otherwise than at --against REV",
             "different", "setup against python", misses="what none of these calls asks for"),
        Kind("interface", "surface:interface", "[PATH…]", "public names changed since --against REV", "changed",
             "against tool", misses="what a name does behind its signature"),
    )
}  # fmt: skip


def of(name: str) -> Kind:
    """The kind of that name; raises `Refusal` with those that there are."""
    if name not in KINDS:
        raise Refusal(f"{name!r} is no kind of check, expected one of: {', '.join(KINDS)}")
    return KINDS[name]
