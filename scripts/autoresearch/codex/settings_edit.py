"""Careful edits of Codex's config.toml as text: what the user wrote stays, byte for byte. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from ..kernel.core.errors import Refusal
from . import toml_text

_BEGIN, _END = "# autoresearch: begin", "# autoresearch: end"
_PROFILE = "autoresearch"
_FIRST_TABLE = re.compile(r"^\s*\[", re.MULTILINE)
_INLINE = re.compile(r"""(trust_level["']?\s*=\s*)(?:"[^"]*"|'[^']*')""")
_OFF = re.compile(r"""^(\s*["']?enabled["']?\s*=\s*)false""")
_ENTRY = re.compile(r"\s*\[\[\s*skills\s*\.\s*config\s*\]\]")
_BY_HAND = "edit it by hand"


def trusting(text: str, folder: str) -> str:
    """The settings with the project `folder` trusted: the table that is there is edited, else one is added.

    Raises `Refusal` for a file that is no TOML, or tells of the project in a way that is not understood.
    """
    before = _parsed(text)
    if _level(before, folder) == "trusted":
        return text
    lines = text.split("\n")
    at = next((n for n, line in enumerate(lines) if toml_text.table_of(line) == ("projects", folder)), None)
    inline = _inline(lines, folder) if at is None and _level(before, folder) else None
    if inline:
        after = "\n".join([*lines[: inline[0]], inline[1], *lines[inline[0] + 1 :]])
    elif at is None:
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        after = f'{text}{gap}[projects.{json.dumps(folder, ensure_ascii=False)}]\ntrust_level = "trusted"\n'
    else:
        end = next((n for n in range(at + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
        kept = [line for line in lines[at + 1 : end] if not re.match(r"""\s*["']?trust_level["']?\s*=""", line)]
        after = "\n".join([*lines[: at + 1], 'trust_level = "trusted"', *kept, *lines[end:]])
    return _checked(before, after, folder)


def _inline(lines: list[str], folder: str) -> tuple[int, str] | None:
    """The line that tells the project's trust within another table, by number, and how it reads when trusted."""
    for number, line in enumerate(lines):
        at = max(line.find(f'"{folder}"'), line.find(f"'{folder}'"))
        if at >= 0 and _INLINE.search(line, at):
            return number, line[:at] + _INLINE.sub(r'\1"trusted"', line[at:], count=1)
    return None


def _checked(before: dict[str, object], after: str, folder: str) -> str:
    """`after`, once it reads back as the settings before with nothing changed but the trust."""
    try:
        found = toml_text.parse(after)
    except ValueError:
        found = {}
    if _level(found, folder) != "trusted" or _without(found, folder) != _without(before, folder):
        raise Refusal(f"config.toml tells of {folder} in a form that is not understood, expected a table; {_BY_HAND}")
    return after


def _level(settings: dict[str, object], folder: str) -> object:
    projects = settings.get("projects")
    entry = projects.get(folder) if isinstance(projects, dict) else None
    return entry.get("trust_level") if isinstance(entry, dict) else None


def _without(settings: dict[str, object], folder: str) -> dict[str, object]:
    """The settings without the trust of one project."""
    projects = settings.get("projects")
    kept = {k: dict(v) if isinstance(v, dict) else v for k, v in projects.items()} if isinstance(projects, dict) else {}
    entry = kept.get(folder)
    if isinstance(entry, dict):
        entry.pop("trust_level", None)
    return {**settings, "projects": {key: value for key, value in kept.items() if value != {}}}


def _parsed(text: str) -> dict[str, object]:
    try:
        return toml_text.parse(text)
    except ValueError as error:
        raise Refusal(f"config.toml cannot be read ({error}), expected TOML; correct it first") from None


def with_profile(text: str) -> str:
    """The settings with a permission profile of ours, under which a sandboxed session may commit.

    Raises `Refusal` where permissions are settled otherwise already.
    """
    if _BEGIN in text:
        return text
    found = _parsed(text)
    taken = [name for name in ("default_permissions", "sandbox_mode") if name in found]
    if taken:
        raise Refusal(f"config.toml sets {taken[0]} already, expected none; {_BY_HAND}, or start codex with --add-dir")
    first = _FIRST_TABLE.search(text)
    at = first.start() if first else len(text)
    head = f'{_BEGIN}\ndefault_permissions = "{_PROFILE}"\n{_END}\n'
    tail = (
        f'{_BEGIN}\n[permissions.{_PROFILE}]\nextends = ":workspace"\n\n[permissions.{_PROFILE}.filesystem]\n'
        f'":workspace_roots" = {{ ".git" = "write" }}\n{_END}\n'
    )
    gap = "\n" if at and text[at - 1] != "\n" else ""
    rest = text[at:] + ("\n" if text[at:] and not text.endswith("\n") else "")
    return text[:at] + gap + head + rest + tail


def without_profile(text: str) -> str:
    """The settings without our profile."""
    return re.sub(rf"(?ms)^{re.escape(_BEGIN)}\n.*?^{re.escape(_END)}\n", "", text)


def enabling(text: str, names: Collection[str]) -> str:
    """The settings with the skill that goes by one of `names` (its name, paths of its file) switched on.

    Raises `Refusal` where it is switched off in a form that is not understood.
    """
    before = _parsed(text)
    lines = text.split("\n")
    starts = [n for n, line in enumerate(lines) if line.lstrip().startswith("[")]
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        entry = toml_text.parse("\n".join(lines[start + 1 : end])) if _ENTRY.match(lines[start]) else {}
        if _is_off(entry, names):
            lines[start:end] = [_OFF.sub(r"\1true", line) for line in lines[start:end]]
    after = "\n".join(lines)
    if disabled(before, names) and disabled(_parsed(after), names):
        raise Refusal(f"config.toml switches the skill off in an unknown form, expected a table; {_BY_HAND}")
    return after


def disabled(settings: Mapping[str, Any], names: Collection[str]) -> bool:
    """Whether the skill that goes by one of `names` is switched off."""
    skills = settings.get("skills")
    entries = skills.get("config") if isinstance(skills, dict) else None
    return any(_is_off(entry, names) for entry in entries) if isinstance(entries, list) else False


def _is_off(entry: object, names: Collection[str]) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("enabled") is False
        and (entry.get("name") in names or entry.get("path") in names)
    )
