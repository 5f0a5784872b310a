"""What `npm test` needs before it can run: the programs that the script calls, and the files that it names."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from ..checks import toolbox, toolplace
from ..kernel.core import jsontext
from ..kernel.core.frozen import dataclass
from .surroundings import Project

# The package of a program that has another name.
_PACKAGES = {
    "tsc": "typescript@5", "run-s": "npm-run-all", "run-p": "npm-run-all", "lab": "@hapi/lab",
    "wtr": "@web/test-runner",
    "playwright": "@playwright/test", "biome": "@biomejs/biome", "web-test-runner": "@web/test-runner",
    "borp": "borp", "attw": "@arethetypeswrong/cli", "hereby": "hereby",
}  # fmt: skip
_SAME = frozenset(
    ("jest vitest mocha ava tape tap jasmine karma c8 nyc xo tsd tsx ts-node cross-env eslint prettier uvu standard "
     "rimraf lerna turbo nx wireit pnpm yarn bun cypress zx tsup rollup npm-run-all esbuild publint size-limit").split()
)  # fmt: skip
_SHELL = frozenset(
    "node npm npx sh bash echo cd exit rm mkdir cp mv true false test git make export set cat sleep find [ :".split()
)
_WRAPPERS = frozenset(("cross-env", "c8", "nyc", "npx", "dotenv", "env"))
_RUN = re.compile(
    r"(?:npm|pnpm|yarn|bun)(?: run(?:-script)?)?(?: -s| --silent)? ([\w:.-]+)|(?:run-s|run-p|npm-run-all) (.+)"
)
_FILE = re.compile(r"(?:\./)?[\w@.-]+(?:/[\w@.-]+)*\.(?:[cm]?[jt]sx?|json|ya?ml|toml|sh)")
_NAMED = re.compile(r"--?(?:config|c|project|p|require|r|import|tsconfig|setup\w*|rootDir)(?:=(\S+))?")
_MADE = re.compile(r"(?:\./)?(?:dist|build|lib|out|esm|cjs|coverage|\.\w+)/")
_DEEP = 3


@dataclass(frozen=True)
class NodeTests:
    """Packages that must be installed, as `toolplace.command` takes them; and why the script cannot run even then."""

    packages: tuple[str, ...] = ()
    note: str = ""


def of(project: Project) -> NodeTests:
    """What the script `test` lacks; nothing where there is none."""
    script = str(_scripts(project).get("test", ""))
    if not script or "no test specified" in script:
        return NodeTests()
    commands = [words for part in _commands(project, script) if (words := _words(part))]
    absent = [file for words in commands for file in _files(words) if not (project.root / file).exists()]
    if absent:
        return NodeTests(
            (), f"npm test names {absent[0]}, which is not in this repository: it fails before any test runs"
        )
    gone = dict.fromkeys(p for words in commands for p in _programs(words) if not _is_there(project, p))
    named = {program: _package(project, program) for program in gone}
    unknown = next((program for program, package in named.items() if not package), "")
    if unknown:
        return NodeTests((), f"npm test calls {unknown}, which is not here and in no package that package.json names")
    installed = any((home / "node_modules").is_dir() for home in toolplace.homes(project.root))
    everything = ["npm "] if "*" in named.values() or (not installed and _declared(project)) else []
    more = (f"npm {name}" for name in dict.fromkeys(named.values()) if name != "*")
    return NodeTests((*everything, *more))


def _scripts(project: Project) -> dict[str, str]:
    found = project.package.get("scripts")
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def _commands(project: Project, script: str, depth: int = 0) -> Iterator[str]:
    """The commands of a script; another script of the project is followed."""
    for part in (part.strip() for part in re.split(r"&&|\|\||;|\|", script)):
        other = _RUN.fullmatch(part)
        names = (other[1] or other[2]).split() if other else []
        known = [name for name in names if name in _scripts(project)]
        yield part.split()[0] if known and depth < _DEEP and part else part
        for name in known if depth < _DEEP else ():
            yield from _commands(project, _scripts(project)[name], depth + 1)


def _words(part: str) -> list[str]:
    try:
        return [word for word in shlex.split(part) if word != "!"]
    except ValueError:
        return []


_TAP = {"tape": "", "mocha": "--reporter tap", "ava": "--tap", "tap": "--reporter=tap", "node": ""}
_COVERED = re.compile(r"^(?:cross-env )?((?:\w+=\S+ )*)(?:(?:nyc|c8)(?: --?[\w:-]+(?:=\S+)?)* )?")


def tap(project: Project) -> str:
    """The command of the tests as it prints TAP, without what measures coverage around it; "" for another runner."""
    for part in _commands(project, str(_scripts(project).get("test", ""))):
        match = _COVERED.match(part)
        rest = part[match.end() :] if match else part
        program, _, given = rest.partition(" ")
        if program in _TAP and (program != "node" or re.match(r"(?:\S+ )*--test\b", given)):
            before = match[1] if match else ""
            named = "node --test-reporter=tap" if program == "node" else f"node_modules/.bin/{program}"
            return " ".join(filter(None, (f"{before}{named}", given, _TAP[program])))
    return ""


def _programs(words: list[str]) -> Iterator[str]:
    """The program of a command, and what it is wrapped in."""
    for word in words:
        if re.fullmatch(r"\w+=.*", word) or word.startswith("-"):
            continue
        yield word
        if word not in _WRAPPERS:
            return


def _is_there(project: Project, program: str) -> bool:
    plain = re.fullmatch(r"[@\w.-]+", program) is not None
    return program in _SHELL or not plain or bool(toolbox.look(program, project.root))


def _package(project: Project, program: str) -> str:
    """The package of a program: `*` for one that package.json asks for, "" for none known."""
    name = _PACKAGES.get(program, program)
    plain = name if name.startswith("@") else name.partition("@")[0]
    if {plain, program} & _declared(project):
        return "*"
    return name if program in _PACKAGES or program in _SAME else ""


def _declared(project: Project) -> set[str]:
    """The packages that the project's package.json, or that of its workspace, asks for."""
    found: set[str] = set()
    for home in toolplace.homes(project.root):
        path = home / "package.json"
        try:
            manifest = jsontext.loads(toolbox.read(path)) if path.is_file() else {}
            found.update(*(manifest.get(table) or () for table in ("dependencies", "devDependencies")))
        except (ValueError, AttributeError, TypeError):
            continue
    return found


def _files(words: list[str]) -> Iterator[str]:
    """Files that a command names: of options for settings, and a script that an interpreter runs."""
    runs = bool(words) and words[0] in ("node", "tsx", "ts-node", "bash", "sh")
    for before, word in zip(["", *words], words):
        option, value = _NAMED.fullmatch(word), _NAMED.fullmatch(before)
        given = option[1] if option and option[1] else word if value and not value[1] else ""
        first = runs and not word.startswith("-") and word != words[0] and not before.startswith("-")
        found = given or (word if first else "")
        if found and _FILE.fullmatch(found) and not _MADE.match(found):
            yield found
        runs = runs and (word == words[0] or word.startswith("-"))
