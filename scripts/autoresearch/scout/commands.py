"""Commands in the user's words: whether a quoted text is one that can be run here, its words, and a name for it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence

from ..kernel.core.text import one_line
from .surroundings import Project

# Programs that are commands by themselves, without an operand.
_RUNNERS = frozenset("pytest tox nox make jest vitest ctest rake mypy pyright ruff eslint tsc just".split())
_SCRIPTS = frozenset(("npm", "pnpm", "yarn", "go", "cargo", "mvn", "gradle", "dotnet", "bundle", "mix", "composer"))
_SUBCOMMANDS = frozenset(
    ("test", "run", "build", "vet", "check", "clippy", "bench", "lint", "exec", "verify", "package", "spec", "t", "x")
)
_INTERPRETER = re.compile(r"(?:python|pypy)(?:\d[\d.]*)?|node|bun|ruby|perl|php|bash|sh|Rscript|julia|lua")
_MANIFESTS = {**dict.fromkeys(("npm", "pnpm", "yarn"), "package.json"), "cargo": "Cargo.toml", "go": "go.mod"}
_WORD = re.compile(r"[^\s`(]+")
_ENDS = ",.;:!?)"


def word(text: str) -> str:
    """A text as one word of a shell, in the quotes that leave it readable."""
    plain = "'" in text and not re.search(r'["$`\\!]', text)
    return f'"{text}"' if plain else shlex.quote(text)


def is_command(project: Project, text: str) -> bool:
    """Whether a quoted text is a command that can be run here: its program is there, and what it is given fits."""
    words = words_of(text)
    if not words:
        return False
    program, rest = words[0], words[1:]
    if "/" in program:
        return _is_program(project, program)
    import shutil

    if shutil.which(program) is None:
        return False
    if program in _SCRIPTS:
        return bool(rest) and rest[0] in _SUBCOMMANDS
    if program == "make":
        return not rest or any(_is_target(project, word) for word in rest)
    return program in _RUNNERS or any(_is_operand(project, word) for word in rest)


def words_of(text: str) -> list[str]:
    """The words of the first command of a text, without settings and without a change of folder before it."""
    try:
        words = shlex.split(text)
    except ValueError:
        return []
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0]):
        words = words[1:]
    return words_of(text.split("&&", 1)[1]) if words[:1] == ["cd"] and "&&" in text else words


def unquoted(project: Project, text: str) -> Iterator[tuple[int, int]]:
    """Where commands stand in a text without marks: an interpreter or a script of the project with what it is given, or
    a package manager's `test` and the like. A word that ends in punctuation ends its command."""
    words = list(_WORD.finditer(text))
    at = 0
    while at < len(words):
        end = _last(project, [word[0] for word in words[at:]])
        if end:
            begun, last = words[at].start(), words[at + end - 1]
            yield begun, last.start() + len(last[0].rstrip(_ENDS))
        at += end or 1


def _last(project: Project, words: Sequence[str]) -> int:
    """How many of the words make a command, 0 for none."""
    program, known = words[0], _MANIFESTS.get(words[0]) in project.files
    count = 1
    if known:
        count += len(words) > 1 and words[1].rstrip(_ENDS) in _SUBCOMMANDS
        count += words[1:2] == ["run"] and len(words) > 2
        if count == 1:
            return 0
    while count < len(words) and words[count - 1][-1] not in _ENDS and _is_given(project, words[count].rstrip(_ENDS)):
        count += 1
    given = [word.rstrip(_ENDS) for word in words[1:count]]
    if known:
        return count if program != "go" or len(given) > 1 else 0
    if _INTERPRETER.fullmatch(program):
        return count if any(word.removeprefix("./") in project.files or word == "-m" for word in given) else 0
    script = program.rstrip(_ENDS)
    return count if script.startswith("./") and script[2:] in project.files else 0


def _is_given(project: Project, word: str) -> bool:
    return bool(word) and (word.isdigit() or _is_operand(project, word))


def _is_program(project: Project, program: str) -> bool:
    path = os.path.expanduser(program)
    path = path if os.path.isabs(path) else str(project.root / path)
    return program.removeprefix("./") in project.files or (os.path.isfile(path) and os.access(path, os.X_OK))


def _is_target(project: Project, word: str) -> bool:
    text = project.text("Makefile") or project.text("makefile") or project.text("GNUmakefile")
    return word.startswith("-") or re.search(rf"^{re.escape(word)}\s*:", text, re.MULTILINE) is not None


def _is_operand(project: Project, word: str) -> bool:
    """Whether a word is what a program is given rather than one of a phrase: an option, a path, code."""
    name = word.removeprefix("./").rstrip("/")
    there = bool(name) and (name in project.files or any(path.startswith(f"{name}/") for path in project.files))
    return there or re.match(r"-\w|--\w|\.{1,2}(?:/|$)", word) is not None or _is_somewhere(project, word)


def _is_somewhere(project: Project, word: str) -> bool:
    return "/" in word and len(word) > 1 and os.path.exists(os.path.join(project.root, os.path.expanduser(word)))


def labelled(guards: Sequence[str]) -> list[str]:
    """Each command that must keep passing as NAME=COMMAND, named by the program or script that it runs."""
    found: dict[str, str] = {}
    for command in guards:
        words = words_of(command) or [command]
        scripts = [word for word in words if re.search(r"\.\w{1,4}$", word)] or [
            word for word in reversed(words) if not word.startswith("-")
        ]
        stem = scripts[0].rpartition("/")[2].partition(".")[0].lower() if scripts else ""
        name = re.sub(r"[^a-z0-9]+", "-", stem).strip("-") or "asked"
        name = name if name[0].isalpha() else f"run-{name}"
        while name in found:
            name += "-too"
        found[name] = command
    return [f"{one_line(name, 30)}={command}" for name, command in found.items()]
