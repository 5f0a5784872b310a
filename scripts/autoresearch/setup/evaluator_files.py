"""Which files make up the evaluator: what the checks name, so that an experiment cannot change its own judge. Pure."""

from __future__ import annotations

import ast
import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Sequence

_RUNNERS = re.compile(
    r"(?:.*/)?(?:python[\d.]*|pypy3?|bash|sh|zsh|dash|ksh|node|deno|bun|tsx|ts-node|ruby|perl|php|Rscript|julia|lua"
    r"|source|\.|exec|time|env|nice|timeout|nohup|xargs|command|stdbuf|npx|uvx|uv|poetry|pipenv|pdm|hatch)"
)
# What stands between the commands of a shell text.
SEPARATOR = re.compile(r"[();|&]+|[{}!]|if|then|elif|else|while|until|do")
# Options of the runners above whose next word is a setting, not the script.
_VALUED = frozenset(("-W", "-X", "-o"))
# Commands that read their instructions from a file they do not name.
_IMPLICIT = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "npm": ("package.json",),
    "yarn": ("package.json",),
    "pnpm": ("package.json",),
    "just": ("justfile", "Justfile"),
    "tox": ("tox.ini",),
    "nox": ("noxfile.py",),
    "rake": ("Rakefile",),
}


def words(command: str) -> list[str]:
    """The shell words of a command, separators included; quoting errors fall back to plain splitting."""
    lexer = shlex.shlex(command.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)
    except ValueError:
        return command.split()


def programs(command: str) -> tuple[str, ...]:
    """The files that the command executes: its first words, and the scripts or modules given to an interpreter."""
    found: list[str] = []
    at_start, after_runner, folder, before = True, False, "", ""
    for word in words(command):
        if SEPARATOR.fullmatch(word) and (word != "!" or at_start):  # `[ ! -e x ]` runs no `x`
            at_start, after_runner = True, False
        elif after_runner and before in ("-m", "-c", "-e"):
            found += _given(before, word, folder) if before == "-m" or found[-1].endswith("sh") else []
            at_start = after_runner = False
        elif before == "cd" and not at_start:
            folder = posixpath.join(folder, word)
        elif (at_start or after_runner) and before not in _VALUED and not _option(word):
            found += _below(folder, [word, *_IMPLICIT.get(word.rpartition("/")[2], ())])
            at_start, after_runner = False, _RUNNERS.fullmatch(word) is not None
        before = word
    return tuple(found)


def _option(word: str) -> bool:
    return word.startswith("-") or re.fullmatch(r"\w+=.*|[\d.]+[smh]?|run|[<>&]+", word, re.DOTALL) is not None


def _given(option: str, word: str, folder: str) -> list[str]:
    """What `-m MODULE` or a shell's `-c COMMAND` executes; code of another language names nothing."""
    if option == "-m":
        path = word.replace(".", "/")
        return _below(folder, [f"{path}.py", f"{path}/__main__.py"])
    return _below(folder, programs(word)) if option == "-c" else []


def _below(folder: str, paths: Sequence[str]) -> list[str]:
    return [posixpath.join(folder, path) for path in paths]


def named(command: str) -> tuple[str, ...]:
    """Every word of the command that could be a path, `KEY=path` and `--flag=path` included.

    The root itself is left out (`PYTHONPATH=.`, `ruff check .`): it names the subject, caches and all, not a judge.
    """
    listed = words(command)
    listed += [inner for word in listed if word != command and _is_command(word) for inner in words(word)]
    parts = (piece for word in listed for piece in (word, word.partition("=")[2]))
    return tuple(dict.fromkeys(_tidy(part) for part in parts if part.strip("./") and not part.startswith("-")))


def _is_command(word: str) -> bool:
    """Whether a quoted word may be a command of its own, as a wrapper (`hyperfine 'python3 check.py'`) is given one."""
    return " " in word.strip() and "\n" not in word and len(word) < 2000


_RESULT = re.compile(r"(?<![\w./-])[\w./-]*\w\.(?:json|xml|txt|csv|tsv|log|out|info|lcov|sarif|dat)(?![\w/-])")


def results(text: str) -> tuple[str, ...]:
    """Files in a command or script, quoted code included, whose names are those of results."""
    return tuple(dict.fromkeys(_tidy(match[0]) for match in _RESULT.finditer(text)))


def _tidy(word: str) -> str:
    return word[2:] if word.startswith("./") else word


def executed(commands: Iterable[str]) -> frozenset[str]:
    """The paths that the commands execute, as they are compared: normalised."""
    return frozenset(posixpath.normpath(word) for command in commands for word in programs(command) if word)


def locked(commands: Iterable[str], in_scope: Callable[[str], bool]) -> tuple[str, ...]:
    """Candidate paths that must not change: every executed file, and every other named one outside the scope.

    A named file inside the scope is what the run is about (`grep -c any src/app.ts`), so it stays free.
    """
    found: dict[str, None] = {}
    for command in commands:
        executed = {_tidy(word) for word in programs(command)}
        found.update((path, None) for path in executed)
        found.update((path, None) for path in named(command) if path in executed or not in_scope(path))
    return tuple(found)


def imports(source: str) -> tuple[str, ...]:
    """Relative file candidates of the modules that a Python script imports."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [node.module] if node.module else []
            names += [*base, *(".".join([*base, alias.name]) for alias in node.names)]
    paths = (name.replace(".", "/") for name in names)
    return tuple(dict.fromkeys(item for path in paths for item in (f"{path}.py", f"{path}/__init__.py")))
