"""The checks that fit a goal and a project, each with all flags of a dry run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from ..checks import kinds, toolbox
from ..kernel.core.frozen import dataclass
from ..kernel.disk.layout import script
from ..kernel.system import git
from . import surroundings
from .surroundings import Project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHECK = f"python3 {script('check')}"
MOST = 3

# What a topic is measured with, by language; the first that fits the project wins.
_KINDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "any": {"TypeScript": ("ts-any", "tsc"), "Python": ("mypy",)},
    "types": {"Python": ("mypy", "pyright"), "TypeScript": ("tsc", "ts-any")},
    "lint": {"Python": ("ruff",), "TypeScript": ("eslint",), "JavaScript": ("eslint",), "Rust": ("clippy",),
             "Go": ("golangci", "govet")},
    "tests": {"Python": ("pytest",), "TypeScript": ("vitest", "jest"), "JavaScript": ("jest", "vitest"),
              "Go": ("gotest",), "Rust": ("cargotest",), "Java": ("junit",)},
    "flaky": {"Python": ("pytest",), "TypeScript": ("vitest", "jest"), "JavaScript": ("jest", "vitest"),
              "Go": ("gotest",), "Rust": ("cargotest",)},
    "coverage": {"Python": ("coverage",), "Go": ("coverage-go",), "TypeScript": ("coverage-lcov",),
                 "JavaScript": ("coverage-lcov",)},
    "speed": {"Python": ("http", "call", "command"), "TypeScript": ("call-node",), "JavaScript": ("call-node",)},
    "http": {"": ("http", "queries")},
    "queries": {"Python": ("queries", "http")},
    "startup": {"Python": ("startup",), "JavaScript": ("startup",), "TypeScript": ("startup",)},
    "memory": {"": ("memory",)},
    "build": {"": ("build",)},
    "size": {"JavaScript": ("bundle", "size"), "TypeScript": ("bundle", "size"), "": ("size",)},
    "loss": {"": ("loss",)},
    "docs": {"Python": ("docs",)},
    "complexity": {"Python": ("complexity",), "": ("duplicates",)},
    "duplicates": {"": ("duplicates",)},
    "dependencies": {"": ("dependencies",)},
}  # fmt: skip
# For a goal without a topic: what most projects gain from, cheap to count.
_STAND_INS: Mapping[str, tuple[str, ...]] = {
    "Python": ("mypy", "coverage", "ruff", "complexity"),
    "TypeScript": ("ts-any", "tsc", "eslint"),
    "JavaScript": ("eslint", "duplicates"),
    "Go": ("govet", "coverage-go", "duplicates"),
    "Rust": ("clippy", "cargotest", "duplicates"),
}
_TOOLS = {"mypy": "mypy", "pyright": "pyright", "tsc": "node", "ts-any": "node", "ruff": "ruff", "eslint": "eslint",
          "clippy": "cargo-clippy", "golangci": "golangci-lint", "govet": "go", "pytest": "pytest", "jest": "jest",
          "vitest": "vitest", "gotest": "go", "cargotest": "cargo", "coverage": "coverage", "coverage-go": "go",
          "bundle": "esbuild", "call-node": "node"}  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """One check, ready to run: flags of the dry run, why it fits, what it misses, what is missing to run it."""

    kind: str
    flags: Mapping[str, Any]
    misses: str
    install: str = ""  # the command that installs what is missing, "" when all is there
    fill_in: str = ""  # what the agent must put in place of CODE or the like, "" when nothing

    @property
    def tests(self) -> bool:
        """Whether the check itself runs the tests, so that no guard does."""
        return self.kind in _RUNS_TESTS

    @property
    def ready(self) -> bool:
        """Whether it can be run as it is."""
        return not self.install and not self.fill_in


def fitting(project: Project, topics: tuple[str, ...]) -> list[str]:
    """The kinds for the topics, best first; without topics those that most projects gain from."""
    found: dict[str, None] = {}
    for topic in topics:
        by_language = _KINDS[topic]
        for language in (*project.languages, ""):
            found.update(dict.fromkeys(by_language.get(language, ())))
    for language in project.languages if not topics else ():
        found.update(dict.fromkeys(_STAND_INS.get(language, ())))
    return [kind for kind in found if _fits(kind, project)]


def _fits(kind: str, project: Project) -> bool:
    """Whether a kind has anything to look at here, and is the project's own choice of several."""
    uses = str(project.package.get("devDependencies", {})) + str(project.package.get("scripts", {}))
    if kind in ("jest", "vitest"):
        return kind in uses or bool(toolbox.look(kind, project.root))
    if kind == "http":
        return bool({"Flask", "FastAPI", "Django", "Express"} & set(surroundings.frameworks(project)))
    if kind == "queries":
        return bool({"Django", "SQLAlchemy", "sqlite3"} & set(surroundings.frameworks(project)))
    if kind in ("tsc", "ts-any"):
        return bool(project.sources.get("TypeScript"))
    return True


def make(project: Project, kind_name: str, goal: str, flaky: bool = False) -> Proposal:
    """One proposal with its flags."""
    kind = kinds.of(kind_name)
    operands, fill_in = _operands(project, kind_name)
    verify = " ".join(filter(None, (CHECK, kind_name, operands, "--runs 5" if flaky else "")))
    in_tests = kind_name in ("coverage", "coverage-go", "coverage-lcov")
    scope = _scope(project, kind_name, in_tests)
    guard = "" if kind_name in _RUNS_TESTS else guard_command(project)
    public = interface_guard(project, kind_name)
    flags: dict[str, Any] = {
        "mode": "fix" if kind.metric == "failed" and not flaky else None,  # so that the run ends at 0 by itself
        "goal": goal or kind.what,
        "scope": scope,
        "metric_name": "flaky" if flaky else kind.metric,
        "direction": kind.direction,
        "verify": verify,
        "guard": [f"tests={guard}", f"interface={public}"] if guard and public else guard or public or None,
        "protect": list(_protected(project, in_tests)) or None,
        "require": list(kind.require) or None,
    }
    flags.update(_named(kind_name, operands), profile=_profile(kind_name, operands, fill_in))
    missing = _missing(project, kind_name)
    return Proposal(kind_name, {k: v for k, v in flags.items() if v}, kind.misses, missing, fill_in)


def _named(kind: str, operands: str) -> dict[str, str]:
    """What a request is called by: its path, so that answers say `/feed 63 -> 17 ms`."""
    path = shlex.split(operands)[0] if kind == "http" else "/PATH"
    return {} if path == "/PATH" else {"metric_name": path, "metric_key": kinds.of(kind).metric}


def _profile(kind: str, operands: str, fill_in: str) -> str:
    """The command that shows where the work of a speed check goes; "" where the work is still to be filled in."""
    if fill_in or kind not in ("call", "call-node", "command"):
        return ""
    call = {"call": "--call ", "call-node": "--node --call ", "command": ""}[kind]
    return f"python3 {script('profile')} {call}{operands}"


_NODE = frozenset(("tsc", "ts-any", "eslint", "jest", "vitest", "bundle", "coverage-lcov"))
# Kinds whose fixes rewrite declarations, so that users of a library may be hit.
_REWRITES = frozenset(("mypy", "pyright", "tsc", "ts-any", "complexity", "duplicates", "call", "call-node"))
_RUNS_TESTS = {
    "pytest",
    "unittest",
    "jest",
    "vitest",
    "gotest",
    "cargotest",
    "junit",
    "coverage",
    "coverage-go",
    "coverage-lcov",
}


def _missing(project: Project, kind: str) -> str:
    """The command that installs what the kind needs, "" when it is there."""
    tool = _TOOLS.get(kind, "")
    there = not tool or bool(toolbox.look(tool, project.root))
    if kind in ("pytest", "coverage"):  # a module of the project's own interpreter, whatever lies on PATH
        request = toolbox.Request(project.root, (), {})
        there = not toolbox.run([toolbox.python(request), "-c", f"import pytest, {tool}"], request).code
    if kind in ("tsc", "ts-any"):
        there = there and any((home / "node_modules/typescript").is_dir() for home in toolbox.homes(project.root))
        there = there or bool(toolbox.look("tsc", project.root))
    node = kind in _NODE and project.has("package.json")
    if node and not any((home / "node_modules").is_dir() for home in toolbox.homes(project.root)):
        return "npm ci" if "package-lock.json" in project.files else "npm install"
    return "" if there else kinds.of(kind).install or f"install {tool}"


def _operands(project: Project, kind: str) -> tuple[str, str]:
    """What comes after the kind, and what of it the agent has to fill in."""
    python = project.sources.get("Python", ())
    node = project.sources.get("TypeScript", ()) or project.sources.get("JavaScript", ())
    paths = " ".join(map(shlex.quote, python))
    if kind == "mypy":
        return paths + ("" if project.configured("mypy") else " --option=--strict"), ""
    if kind in ("pyright", "ruff", "docs", "complexity", "coverage"):
        return paths, ""
    if kind in ("tsc", "ts-any", "eslint"):
        return " ".join(map(shlex.quote, node)), ""
    if kind == "duplicates":
        return " ".join(map(shlex.quote, next(iter(project.sources.values()), (".",)))), ""
    return _written(project, kind, python, node)


def _written(project: Project, kind: str, python: tuple[str, ...], node: tuple[str, ...]) -> tuple[str, str]:
    """Operands that name a piece of work; where only the agent can choose it, a placeholder in capitals."""
    module = python[0].rpartition("/")[2].removesuffix(".py") if python else ""
    entry = str(project.package.get("module") or project.package.get("main") or "")
    rows = {
        "startup": (shlex.quote(f"import {module}") if module else f"\"require('./{entry}')\" --ending .js", ""),
        "call": (f"'CODE' --setup 'import {module}'", f"CODE: one expression of {module} on a large input"),
        "call-node": ("'CODE'", "CODE: one expression, e.g. require('./" + (entry or "index.js") + "').work(input)"),
        "queries": (
            f"'CODE' --setup 'import {module}'",
            "CODE: one expression that does the work on a filled database",
        ),
        "command": (shlex.quote(_benchmark(project)), "" if _benchmark(project) != "CMD" else "CMD: the work"),
        "memory": (shlex.quote(_benchmark(project)), "" if _benchmark(project) != "CMD" else "CMD: the work"),
        "build": (shlex.quote(_build(project)), "" if _build(project) != "BUILD" else "BUILD: the build command"),
        "bundle": (shlex.quote(entry.lstrip("./") or "ENTRY"), "" if entry else "ENTRY: the file users import"),
        "size": ("'OUTPUT' --build 'BUILD'", "OUTPUT: the built file; BUILD: the command that builds it"),
        "loss": ("'python3 TRAIN.py {seed}'", "TRAIN.py: the training, its seed as argument, METRIC loss= as output"),
        "junit": ("'target/surefire-reports/*.xml' --build 'mvn -q test || true'", ""),
        "http": _serve(project, module),
        "coverage-lcov": (_lcov(project), ""),
    }
    return rows.get(kind, ("", ""))


def _benchmark(project: Project) -> str:
    """A benchmark that the project has, else its tests."""
    found = next((n for n in project.files if re.search(r"(?:^|/)(?:bench\w*|perf\w*)[^/]*\.py$", n)), "")
    return f"python3 {found}" if found else guard_command(project) or "CMD"


def _build(project: Project) -> str:
    if "build" in project.package.get("scripts", {}):
        return "npm run --silent build"
    return (
        "cargo build --release"
        if project.has("Cargo.toml")
        else "go build ./..."
        if project.has("go.mod")
        else ("make" if project.has("Makefile") else "BUILD")
    )


def _lcov(project: Project) -> str:
    uses = str(project.package.get("devDependencies", {}))
    if "vitest" in uses:
        return "coverage/lcov.info --build 'node_modules/.bin/vitest run --coverage --coverage.reporter=lcovonly'"
    return "coverage/lcov.info --build 'node_modules/.bin/jest --coverage --coverageReporters=lcovonly'"


def _serve(project: Project, module: str) -> tuple[str, str]:
    """The server's start and a route, read from the sources."""
    found = surroundings.frameworks(project)
    routes = _routes(project)
    path = next((route for route in routes if "<" not in route and "{" not in route and ":" not in route), "/PATH")
    fill_in = "" if path != "/PATH" else "PATH: a route that answers 200"
    app = _app_module(project) or module
    if "FastAPI" in found:
        return f"{shlex.quote(path)} --serve 'python3 -m uvicorn {app}:app --port {{port}}'", fill_in
    if "Django" in found:
        return f"{shlex.quote(path)} --serve 'python3 manage.py runserver --noreload {{port}}'", fill_in
    if "Flask" in found:
        return f"{shlex.quote(path)} --serve 'python3 -m flask --app {app} run --port {{port}}'", fill_in
    main = project.package.get("main") or "server.js"
    return f"{shlex.quote(path)} --serve 'node {main}'", fill_in or f"{main} must listen on process.env.PORT"


def _routes(project: Project) -> list[str]:
    pattern = re.compile(r"""(?:\.route|\.get|\bpath)\(\s*["'](/?[^"'\s]*)["']""")
    code = [name for name in project.files if name.endswith((".py", ".js", ".ts"))][:300]
    found = [route for name in code for route in pattern.findall(toolbox.read(project.root / name))]
    return sorted({"/" + route.lstrip("/") for route in found}, key=len, reverse=True)


def _app_module(project: Project) -> str:
    """The module that makes the web application."""
    for name in project.files:
        if name.endswith(".py") and re.search(r"=\s*(?:Flask|FastAPI)\(", toolbox.read(project.root / name)):
            return name.removesuffix(".py").removesuffix("/__init__").removeprefix("src/").replace("/", ".")
    return ""


def guard_command(project: Project) -> str:
    """The command that says whether the program still works, "" when the project has none."""
    script = str(project.package.get("scripts", {}).get("test", ""))
    if project.sources.get("Python") and any(".py" in t or t.endswith("/**") for t in project.tests):
        python = shlex.quote(toolbox.relative(toolbox.python(toolbox.Request(project.root, (), {})), project.root))
        below_src = any(place.startswith("src/") for place in project.sources["Python"])
        return f"{'PYTHONPATH=src ' if below_src else ''}{_interpreter(python)} -m pytest -q -p no:cacheprovider"
    if script and "no test specified" not in script:
        return "npm test --silent"
    if project.has("go.mod") and project.tests:
        return "go test ./..."
    if project.has("Cargo.toml"):
        return "cargo test --quiet"
    return "make test" if re.search(r"^test:", project.text("Makefile"), re.MULTILINE) else ""


def interface_guard(project: Project, kind: str) -> str:
    """For a library: the command that fails once its users would notice a change; "" for other projects and goals."""
    places = project.sources.get("Python") or project.sources.get("TypeScript") or ()
    library = any(project.has(name) for name in ("setup.py", "setup.cfg", "pyproject.toml")) or (
        bool(project.package.get("main") or project.package.get("exports")) and "TypeScript" in project.sources
    )
    if kind not in _REWRITES or not library or surroundings.serves(project):
        return ""
    repo, paths = git.Repo(project.root), " ".join(map(shlex.quote, places))
    commit = repo.head()[:12] if repo.is_git() else ""
    return f"{CHECK} interface {paths} --against {commit} --at-most 0" if commit else ""


def _interpreter(path: str) -> str:
    """A virtual environment's interpreter by its path in the project, the one on PATH by its name."""
    return path if not path.startswith("/") else "python3"


def _scope(project: Project, kind: str, in_tests: bool) -> str:
    """What may change: the program; for coverage its tests."""
    if in_tests:
        return ", ".join(project.tests) or "tests/**"
    if kind == "dependencies":
        return ", ".join([*project.manifests, *(f"{s}/**" for s in project.sources.get(project.languages[0], ()))])
    places = next(iter(project.sources.values()), ())
    if places == (".",):
        return "**/*.go" if project.has("go.mod") else "**/*.rs"
    return ", ".join(place if "." in place.rpartition("/")[2] else f"{place}/**" for place in places)


def _protected(project: Project, in_tests: bool) -> tuple[str, ...]:
    """Settings and tests that decide the number, where the scope could reach them."""
    settings = project.settings(*surroundings.SETTINGS)
    tests = () if in_tests else project.tests
    return (*tests, *settings)[:6]
