"""Entries of a linter's own settings that silence it: rules that are off, paths and findings that are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..kernel.core import jsontext
from . import escapes, toolbox, toolplace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ESLINT = re.compile(r"eslint\.config\.\w+|\.eslintrc(?:\.\w+)?|xo\.config\.\w+")
_JS_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)
_LISTED = re.compile(r"""\b(?:ignores|ignorePatterns|globalIgnores)\b["']?[\s:(=]*\[([^\]]*)\]""")
_TEXT = re.compile(r"\"[^\"\n]+\"|'[^'\n]+'|`[^`\n]+`")
_CARGO = re.compile(r"^\[(?:workspace\.)?lints\.[\w.]+\]\s*\n((?:(?!\[).*\n?)*)|^lints\.[^\n]*$", re.MULTILINE)
_ALLOW = re.compile(r"=\s*(?:\{[^}\n]*\blevel\s*=\s*)?[\"'](?:allow|expect)[\"']")
_FLAG = re.compile(r"(?:^|[\s\"',=])(?:-A[\s\"',]*|--allow[=\s\"',]+)[\w:]+")
_CLIPPY = re.compile(
    r"^(?:[\w-]+-threshold|[\w-]+-max-[\w-]+|max-[\w-]+|allow-[\w-]+|allowed-[\w-]+)\s*=", re.MULTILINE
)
_GOLANG = re.compile(r"^(?:disable|exclude[\w-]*|exclusions|skip-(?:files|dirs)|paths|rules|presets)$")


def eslint(root: Path) -> int:
    """Rules that are off and paths that are ignored in ESLint's settings, those in package.json among them."""
    texts = [_JS_COMMENT.sub("", text) for text in _texts(root, _ESLINT)]
    own = _manifest(root).get("eslintConfig")
    texts += [jsontext.dumps(own)] if own else []
    ignored = "\n".join(_texts(root, re.compile(r"\.eslintignore")))
    lines = [line for line in ignored.splitlines() if line.strip() and not line.startswith("#")]
    listed = (_TEXT.findall(inner) for text in texts for inner in _LISTED.findall(text))
    return len(lines) + sum(map(len, listed)) + sum(escapes.rules_off(text) for text in texts)


def clippy(root: Path) -> int:
    """Lints that Cargo.toml, cargo's settings and clippy's own allow or loosen."""
    manifests = [_uncommented(text) for text in _texts(root, re.compile(r"Cargo\.toml"))]
    tables = (match[0] for text in manifests for match in _CARGO.finditer(text))
    flags = map(_uncommented, _texts(root, re.compile(r"config(?:\.toml)?"), ".cargo"))
    own = map(_uncommented, _texts(root, re.compile(r"\.?clippy\.toml")))
    return (
        sum(len(_ALLOW.findall(table)) for table in tables)
        + sum(len(_FLAG.findall(text)) for text in flags)
        + sum(len(_CLIPPY.findall(text)) for text in own)
    )


def golangci(root: Path) -> int:
    """Linters that are disabled, and rules, paths and presets that are left out, in golangci-lint's settings."""
    texts = _texts(root, re.compile(r"\.golangci\.(?:ya?ml|toml|json)"))
    return sum(sum(1 for _ in _entries(text)) for text in texts)


def _entries(text: str) -> Iterator[str]:
    """Items of the lists that leave something out, in YAML (by indentation), JSON or TOML (by brackets)."""
    above: list[tuple[int, str]] = []
    for line in _uncommented(text).splitlines():
        depth = len(line) - len(line.lstrip())
        item, key = re.match(r"\s*- ", line), re.match(r"\s*(?:- )?[\"']?([\w-]+)[\"']?\s*[:=]", line)
        above = [(at, name) for at, name in above if at < depth or (at == depth and item)]
        last = above[-1][1] if above else ""
        if item and _GOLANG.match(last):
            yield line.strip()
        if key and not item:
            above.append((depth, key[1]))
            inline = re.search(r"[:=]\s*\[([^\]]*)\]", line)
            yield from _TEXT.findall(inline[1]) if inline and _GOLANG.match(key[1]) else ()


def _uncommented(text: str) -> str:
    return re.sub(r"(?m)(?:^|\s)#.*$", "", text)


def _texts(root: Path, name: re.Pattern[str], inside: str = "") -> list[str]:
    """The texts of settings by their name: below the project, and in the folders above it in the repository."""
    places = [home / inside for home in toolplace.homes(root)]
    above = (path for place in places if place.is_dir() for path in sorted(place.iterdir()))
    found = dict.fromkeys(path for path in (*above, *toolbox.below(root)) if name.fullmatch(path.name))
    return [toolbox.read(path) for path in found if path.is_file() and (not inside or path.parent.name == inside)]


def _manifest(root: Path) -> Mapping[str, Any]:
    path = root / "package.json"
    try:
        found = jsontext.loads(toolbox.read(path)) if path.is_file() else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
