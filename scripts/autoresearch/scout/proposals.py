"""The checks that fit a goal and a project, each with all flags of a dry run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from ..checks import kinds, toolbox
from ..kernel.core.frozen import dataclass, field
from ..kernel.core.text import listing
from ..kernel.disk.layout import script
from ..kernel.system import git
from . import (
    calls,
    commands,
    flake8,
    gocalls,
    lacking,
    nodeentry,
    nodetests,
    surroundings,
    testrunners,
    tssettings,
    webapps,
)
from .known_tools import KnownCommand
from .sentence import GoalTerms
from .surroundings import Project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHECK = f"python3 {script('check')}"
MOST = 3

# What a topic is measured with, by language; the first that fits the project wins.
_KINDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "any": {"TypeScript": ("ts-any", "tsc"), "Python": ("mypy",)},
    "types": {"Python": ("mypy", "pyright"), "TypeScript": ("tsc", "ts-any"), "JavaScript": ("tsc",)},
    "lint": {"Python": ("ruff",), "TypeScript": ("eslint",), "JavaScript": ("eslint",), "Rust": ("clippy",),
             "Go": ("golangci", "govet")},
    "tests": {"Python": ("pytest", "unittest"), "TypeScript": ("vitest", "jest", "tap"),
              "JavaScript": ("jest", "vitest", "tap"), "Go": ("gotest",), "Rust": ("cargotest",), "Java": ("junit",)},
    "flaky": {"Python": ("pytest", "unittest"), "TypeScript": ("vitest", "jest", "tap"),
              "JavaScript": ("jest", "vitest", "tap"), "Go": ("gotest",), "Rust": ("cargotest",)},
    "coverage": {"Python": ("coverage",), "Go": ("coverage-go",), "TypeScript": ("coverage-lcov",),
                 "JavaScript": ("coverage-lcov",)},
    "speed": {"Python": ("http", "queries", "call", "command"), "TypeScript": ("call-node",),
              "JavaScript": ("call-node",), "Go": ("gobench",), "": ("command",)},
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


@dataclass(frozen=True)
class CheckProposal:
    """One check, ready to run: flags of the dry run, why it fits, what it misses, what is missing to run it."""

    kind: str
    flags: Mapping[str, Any]
    misses: str
    install: tuple[str, ...] = ()  # packages that are missing, as `toolplace.command` takes them
    fill_in: str = ""  # what the agent must put in place of CODE or the like, "" when nothing

    @property
    def tests(self) -> bool:
        """Whether the check itself runs the tests, so that no guard does."""
        return self.kind in _RUNS_TESTS

    @property
    def in_turns(self) -> bool:
        """Whether a shipped check measures a copy of a commit beside the tree."""
        verify = str(self.flags["verify"])
        return verify.startswith(CHECK) and "--against" in verify

    @property
    def ready(self) -> bool:
        """Whether it can be run as it is."""
        return not self.install and not self.fill_in


@dataclass(frozen=True)
class CheckRequest:
    """What is wanted: the user's words and what they settle, whether flaky tests are meant, and whether speed is
    measured in turns with a copy of the commit that is there now."""

    goal: str
    flaky: bool = False
    in_turns: bool = True
    branches: bool = False  # of coverage: ways out of a line instead of lines
    said: GoalTerms = field(default_factory=GoalTerms)
    known: KnownCommand | None = None  # the kind that the user's own command is
    tools: Mapping[str, str] = field(default_factory=dict)  # executables that the words name by a path


def fitting(project: Project, topics: tuple[str, ...]) -> list[str]:
    """The kinds for the topics, best first; without topics those that most projects gain from."""
    found: dict[str, None] = {}
    for topic in topics:
        by_language = _KINDS[topic]
        for language in (*project.languages, ""):
            found.update(dict.fromkeys(by_language.get(language, ())))
    found.update(dict.fromkeys(("http", "queries") if not topics and project.routes else ()))
    for language in project.languages if not topics else ():
        fits = (kind for kind in _STAND_INS.get(language, ()) if project.tests or not kind.startswith("coverage"))
        found.update(dict.fromkeys(fits))
    return [kind for kind in found if _fits(kind, project)]


def _fits(kind: str, project: Project) -> bool:
    """Whether a kind has anything to look at here, and is the project's own choice of several."""
    uses = _used_by_node(project)
    if kind in ("jest", "vitest"):
        return kind in uses or bool(toolbox.look(kind, project.root))
    if kind == "golangci":  # go vet is there wherever Go is
        return bool(project.settings(".golangci.*") or toolbox.look("golangci-lint", project.root))
    if kind == "tap":
        return bool(nodetests.tap(project))
    if kind in ("pytest", "unittest"):
        return (kind == "unittest") == (testrunners.of(project).kind == "unittest")
    if kind == "http":
        served = {"Flask", "FastAPI", "Express", *(["Django"] if "manage.py" in project.files else [])}
        return bool(served & set(surroundings.frameworks(project)))
    if kind == "queries":
        return bool({"Django", "SQLAlchemy", "sqlite3"} & set(surroundings.frameworks(project)))
    if kind == "gobench":
        return bool(project.sources.get("Go"))
    if kind in ("tsc", "ts-any"):
        plain = kind == "tsc" and "JavaScript" in project.sources and project.languages[:1] == ("JavaScript",)
        return bool(project.sources.get("TypeScript")) or plain
    return True


def _used_by_node(project: Project) -> str:
    """The packages for development and the scripts of the project, those of a workspace's packages too."""
    texts = [str(project.package.get("devDependencies", {})) + str(project.package.get("scripts", {}))]
    if "workspaces" in project.package or project.has("pnpm-workspace.yaml"):
        texts += [toolbox.read(project.root / name) for name in project.files if name.endswith("/package.json")][:200]
    return "".join(texts)


def make(project: Project, kind_name: str, wish: CheckRequest) -> CheckProposal:
    """One proposal with its flags."""
    kind = kinds.of(kind_name)
    operands, fill_in = _operands(project, kind_name, wish.goal)
    given = wish.tools.get(kind_name, "")
    operands += f" --tool {shlex.quote(given)}" if given else ""
    if wish.known and wish.known.kind == kind_name:
        operands, given = wish.known.operands or operands, "theirs"
    turns = _in_turns(project, kind_name) if wish.in_turns and "--prepare" not in fill_in else ""
    branches = wish.branches and "branches" in kind.options.split()
    operands += " --branches" if branches else ""
    verify = " ".join(filter(None, (CHECK, kind_name, operands, "--runs 5" if wish.flaky else "", turns)))
    in_tests = kind_name in ("coverage", "coverage-go", "coverage-lcov")
    scope = _scope(project, kind_name, in_tests)
    flags: dict[str, Any] = {
        "mode": "fix" if kind.metric == "failed" and not wish.flaky else None,  # so that the run ends at 0 by itself
        "goal": wish.goal or kind.what,
        "scope": scope,
        "metric_name": "flaky" if wish.flaky else "missed_branches" if branches else kind.metric,
        "direction": kind.direction,
        "verify": verify,
        "guard": as_flag(_guards(project, kind_name, wish)),
        "protect": list(_protected(project, in_tests)) or None,
        "require": list(kind.require) or None,
    }
    flags.update(_named(kind_name, operands, bool(turns)), profile=_profile(kind_name, operands, fill_in))
    if kind_name == "call" and project.work and project.work.named:
        flags["metric_name"] = project.work.named
    missing = () if given else lacking.for_kind(project, kind_name)
    guessed = _guessed(project, kind_name, wish.goal)
    misses = [kind.misses, f"the goal names no function, tests and documents call {guessed} most" if guessed else ""]
    misses += [_pinned(project)] if kind_name == "queries" else []
    misses.insert(0, flake8.told(project) if kind_name == "ruff" else "")
    misses.insert(0, tssettings.told(project, operands) if kind_name in ("tsc", "ts-any") else "")
    return CheckProposal(kind_name, as_said(flags, wish.said), "; ".join(filter(None, misses)), missing, fill_in)


_PINS = re.compile(
    r"\bassertNumQueries\b|\bassert_num_queries\b|\bassert(?:Equals?)?\b.*\blen\(\w*(?:\.\w+)*quer(?:ies|y)\w*\)"
)


def _pinned(project: Project) -> str:
    """That tests hold the number itself, with their places; "" where none does. An upper limit refuses nothing."""
    texts = {path: toolbox.read(project.root / path) for path in project.files if project.is_test(path)}
    lines = ((path, number, line) for path, text in texts.items() for number, line in enumerate(text.splitlines(), 1))
    found = [
        f"{path}:{number}"
        for path, number, line in lines
        if path.endswith(".py") and _PINS.search(line) and not re.match(r"\s*(?:#|def |from |import )", line)
    ]
    if not found:
        return ""
    return (
        f"tests pin the number of queries ({listing(found, 3)}) and refuse fewer too: agree to make these limits "
        "first, or leave them out of the guard (--deselect)"
    )


def _guessed(project: Project, kind: str, goal: str) -> str:
    """The function that a call was chosen of without a word of the goal, "" where it is named."""
    work = _python_work(project, goal) if kind == "call" else None
    work = calls.node_work(project, goal, "") if kind == "call-node" else work
    return work.guessed if work else ""


def as_said(flags: Mapping[str, Any], said: GoalTerms) -> dict[str, Any]:
    """The flags that hold something, with the places that the user's words allow and take out."""
    named = f"{', '.join(said.scope) or flags['scope']}"
    kept = [*(flags.get("protect") or ()), *said.kept]
    fitted = {**flags, "scope": named, "protect": list(dict.fromkeys(kept))}
    return {name: value for name, value in fitted.items() if value}


def as_flag(guards: Sequence[str]) -> list[str] | str:
    """Guards as the flag holds them: several with their names, one as its command alone, "" for none."""
    return list(guards) if len(guards) > 1 else "".join(guards).partition("=")[2]


def _guards(project: Project, kind: str, wish: CheckRequest) -> list[str]:
    """What must not break, each as NAME=COMMAND: what the user names, the tests, the interface of a library, answers
    to compare."""
    tests = "" if kind in _RUNS_TESTS else guard_command(project)
    found = {"tests": tests, "interface": interface_guard(project, kind), "answers": _answers(project, kind, wish)}
    return with_asked(wish.said, [f"{name}={command}" for name, command in found.items() if command])


_TEST_RUNNERS = ("pytest", "unittest", "npm test", "go test", "cargo test", "make test", "jest", "vitest", "tox")


def with_asked(said: GoalTerms, ours: Sequence[str]) -> list[str]:
    """The guards that the user names before those that were found; tests that they run already are not run again."""
    asked = commands.labelled(said.guards)
    tested = any(runner in command for runner in _TEST_RUNNERS for command in said.guards)
    names = {guard.partition("=")[0] for guard in asked} | ({"tests"} if tested else set())
    return [*asked, *(guard for guard in ours if guard.partition("=")[0] not in names)]


def _answers(project: Project, kind: str, wish: CheckRequest) -> str:
    """The command that compares answers with those of today: of the other routes, or of other calls that are known."""
    commit = _commit(project)
    if not commit or not wish.in_turns:
        return ""
    if kind in ("http", "queries", "call") and len(project.routes) > 1 and "Django" in surroundings.frameworks(project):
        asked = " ".join(commands.word(f"get({path!r})") for path in project.routes[1:6])
        return f"{CHECK} answers {asked} --setup {commands.word(webapps.site(project))} --against {commit} --at-most 0"
    if kind in ("http", "queries") and len(project.routes) > 1:
        paths, (operands, _) = project.routes[1:6], webapps.operands(project, "")
        rest = operands.partition(" ")[2]
        return f"{CHECK} http {' '.join(map(shlex.quote, paths))} {rest} --against {commit} --runs {2 * len(paths)}"
    if kind in _REWRITES - {"call", "call-node"} and not project.tests and "Python" in project.sources:
        codes, setup = calls.samples(project)
        listed = " ".join(map(commands.word, codes))
        return (
            f"{CHECK} answers {listed} --setup {commands.word(setup)} --against {commit} --at-most 0" if codes else ""
        )
    work = _python_work(project, wish.goal) if kind == "call" else None
    if work is None or not work.others:
        return ""
    others = " ".join(map(commands.word, work.others))
    return f"{CHECK} answers {others} --setup {commands.word(work.setup)} --against {commit} --at-most 0"


def _in_turns(project: Project, kind: str) -> str:
    """The option that times the work in turns with a copy of the commit of today, which must give the same answers."""
    commit = _commit(project) if "against" in kinds.of(kind).options.split() and not kinds.of(kind).exact else ""
    return f"--against {commit}" if commit and kind != "judge" else ""


def _commit(project: Project) -> str:
    repo = git.Repo(project.root)
    return repo.head()[:12] if repo.is_git() else ""


def _named(kind: str, operands: str, in_turns: bool) -> dict[str, str]:
    """What the work is called by, its path or function, so that answers say `/feed 63 -> 17 ms`; and what counts,
    which in turns is the share of the time that the reference takes: 100 at the start by construction."""
    words = shlex.split(operands)
    setup = words[words.index("--setup") + 1] if "--setup" in words and kind in ("call", "call-node") else ""
    imported = re.search(r"^from [\s\S]* import (\w+)$|^const \{ (\w+) \} = ", setup)
    name = (
        words[0].partition("(")[0].rpartition(".")[2]
        if kind in ("http", "gobench") and words[0] not in ("/PATH", "CODE")
        else ""
    )
    asked = re.fullmatch(r"get\('([^']+)'\)", words[0]) if words else None
    name = name or (asked[1] if asked else "") or next(filter(None, imported.groups() if imported else ()), "")
    if in_turns:
        return {"metric_name": name or "time", "metric_key": "percent", "baseline_is": "100"}
    name = name or {"startup": "start", "memory": "memory"}.get(kind, "")
    return {"metric_name": name, "metric_key": kinds.of(kind).metric} if name else {}


def _profile(kind: str, operands: str, fill_in: str) -> str:
    """The command that shows where the work of a speed check goes; "" where the work is still to be filled in."""
    if fill_in or kind not in ("call", "call-node", "command"):
        return ""
    call = {"call": "--call ", "call-node": "--node --call ", "command": ""}[kind]
    return f"python3 {script('profile')} {call}{operands}"


# Kinds whose fixes rewrite declarations, so that users of a library may be hit.
_REWRITES = frozenset(("bundle", "mypy", "pyright", "tsc", "ts-any", "complexity", "duplicates", "call", "call-node"))
_RUNS_TESTS = {
    "pytest",
    "unittest",
    "jest",
    "vitest",
    "tap",
    "gotest",
    "cargotest",
    "junit",
    "coverage",
    "coverage-go",
    "coverage-lcov",
}


def _operands(project: Project, kind: str, goal: str) -> tuple[str, str]:
    """What comes after the kind, and what of it the agent has to fill in."""
    python = project.sources.get("Python", ())
    node = project.sources.get("TypeScript", ()) or project.sources.get("JavaScript", ())
    paths = " ".join(map(shlex.quote, python))
    if kind == "mypy":
        return paths + ("" if project.configured("mypy") else " --option=--strict"), ""
    if kind in ("pyright", "ruff", "docs", "complexity", "coverage"):
        return paths + (flake8.operands(project) if kind == "ruff" else ""), ""
    if kind in ("tsc", "ts-any", "eslint"):
        open_one = nodeentry.lints_without_settings(project) if kind == "eslint" else ""
        more = tssettings.operands(project, node) if kind != "eslint" else " --option=-c --option=FILE" * bool(open_one)
        return " ".join(map(shlex.quote, node)) + more, open_one
    if kind == "duplicates":
        return " ".join(map(shlex.quote, next(iter(project.sources.values()), (".",)))), ""
    if kind == "govet":
        return " ".join(map(shlex.quote, project.lacks.free)), ""
    if kind == "gobench":
        given = gocalls.benchmark(project, goal)
        return (given, "") if given else ("'CODE' ./", gocalls.HELP)
    if kind in ("call", "call-node"):
        return _call(project, kind, goal, python)
    imported = python and _is_start(goal)
    if kind == "memory" and imported:
        module = python[0].rpartition("/")[2].removesuffix(".py")
        before = "PYTHONPATH=src " if python[0].startswith("src/") else ""
        return commands.word(f"{before}{lacking.interpreter(project)} -c 'import {module}'"), ""
    return _written(project, kind, python)


def _is_start(goal: str) -> bool:
    """Whether memory is meant that is taken before any work is done."""
    return re.search(r"\bimport|\bstart|\bload|\blad|\bcharg", goal, re.IGNORECASE) is not None


def _call(project: Project, kind: str, goal: str, python: tuple[str, ...]) -> tuple[str, str]:
    """The call of the function that the goal names, as its tests and documents make it; else a placeholder."""
    asked = webapps.request(project) if kind == "call" and "Django" in surroundings.frameworks(project) else None
    if asked:
        return asked
    entry = nodeentry.source(project) or "index.js"
    made = nodeentry.built(project) if kind == "call-node" else ""
    if made:
        return "'CODE'", (
            f"CODE: one expression with the program as require('./{made}') on a large input; that file is built, so "
            "pass --prepare with the build's command too"
        )
    work = _python_work(project, goal) if kind == "call" else calls.node_work(project, goal, entry)
    if work is None:
        module = python[0].rpartition("/")[2].removesuffix(".py") if python else ""
        example = f"of {module}" if kind == "call" else f"with the program as require('./{entry}')"
        setup = f" --setup 'import {module}'" if kind == "call" else ""
        return f"'CODE'{setup}", f"CODE: one expression {example} on a large input"
    if not work.code:
        return (
            f"'CODE' --setup {commands.word(work.setup)}",
            f"CODE: a call of what {work.setup} gives, on a large input",
        )
    return f"{commands.word(work.code)} --setup {commands.word(work.setup)}", ""


def _python_work(project: Project, goal: str) -> calls.Work | None:
    found: calls.Work | None = project.work or calls.python_work(project, goal)
    return found


def _written(project: Project, kind: str, python: tuple[str, ...]) -> tuple[str, str]:
    """Operands that name a piece of work; where only the agent can choose it, a placeholder in capitals."""
    module = python[0].rpartition("/")[2].removesuffix(".py") if python else ""
    entry = nodeentry.source(project)
    bench = _benchmark(project)
    work = bench or guard_command(project)
    rows = {
        "startup": (
            shlex.quote(f"import {module}") if module else f"\"require('./{entry or 'ENTRY'}')\" --ending .js",
            "" if module or entry.endswith("js") else "ENTRY: what users load, a built file where it is built",
        ),
        "queries": webapps.request(project)
        or (f"'CODE' --setup 'import {module}'", "CODE: one expression that does the work on a filled database"),
        "command": (shlex.quote(bench or "CMD"), "" if bench else _work_asked(project)),
        "memory": (shlex.quote(work or "CMD"), "" if work else "CMD: the work"),
        "build": (shlex.quote(_build(project)), "" if _build(project) != "BUILD" else "BUILD: the build command"),
        "bundle": (shlex.quote(entry or "ENTRY"), "" if entry else "ENTRY: the source of what users import"),
        "size": ("'OUTPUT' --build 'BUILD'", "OUTPUT: the built file; BUILD: the command that builds it"),
        "loss": ("'python3 TRAIN.py {seed}'", "TRAIN.py: the training, its seed as argument, METRIC loss= as output"),
        "tap": (commands.word(nodetests.tap(project)), ""),
        "junit": ("'target/surefire-reports/*.xml' --build 'mvn -q test || true'", ""),
        "http": webapps.operands(project, module),
        "coverage-lcov": (_lcov(project), ""),
    }
    return rows.get(kind, ("", ""))


def _work_asked(project: Project) -> str:
    """What the command of a piece of work is to be; a program that is compiled is built apart."""
    example = "target/release/examples/NAME with --prepare 'cargo build --release --example NAME'"
    built = f", of a release build: {example}" if project.has("Cargo.toml") else ""
    return f"CMD: the work, none of it start-up or tests{built}"


def _benchmark(project: Project) -> str:
    """A benchmark that the project has, "" for none: tests spend their time in the runner."""
    found = next((n for n in project.files if re.search(r"(?:^|/)(?:bench\w*|perf\w*)[^/]*\.py$", n)), "")
    return f"{lacking.interpreter(project)} {found}" if found else ""


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


def guard_command(project: Project) -> str:
    """The command that says whether the program still works, "" when the project has none."""
    script = str(project.package.get("scripts", {}).get("test", ""))
    if project.sources.get("Python") and any(".py" in t or t.endswith("/**") for t in project.tests):
        return _python_tests(project)
    if script and "no test specified" not in script and has_npm_tests(project) and not project.lacks.untestable:
        return nodeentry.tests(project)
    if project.has("go.mod") and project.tests:
        return "go test ./..."
    if project.has("Cargo.toml"):
        return "cargo test --quiet"
    return "make test" if re.search(r"^test:", project.text("Makefile"), re.MULTILINE) else ""


def _python_tests(project: Project) -> str:
    runner = testrunners.of(project)
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", *runner.words) if runner.kind == "pytest" else runner.words
    below_src = any(place.startswith("src/") for place in project.sources["Python"])
    before = f"{'PYTHONPATH=src ' if below_src else ''}{runner.before}"
    return f"{before}{lacking.interpreter(project)} {' '.join(map(shlex.quote, words))}"


def has_npm_tests(project: Project) -> bool:
    """Whether what `npm test` runs is here: packages of registries come without their tests."""
    return bool(project.tests) or any(re.match(r"(?:.*/)?tests?[.\w-]*\.[cm]?[jt]sx?$", name) for name in project.files)


def interface_guard(project: Project, kind: str) -> str:
    """For a library: the command that fails once its users would notice a change; "" for other projects and goals."""
    places = project.sources.get("Python") or project.sources.get("TypeScript") or ()
    library = any(project.has(name) for name in ("setup.py", "setup.cfg", "pyproject.toml")) or (
        bool(project.package.get("main") or project.package.get("exports")) and "TypeScript" in project.sources
    )
    if kind not in _REWRITES or not library or surroundings.serves(project):
        return ""
    commit, paths = _commit(project), " ".join(map(shlex.quote, places))
    return f"{CHECK} interface {paths} --against {commit} --at-most 0" if commit else ""


def _scope(project: Project, kind: str, in_tests: bool) -> str:
    """What may change: the program; for coverage its tests."""
    if in_tests:
        return ", ".join(project.tests) or "tests/**"
    if kind == "dependencies":
        return ", ".join([*project.manifests, *(f"{s}/**" for s in project.sources.get(project.languages[0], ()))])
    return places_of(project)


def places_of(project: Project) -> str:
    """Where the program lies, as a scope."""
    places = next(iter(project.sources.values()), ())
    if places == (".",):
        rust = "src/**" if any(name.startswith("src/") for name in project.files) else "**/*.rs"
        return "**/*.go, !**/*_test.go" if project.has("go.mod") else rust
    return ", ".join(place if "." in place.rpartition("/")[2] else f"{place}/**" for place in places)


def _protected(project: Project, in_tests: bool) -> tuple[str, ...]:
    """Settings and tests that decide the number, where the scope could reach them."""
    settings = project.settings(*surroundings.SETTINGS)
    tests = () if in_tests else project.tests
    return (*tests, *settings)[:6]
