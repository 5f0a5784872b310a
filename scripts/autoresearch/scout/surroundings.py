"""What a project is: languages, manifests, sources, tests, settings of tools, what is installed, what starts it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..checks import toolbox
from ..kernel.core import artifacts, jsontext
from ..kernel.core.frozen import dataclass, field
from ..kernel.system import git
from . import testfiles
from .testfiles import TestFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MANIFESTS = (
    "pyproject.toml", "setup.cfg", "setup.py", "requirements.txt", "tox.ini", "package.json", "tsconfig.json",
    "Cargo.toml", "go.mod", "CMakeLists.txt", "Makefile", "justfile", "pom.xml", "build.gradle", "build.gradle.kts",
    "composer.json", "Gemfile", "mix.exs", "Dockerfile", "Procfile", "pnpm-workspace.yaml",
)  # fmt: skip
SETTINGS = (
    "mypy.ini", ".mypy.ini", "pyrightconfig.json", "ruff.toml", ".ruff.toml", "pytest.ini", ".coveragerc", "tox.ini",
    "conftest.py", "jest.config.*", "vitest.config.*", "vite.config.*", "eslint.config.*", ".eslintrc*",
    ".golangci.y*ml", "clippy.toml", "pyproject.toml", "setup.cfg", "tsconfig*.json",
)  # fmt: skip
_LANGUAGES = {
    ".py": "Python", ".ts": "TypeScript", ".tsx": "TypeScript", ".js": "JavaScript", ".mjs": "JavaScript",
    ".cjs": "JavaScript", ".jsx": "JavaScript", ".go": "Go", ".rs": "Rust", ".java": "Java", ".kt": "Kotlin",
    ".c": "C", ".cpp": "C++", ".rb": "Ruby", ".php": "PHP", ".ex": "Elixir", ".cs": "C#", ".sh": "shell",
}  # fmt: skip
CODE = tuple(_LANGUAGES)
_FRAMES = {"flask": "Flask", "fastapi": "FastAPI", "django": "Django", "sqlalchemy": "SQLAlchemy",
           "sqlite3": "sqlite3", "express": "Express", "torch": "PyTorch", "sklearn": "scikit-learn"}  # fmt: skip
_CHECKS = re.compile(
    r"\b(?:pytest|unittest|tox|nox|mypy|pyright|ruff|flake8|npm (?:test|run)|jest|vitest|tsc|eslint"
    r"|go (?:test|vet)|cargo (?:test|clippy))\b"
)
_PROSE = re.compile(r"[\w-]+:|[A-Z][a-z]+ ")  # a line of YAML or a text of it, no command
_ASIDE = re.compile(
    r"(?:^|/)(?:docs?|examples?|benchmarks?|bench|node_modules|vendor|dist|build|third_party|scripts?|tools)/"
)


@dataclass(frozen=True)
class Lacks:
    """Packages as `toolplace.command` takes them: what the program needs, what its tests need besides; and modules
    that are imported and of which nobody says what package they are."""

    program: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what nothing that is installed settles, or what works without it
    untestable: bool = False  # the tests cannot run here, whatever is installed
    free: tuple[str, ...] = ()  # packages of Go that need nothing of what is missing

    @property
    def python(self) -> bool:
        """Whether a package of Python is among them."""
        return any(name.startswith("pip ") for name in (*self.program, *self.tests))


@dataclass(frozen=True)
class Project:
    """The facts; paths are relative to the root, `sources` are the folders or files that hold the program."""

    root: Path
    files: tuple[str, ...]
    manifests: tuple[str, ...]
    languages: tuple[str, ...]
    sources: Mapping[str, tuple[str, ...]]
    tests: tuple[str, ...]
    package: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()  # of requests to it, as the user gave them
    routes: tuple[str, ...] = ()  # those that answered when they were measured, the slowest first
    lacks: Lacks = field(default_factory=Lacks)
    held: TestFiles = field(default_factory=TestFiles)  # all tests
    work: Any = None  # the call that was found to stand for the goal, a `calls.Work`

    def is_test(self, name: str) -> bool:
        """Whether a path is one of the tests."""
        return name in self.held.names

    def has(self, name: str) -> bool:
        """Whether a manifest of that name is at the top."""
        return name in self.manifests

    def text(self, name: str) -> str:
        """The text of a file at the top, "" when there is none."""
        path = self.root / name
        return toolbox.read(path) if path.is_file() else ""

    def settings(self, *patterns: str) -> tuple[str, ...]:
        """Files at the top that match, in order: settings which decide what a tool finds."""
        from fnmatch import fnmatch

        top = [name for name in self.files if "/" not in name]
        return tuple(name for name in top if any(fnmatch(name, pattern) for pattern in patterns))

    def configured(self, tool: str) -> bool:
        """Whether a Python tool has a section of its own in the project's settings."""
        sections = rf"^\[(?:tool\.)?{tool}(?:[.:\]]|$)"
        own = self.settings(f"{tool}.ini", f".{tool}.ini", f"{tool}.toml", f".{tool}.toml")
        texts = (self.text(name) for name in ("pyproject.toml", "setup.cfg", "tox.ini"))
        return bool(own) or any(re.search(sections, text, re.MULTILINE) for text in texts)


def look(root: Path) -> Project:
    """Read the project; nothing is run but git."""
    files = _files(root)
    counts = Counter(_LANGUAGES[ext] for name in files if (ext := os.path.splitext(name)[1]) in _LANGUAGES)
    held = testfiles.of(root, files)
    code = [name for name in files if name not in held.names]
    languages = tuple(name for name, _ in counts.most_common())
    sources = {language: _sources(root, code, language) for language in languages}
    return Project(
        root=root,
        files=files,
        manifests=tuple(name for name in MANIFESTS if name in files),
        languages=languages,
        sources={language: found for language, found in sources.items() if found},
        tests=held.places(files, _ASIDE),
        package=_package(root),
        held=held,
    )


def _files(root: Path) -> tuple[str, ...]:
    """What git tracks below the root; outside git, what lies there."""
    repo = git.Repo(root)
    if repo.is_git():
        return tuple(name for name in repo.tracked(["."]) if not artifacts.is_owned(name))
    plain = toolbox.Request(root, (), {})
    endings = (*_LANGUAGES, *MANIFESTS)
    return tuple(toolbox.relative(path, root) for path in toolbox.sources(plain, *endings))


def _package(root: Path) -> Any:
    try:
        found = jsontext.loads(toolbox.read(root / "package.json"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _sources(root: Path, code: Sequence[str], language: str) -> tuple[str, ...]:
    """The folders that hold the program: packages for Python, `src` and its like elsewhere, else files at the top."""
    endings = tuple(ext for ext, name in _LANGUAGES.items() if name == language)
    own = [name for name in code if name.endswith(endings) and not _ASIDE.search(name) and not _is_setup(name)]
    own = [name for name in own if not name.endswith(".d.ts")]  # declarations beside a program in JavaScript
    if language == "Python":
        packages = {_top_package(name) for name in own if name.endswith("__init__.py")}
        if packages:
            return tuple(sorted(packages - {""}, key=lambda p: -sum(n.startswith(p + "/") for n in own))[:3])
    if language in ("Go", "Rust"):
        return (".",) if own else ()
    below = Counter(_folder(name) for name in own)
    return tuple(sorted(name for name, _ in below.most_common(3) if name)) or tuple(own[:3])


def _is_setup(name: str) -> bool:
    return "/" not in name and re.match(r"setup\.py|conftest\.py|noxfile\.py|.*\.config\.\w+$|\.", name) is not None


def _folder(name: str) -> str:
    """The folder in which a source lies: two steps deep below `packages` or `apps`, else one."""
    parts = name.split("/")
    deep = 3 if parts[0] in ("packages", "apps", "crates") else 1
    return "/".join(parts[: min(deep, len(parts) - 1)])


def _top_package(name: str) -> str:
    """The outermost folder of a package: `src/pkg` of `src/pkg/inner/__init__.py`."""
    parts = name.split("/")[:-1]
    return "/".join(parts[:2] if parts and parts[0] in ("src", "lib") else parts[:1])


def frameworks(project: Project) -> tuple[str, ...]:
    """Web frameworks and databases that the sources import, most telling first."""
    pattern = re.compile(
        rf"(?:^\s*(?:from|import)\s+|require\(['\"]|from\s+['\"])({'|'.join(_FRAMES)})\b", re.MULTILINE
    )
    endings = (".py", ".js", ".ts", ".mjs")
    code = [name for name in project.files if name.endswith(endings) and not project.is_test(name)]
    seen = {_FRAMES[found] for name in code[:400] for found in pattern.findall(toolbox.read(project.root / name))}
    return tuple(name for name in _FRAMES.values() if name in seen)


def serves(project: Project) -> bool:
    """Whether it is an application with a web server, which has no callers in other projects."""
    starts = {"Procfile", "manage.py", "app.py", "wsgi.py", "server.js"} & set(project.files)
    return bool(starts) and bool(frameworks(project))


def ci_commands(project: Project) -> tuple[str, ...]:
    """Commands of the project's CI that run a check, as they stand there."""
    flows = [name for name in project.files if re.match(r"\.github/workflows/.*\.ya?ml$", name)]
    text = "\n".join(toolbox.read(project.root / name) for name in flows)
    lines = (line.strip() for line in re.findall(r"^\s*(?:- )?(?:run: )?([^\n#|>{]*)$", text, re.MULTILINE))
    wanted = (line for line in lines if _CHECKS.search(line) and "install" not in line and not _PROSE.match(line))
    return tuple(dict.fromkeys(wanted))[:3]
