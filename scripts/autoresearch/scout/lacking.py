"""What must be installed before the checks of a look, and the tests, run here: tools, and packages that the project
imports. Only what a manifest or a list of well-known names vouches for is proposed: a name alone is no package."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping

from ..checks import kinds, toolbox, toolplace
from . import fetched, nodetests, pins, testrunners
from .surroundings import Lacks, Project

# The package of a module that has another name.
_PACKAGES = dict(
    pair.split("=")
    for pair in (
        "yaml=PyYAML PIL=Pillow bs4=beautifulsoup4 dateutil=python-dateutil sklearn=scikit-learn cv2=opencv-python "
        "attr=attrs rest_framework=djangorestframework jwt=PyJWT git=GitPython dotenv=python-dotenv "
        "factory=factory-boy OpenSSL=pyOpenSSL Crypto=pycryptodome mock=mock django=Django flask=Flask "
        "werkzeug=Werkzeug dal=django-autocomplete-light markdown=Markdown psycopg2=psycopg2-binary "
        "MySQLdb=mysqlclient pkg_resources=setuptools<81 setuptools=setuptools typing_extensions=typing-extensions "
        "hypothesis=hypothesis pytest=pytest six=six freezegun=freezegun responses=responses webtest=WebTest "
        "nose=pynose ddt=ddt parameterized=parameterized trio=trio"
    ).split()
)
# What shows in a project's settings or tests that they need a plugin of pytest: its module and its package.
_PLUGINS = (
    (r"--cov\b", "", "pytest_cov", "pytest-cov"),
    (r"--benchmark", r"def test\w*\([^)]*\bbenchmark\b", "pytest_benchmark", "pytest-benchmark"),
    (r"--(?:numprocesses|dist)\b|-n ?(?:auto|\d)", "", "xdist", "pytest-xdist"),
    (r"asyncio_mode", r"mark\.asyncio", "pytest_asyncio", "pytest-asyncio"),
    (r"--timeout|^timeout ?=", r"mark\.timeout", "pytest_timeout", "pytest-timeout"),
    (r"--mypy\b", "", "pytest_mypy", "pytest-mypy"),
    (r"--(?:random-order|randomly)", "", "random_order", "pytest-random-order"),
    (r"DJANGO_SETTINGS_MODULE|--ds\b", r"mark\.django_db", "pytest_django", "pytest-django"),
    ("", r"def test\w*\([^)]*\bmocker\b", "pytest_mock", "pytest-mock"),
    ("", r"def test\w*\([^)]*\brequests_mock\b", "requests_mock", "requests-mock"),
    ("", r"def test\w*\([^)]*\bhttpserver\b", "pytest_httpserver", "pytest-httpserver"),
    ("", r"def test\w*\([^)]*\bsubtests\b", "pytest_subtests", "pytest-subtests"),
)
_FILES = 400  # sources that are read
_FIND = (
    "import importlib.util as u, sys\nfor n in sys.argv[1:]:\n try: f = u.find_spec(n)\n except Exception: f = 1\n"
    " f or print(n)"
)
_UNMET = (
    "import importlib.metadata as m, sys\nfor n in sys.argv[1:]:\n try: m.version(n)\n"
    " except Exception: print(n.replace('-', '_'))"
)
_RUNS_CODE = frozenset(
    (
        "mypy",
        "pyright",
        "pytest",
        "unittest",
        "coverage",
        "call",
        "queries",
        "http",
        "startup",
        "memory",
        "command",
        "gobench",
        "build",
    )
)
_RUNS_TESTS = frozenset(
    ("pytest", "unittest", "coverage", "gotest", "govet", "golangci", "coverage-go", "clippy", "cargotest")
)
_NODE = frozenset(("tsc", "ts-any", "eslint", "jest", "vitest", "tap", "bundle", "coverage-lcov"))


def of(project: Project) -> Lacks:
    """What the program and its tests import, and is not there."""
    code = [name for name in project.files if name.endswith(".py")]
    if "Python" not in project.sources or not code:
        return _elsewhere(project)
    texts = {name: toolbox.read(project.root / name) for name in code[:_FILES]}
    own = {part.removesuffix(".py") for name in code for part in name.split("/")}
    program = _imported(texts[name] for name in texts if _is_program(project, name)) - own
    tested = [texts[name] for name in texts if project.is_test(name)]
    by_pytest = bool(tested) and testrunners.of(project).kind == "pytest"
    tests = (_imported(tested) | ({"pytest"} if by_pytest else set())) - own
    plugins = dict(_plugins(project, "\n".join(tested))) if by_pytest else {}
    gone = _absent(project, sorted(program | tests | set(plugins)))
    declared = pins.declared(project)
    declared = {**declared, **_in_namespaces(texts.values(), declared)}
    known = {name: _ranged(plugins.get(name, ""), declared) or _package(name, declared) for name in gone}
    asked = {name: f"pip {package}" for name, package in known.items() if package}
    needed = [asked[name] for name in gone if name in program and name in asked]
    more = [asked[name] for name in gone if name not in program and name in asked]
    unknown = tuple(name for name in gone if not known[name] and name in program)
    return Lacks(tuple(dict.fromkeys(needed)), tuple(dict.fromkeys(more)), unknown)


def named_in(project: Project, complaint: str) -> str:
    """The package of a module that an error says is not there, as `toolplace.command` takes it; "" for none known. For
    a module of an extra that is what the project always needs and has not: it stands in for the other."""
    module = re.search(r"No module named '([A-Za-z_]\w*)", complaint)
    declared = pins.declared(project)
    package = _package(module[1], declared) if module else ""
    needed = pins.always(project)
    if package and pins.bare(package) not in needed:
        request = toolbox.Request(project.root, (), {"timeout": 60})
        gone = toolbox.run([toolbox.python(request), "-c", _UNMET, *needed], request).out.split()
        package = next((declared[name] for name in gone if name in declared), package)
    return f"pip {package}" if package else ""


def for_kind(project: Project, kind: str) -> tuple[str, ...]:
    """What a kind of check needs and is not here: its tool, and what the program that it runs imports."""
    tool = TOOLS.get(kind, "")
    there = not tool or bool(toolbox.look(tool, project.root))
    if kind in ("pytest", "coverage"):  # a module of the project's own interpreter, whatever lies on PATH
        there = not _absent(project, [tool])
    if kind in ("tsc", "ts-any"):
        modules = [*toolplace.homes(project.root), toolplace.folder(project.root)]
        there = there and any((home / "node_modules/typescript").is_dir() for home in modules)
        there = there or bool(toolbox.look("tsc", project.root))
    install = () if there else (_own(project, kinds.of(kind).install) or f"install {tool}",)
    if kind in _NODE and project.has("package.json") and not _has_modules(project):
        declared = {**(project.package.get("dependencies") or {}), **(project.package.get("devDependencies") or {})}
        named = [name for name in install if name[4:].partition("@")[0] not in declared]
        return tuple(named) if named or not declared else ("npm ",)
    if kind in ("call-node", "startup") and project.package.get("dependencies") and not _has_modules(project):
        return (*install, "npm ")
    lacks = project.lacks
    tests = lacks.tests if kind in _RUNS_TESTS and not (kind == "govet" and lacks.free) else ()
    return tuple(dict.fromkeys((*install, *(lacks.program if kind in _RUNS_CODE else ()), *tests)))


def interpreter(project: Project) -> str:
    """A virtual environment's interpreter by its path in the project, the one on PATH by its name; where packages are
    missing the one that has them once they are installed."""
    now = toolbox.python(toolbox.Request(project.root, (), {}))
    place = str(toolplace.folder(project.root))
    path = toolplace.future_python(project.root) if project.lacks.python else now
    shown = toolbox.relative(path, project.root)
    return shlex.quote(shown) if not shown.startswith("/") or path.startswith(place) else "python3"


def _elsewhere(project: Project) -> Lacks:
    """What projects of other languages lack."""
    node = nodetests.of(project) if _has_tests(project) else nodetests.NodeTests()
    gone = fetched.of(project)
    fetching = (gone.command,) if gone.command else ()
    return Lacks(
        program=fetching if gone.program else (),
        tests=(*node.packages, *fetching),
        notes=tuple(filter(None, (node.note, gone.note))),
        untestable=bool(node.note),
        free=gone.free,
    )


def _has_tests(project: Project) -> bool:
    from . import proposals

    return proposals.has_npm_tests(project)


def _has_modules(project: Project) -> bool:
    return any((home / "node_modules").is_dir() for home in toolplace.homes(project.root))


def _is_program(project: Project, name: str) -> bool:
    places = project.sources.get("Python", ())
    inside = any(name == place or name.startswith(f"{place}/") for place in places)
    return inside and not project.is_test(name)


def _imported(texts: Iterable[str]) -> set[str]:
    """Modules that are imported whatever happens: at the top, outside `try` and `if`."""
    found: set[str] = set()
    for text in texts:
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError):
            continue
        for node in body:
            if isinstance(node, ast.Import):
                found.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.partition(".")[0])
    return found


def _in_namespaces(texts: Iterable[str], declared: Mapping[str, str]) -> dict[str, str]:
    """For a module that several packages share (`jaraco`), the one of them that is imported (`jaraco.functools`)."""
    pattern = re.compile(r"^\s*(?:from|import)\s+(\w+)\.(\w+)", re.MULTILINE)
    pairs = (pair for text in texts for pair in pattern.findall(text))
    shared = {pins.plain(top): declared.get(pins.plain(f"{top}.{part}")) for top, part in pairs}
    return {top: package for top, package in shared.items() if package and top not in declared}


def _plugins(project: Project, tests: str) -> Iterator[tuple[str, str]]:
    settings = "\n".join(project.text(name) for name in ("pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini"))
    parts = re.findall(r"^\[(?:tool[:.])?pytest[^\]]*\]\n(.*?)(?=^\[|\Z)", settings, re.MULTILINE | re.DOTALL)
    asked = "\n".join(parts)
    for setting, use, module, package in _PLUGINS:
        if (setting and re.search(setting, asked, re.MULTILINE)) or (use and re.search(use, tests)):
            yield module, package


def _absent(project: Project, names: Iterable[str]) -> list[str]:
    """Those of the modules that the project's interpreter does not find."""
    request = toolbox.Request(project.root, (), {"timeout": 60})
    listed = [name for name in names if name]
    path = {"PYTHONPATH": toolbox.python_path(project.root)}
    return toolbox.run([toolbox.python(request), "-c", _FIND, *listed], request, path).out.split() if listed else []


def _own(project: Project, install: str) -> str:
    """A tool as `toolplace.command` takes it, of the versions that the project names."""
    name = install.removeprefix("pip ")
    return install if name == install else f"pip {_ranged(name, pins.declared(project))}"


def _ranged(package: str, declared: Mapping[str, str]) -> str:
    return declared.get(pins.plain(package), package)


def _package(module: str, declared: Mapping[str, str]) -> str:
    """The package that holds a module: one of that name that a manifest has, or a well-known one; "" for neither."""
    usual = _PACKAGES.get(module, "")
    guesses = [usual, module, f"python_{module}", f"{module}_python", f"py{module}"]
    return next((declared[pins.plain(name)] for name in guesses if name and pins.plain(name) in declared), usual)


TOOLS = {"mypy": "mypy", "pyright": "pyright", "tsc": "node", "ts-any": "node", "ruff": "ruff", "eslint": "eslint",
         "clippy": "cargo-clippy", "golangci": "golangci-lint", "govet": "go", "pytest": "pytest", "jest": "jest",
         "vitest": "vitest", "gotest": "go", "cargotest": "cargo", "coverage": "coverage", "coverage-go": "go",
         "bundle": "esbuild", "call-node": "node", "gobench": "go"}  # fmt: skip
