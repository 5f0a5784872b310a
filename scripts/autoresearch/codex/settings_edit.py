"""Careful edits of Codex's config.toml as text: what the user wrote stays, byte for byte. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..kernel.core.errors import Refusal
from . import toml_text

_BEGIN, _END = "# autoresearch: begin", "# autoresearch: end"
_PROFILE = "autoresearch"
_FIRST_TABLE = re.compile(r"^\s*\[", re.MULTILINE)
_INLINE = re.compile(r"""(trust_level["']?\s*=\s*)(?:"[^"]*"|'[^']*')""")
_TRUST = re.compile(r"""\s*["']?trust_level["']?\s*=""")
_TRUSTED = 'trust_level = "trusted"'
_ALL = re.compile(r"""\s*["']?projects["']?\s*=\s*\{""")
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
    after = next((after for after in _attempts(text, folder) if _trusts_alone(before, after, folder)), None)
    if after is None:
        raise Refusal(f"config.toml tells of {folder} in a form that is not understood, expected a table; {_BY_HAND}")
    return after


def _attempts(text: str, folder: str) -> Iterator[str]:
    """How the settings may read afterwards, by the forms that they can have: the one that reads back right is it."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if toml_text.table_of(line) == ("projects", folder):
            yield "\n".join([*lines[: at + 1], _TRUSTED, *_untold(lines[at + 1 :])])
        for changed in (_inline(line, folder), _inserted(line, folder)):
            if changed:
                yield "\n".join([*lines[:at], changed, *lines[at + 1 :]])
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    yield f"{text}{gap}[projects.{_quoted(folder)}]\n{_TRUSTED}\n"


def _untold(lines: list[str]) -> list[str]:
    """The lines after a table's head without what that table says of trust."""
    end = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    return [line for line in lines[:end] if not _TRUST.match(line)] + lines[end:]


def _inline(line: str, folder: str) -> str:
    """A line that tells the project's trust within another table, as it reads when trusted; "" for another line."""
    at = max(line.find(f'"{folder}"'), line.find(f"'{folder}'"))
    found = at >= 0 and _INLINE.search(line, at)
    return line[:at] + _INLINE.sub(r'\1"trusted"', line[at:], count=1) if found else ""


def _inserted(line: str, folder: str) -> str:
    """A line with all projects in one inline table, with this one added; "" for another line."""
    head = _ALL.match(line)
    rest = line[head.end() :].lstrip() if head else ""
    comma = " " if rest.startswith("}") else ", "
    return f"{head[0]} {_quoted(folder)} = {{ {_TRUSTED} }}{comma}{rest}" if head else ""


def _quoted(folder: str) -> str:
    return json.dumps(folder, ensure_ascii=False)


def _trusts_alone(before: dict[str, object], after: str, folder: str) -> bool:
    """Whether settings read back as those before with nothing changed but the trust."""
    try:
        found = toml_text.parse(after)
    except ValueError:
        return False
    return _level(found, folder) == "trusted" and _without(found, folder) == _without(before, folder)


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
