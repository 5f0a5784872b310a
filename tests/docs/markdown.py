"""The bundle's Markdown, taken apart: prose, code, links and quoted commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.house.source import project_files

REFERENCES = ROOT / "references"
PLACEHOLDER = "NAME"  # autoresearch_NAME.py stands for any script
_INLINE = re.compile(r"`+([^`]+?)`+")
_SCRIPT = re.compile(r"(?:^|/)autoresearch_(\w+)\.py$")
_SEPARATORS = set(";|&<>()")


@dataclass(frozen=True)
class Command:
    """A quoted call of an entry script: its name, a subcommand or "", and the flags."""

    where: str
    script: str
    sub: str
    flags: tuple[str, ...]


def documents() -> list[Path]:
    """Every Markdown file of the project that speaks of its commands."""
    return [path for path in project_files() if path.suffix == ".md" and "tests" not in path.parts]


def protocols() -> list[Path]:
    """What an agent may read: SKILL.md and the references."""
    return [ROOT / "SKILL.md", *sorted(REFERENCES.glob("*.md"))]


def read(path: Path) -> str:
    """The file's text."""
    return path.read_text(encoding="utf-8")


def split(text: str) -> tuple[str, list[str]]:
    """Prose without code, and the code: fenced or indented blocks as one text each, and inline spans."""
    prose: list[str] = []
    code: list[str] = []
    for is_code, block in _blocks(text):
        if is_code:
            code.append(block)
        else:
            code += _INLINE.findall(block)
            prose.append(_INLINE.sub(" ", block))
    return "\n\n".join(prose), code


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    """Cut at blank lines and fences; code stands between fences, or its first line is indented by four."""
    for number, part in enumerate(re.split(r"^ *```.*$", text, flags=re.MULTILINE)):
        for block in [part] if number % 2 else re.split(r"\n[ \t]*\n", part):
            lines = block.strip("\n")
            yield bool(number % 2) or lines.startswith("    "), lines


def commands(path: Path) -> Iterator[Command]:
    """The calls of entry scripts that a document quotes."""
    for code in split(read(path))[1]:
        for line in code.replace("\\\n", " ").split("\n"):
            if "autoresearch_" in line and ".py" in line:
                yield from _calls(line.replace("<skill-root>", "SKILL"), path.name)


def _calls(line: str, where: str) -> Iterator[Command]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    call: list[str] = []
    for token in [*lexer, ";"]:
        if set(token) <= _SEPARATORS:
            yield from _call(call, f"{where}: {line.strip()[:100]}")
            call = []
        else:
            call.append(token)


def _call(tokens: list[str], where: str) -> Iterator[Command]:
    for at, token in enumerate(tokens):
        match = _SCRIPT.search(token)
        if match and match[1] != PLACEHOLDER:
            rest = tokens[at + 1 :]
            sub = rest[0] if rest and re.fullmatch(r"[a-z][a-z-]+", rest[0]) else ""
            flags = tuple(item.partition("=")[0] for item in rest if re.match(r"--[a-z]", item))
            yield Command(where, match[1], sub, flags)


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Local places that a document names, as file ("" for itself) and anchor: links, and `*.md` of the protocols."""
    text = re.sub(r"^ *```.*?^ *```", "", read(path), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", _INLINE.sub(" ", text)):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield file, anchor
    if path in protocols():
        named = re.compile(r"(references/)?(?!autoresearch-)([a-z]+-[a-z-]+|modes)\.md")
        yield from ((span, "") for span in split(text)[1] if named.fullmatch(span))


def anchors(path: Path) -> list[str]:
    """The anchors of a document's headings, as the hosting services make them: a heading that comes again gets `-1`."""
    found: list[str] = []
    text = re.sub(r"^ *```.*?^ *```", "", read(path), flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", heading).lower()).replace(" ", "-")
        again = sum(re.fullmatch(rf"{re.escape(name)}(-\d+)?", one) is not None for one in found)
        found.append(f"{name}-{again}" if again else name)
    return found


def shingles(path: Path, size: int) -> set[tuple[str, ...]]:
    """Every run of `size` words of the prose, quoted code left out."""
    found: set[tuple[str, ...]] = set()
    for block in split(read(path))[0].split("\n\n"):
        words = re.findall(r"[a-z0-9']+", block.lower())
        found.update(tuple(words[at : at + size]) for at in range(len(words) - size + 1))
    return found
