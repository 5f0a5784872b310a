"""A command of a known tool, as the shipped check of that kind: with the same operands, options and executable."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence

from ..checks import kinds, toolbox
from ..kernel.core.frozen import dataclass
from .surroundings import Project

_KINDS = {"mypy": "mypy", "pyright": "pyright", "ruff check": "ruff", "eslint": "eslint", "tsc": "tsc",
          "pytest": "pytest", "py.test": "pytest", "unittest": "unittest", "jest": "jest", "vitest": "vitest",
          "vitest run": "vitest", "golangci-lint run": "golangci", "go vet": "govet", "go test": "gotest",
          "cargo clippy": "clippy", "cargo test": "cargotest"}  # fmt: skip
_RUNNERS = re.compile(r"(?:npx|pnpx|bunx|uvx|(?:uv|poetry|pipenv|pdm|hatch|rye) run|(?:pnpm|yarn|npm) exec(?: --)?) ")
_MODULE = re.compile(r"(\S*python[\d.]*) -m ")
# Options whose value is the next word.
_VALUED = frozenset(
    ("--config-file", "--config", "-c", "--exclude", "--ignore-path", "--project", "-p", "--python-version", "-k", "-m",
     "--platform", "--target", "--module", "--lib", "--moduleResolution", "--jsx", "--types", "--outDir",
     "--rootDir", "--select", "--ignore", "--extend-select", "--max-warnings", "--ext", "-W", "--rootdir", "-t", "-o")
)  # fmt: skip
_LEFT_OUT = frozenset(("-q", "-qq", "-v", "-vv", "-x", "--quiet", "--verbose", "--noEmit", "--no-error-summary", "-s"))
# Other targets than paths, which the shipped check does not take.
_OTHERWISE = {"mypy": ("-p", "-m", "--package", "--module", "-c"), "tsc": ("-b", "--build", "-w", "--watch")}
_END = re.compile(r"\s+(?:\|\|?|2?>|&>|;)")  # what comes behind it reads or hides what it says
_SHELL = re.compile(r"[;&<>$`(){}]")


@dataclass(frozen=True)
class KnownCommand:
    """The kind of check that a command is, its operands as shell words, and the executable it names by a path."""

    kind: str
    operands: str
    tool: str = ""


def known(project: Project, command: str) -> KnownCommand | None:
    """The shipped check that counts what a command shows; None for a command of another kind, or one whose tool is
    not there."""
    text = _END.split(command, maxsplit=1)[0].strip()
    if _SHELL.search(text):
        return None
    text, python = _unwrapped(text)
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    name = os.path.basename(words[0]) if words else ""
    for length in (2, 1):
        kind = _KINDS.get(" ".join([name, *words[1:length]])) if len(words) >= length else None
        if kind:
            return _of(project, kind, words[0], python, words[length:])
    return None


def _unwrapped(text: str) -> tuple[str, str]:
    """The command without a runner of tools, and the interpreter that runs it as a module."""
    text = _RUNNERS.sub("", text, count=1) if _RUNNERS.match(text) else text
    module = _MODULE.match(text)
    return (text[module.end() :], module[1]) if module else (text, "")


def _of(project: Project, kind: str, program: str, python: str, rest: Sequence[str]) -> KnownCommand | None:
    found = _operands(project, kind, rest)
    tool = _tool(project, kind, program, python)
    if found is None or tool is None:
        return None
    flag, path = tool
    words = [*found, *([f"--{flag}", path] if path else [])]
    return KnownCommand(kind, " ".join(map(shlex.quote, words)), path)


def _tool(project: Project, kind: str, program: str, python: str) -> tuple[str, str] | None:
    """The option that names the executable and its path ("" where the check finds the very one); None: not there."""
    takes = kinds.of(kind).options.split()
    if kind in ("pytest", "unittest"):
        by = python or _beside(program, "python3") or _beside(program, "python")
        return ("python", os.path.expanduser(by)) if "/" in by else ("python", "")
    beside = _beside(python, program) if python else program
    place = os.path.expanduser(beside)
    if "/" not in place:
        return ("tool", "") if toolbox.look(program, project.root) or kind in ("govet", "gotest") else None
    full = os.path.join(project.root, place)
    if not os.access(full, os.X_OK):
        return None
    same = os.path.abspath(toolbox.look(os.path.basename(place), project.root) or "/") == os.path.abspath(full)
    return ("tool", "" if same else place) if same or ("tool" in takes and kind != "tsc") else None


def _beside(program: str, name: str) -> str:
    """The path of another program in the same folder, "" for a program without a folder or where there is none."""
    path = os.path.join(os.path.dirname(program), name) if "/" in program else ""
    return path if os.path.exists(os.path.expanduser(path)) else "" if "/" in program else name


def _operands(project: Project, kind: str, rest: Sequence[str]) -> list[str] | None:
    """Paths as they are, options handed on; None where the command looks at something that is no path."""
    takes = kinds.of(kind).options.split()
    found: list[str] = []
    words = [word for word in rest if word not in _LEFT_OUT]
    while words:
        word, *words = words
        if word in _OTHERWISE.get(kind, ()):
            return None
        if kind == "tsc" and word in ("-p", "--project") and words:
            found += ["--tool", words.pop(0)]
        elif not word.startswith("-"):
            found.append(word)
        elif "option" not in takes:
            return None
        else:
            found.append(f"--option={word}")
            if word in _VALUED and words:
                found.append(f"--option={words.pop(0)}")
    return found if kind not in ("mypy", "pyright", "ruff", "eslint") or _there(project, found) else None


def _there(project: Project, words: Sequence[str]) -> bool:
    return all(word.startswith("--option=") or (project.root / word).exists() for word in words)


def named(project: Project, goal: str) -> dict[str, str]:
    """Executables of known tools that the goal names by a path, by the tool's name."""
    found = {}
    for token in re.findall(r"[~\w./+-]*/[\w.+-]+", goal):
        path, name = os.path.expanduser(token), os.path.basename(token)
        if name in kinds.KINDS and "tool" in kinds.of(name).options.split() and name != "tsc":
            full = os.path.join(project.root, path)
            if os.path.isfile(full) and os.access(full, os.X_OK):
                found[name] = path
    return found
