"""Careful edits of Codex's config.toml as text: what the user wrote stays, byte for byte. Pure.

Settings have many forms. Each edit is tried at every place that could be meant, and the first text is taken that reads
back as the settings before with nothing changed but what was asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..kernel.core.errors import Refusal
from . import toml_text

_BEGIN, _END = "# autoresearch: begin", "# autoresearch: end"
_OURS = re.compile(rf"^{_BEGIN}\r?\n(?:(?!^{_BEGIN}).)*?^{_END}(?:\r?\n|\Z)", re.MULTILINE | re.DOTALL)
_PROFILE = "autoresearch"
_TRUSTED = 'trust_level = "trusted"'
_LEVEL = re.compile(
    r"""(trust_level["']?[ \t]*=[ \t]*)(?:"{3}.*?"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*'|[^\s,}#]+)""", re.DOTALL
)
_OFF = re.compile(r"""(enabled["']?[ \t]*=[ \t]*)false\b""")
_HEAD = re.compile(r"^[ \t]*\[.*$", re.MULTILINE)
_OPEN = re.compile(r"\{\s*(\}?)")
_ALL = re.compile(r"""projects["']?[ \t]*=[ \t]*\{\s*(\}?)""")
_SETTLED = ("default_permissions", "sandbox_mode", "sandbox_workspace_write")
_BY_HAND = "edit it by hand"


def trusting(text: str, folder: str) -> str:
    """The settings with the project `folder` trusted: what is said of it there is edited, else a table is added.

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
    """How the settings may read afterwards: a level changed, a line or a pair added, or a table."""
    told, end = text.find(folder), _line_end(text)
    for level in sorted(_LEVEL.finditer(text), key=lambda found: found.start() < told):
        yield f'{text[: level.end(1)]}"trusted"{text[level.end() :]}'
    for head in _HEAD.finditer(text):
        if toml_text.table_of(head[0]) == ("projects", folder):
            yield f"{text[: head.end()]}\n{_TRUSTED}{end[:-1]}{text[head.end() :]}"
    for found in _OPEN.finditer(text):
        yield _within(text, found, _TRUSTED)
    for found in _ALL.finditer(text):
        yield _within(text, found, f"{_quoted(folder)} = {{ {_TRUSTED} }}")
    yield f"{_closed(text)}{end if text else ''}[projects.{_quoted(folder)}]{end}{_TRUSTED}{end}"


def _within(text: str, opened: re.Match[str], pair: str) -> str:
    """The text with a pair more at the start of the inline table that `opened` found."""
    at = opened.end() - len(opened[1])
    return f"{text[: opened.start()]}{opened[0].rstrip('}').rstrip()} {pair}{' ' if opened[1] else ', '}{text[at:]}"


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _closed(text: str) -> str:
    """The text with its last line ended."""
    return text if not text or text.endswith("\n") else text + _line_end(text)


def _quoted(folder: str) -> str:
    return json.dumps(folder, ensure_ascii=False)


def _trusts_alone(before: dict[str, object], after: str, folder: str) -> bool:
    """Whether settings read back as those before with nothing changed but the trust."""
    found = _read(after)
    return (
        found is not None and _level(found, folder) == "trusted" and _without(found, folder) == _without(before, folder)
    )


def _read(text: str) -> dict[str, Any] | None:
    try:
        return toml_text.parse(text)
    except ValueError:
        return None


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


def _parsed(text: str) -> dict[str, Any]:
    try:
        return toml_text.parse(text)
    except ValueError as error:
        raise Refusal(f"config.toml cannot be read ({error}), expected TOML; correct it first") from None


def with_profile(text: str, own: Mapping[str, Any]) -> str:
    """The settings with a permission profile of ours, under which a sandboxed session may commit; `own` are those of
    the project.

    Raises `Refusal` where the sandbox is settled otherwise already, for a profile puts all such settings out of force.
    """
    text = _OURS.sub("", text)
    found, end = _parsed(text), _line_end(text)
    taken = [name for name in _SETTLED if name in found or name in own]
    if taken:
        raise Refusal(f"config.toml sets {taken[0]} already, expected none; {_BY_HAND}, or start codex with --add-dir")
    # The first line of a file is in no table, and its end in no text or list, whatever lies between.
    head = (_BEGIN, f'default_permissions = "{_PROFILE}"', _END)
    tail = (
        *(_BEGIN, f"[permissions.{_PROFILE}]", 'extends = ":workspace"', ""),
        *(f"[permissions.{_PROFILE}.filesystem]", '":workspace_roots" = { ".git" = "write" }', _END),
    )
    after = end.join([*head, _closed(text) + end.join(tail), ""])
    if _read(after) is None or _PROFILE in found.get("permissions", {}):
        raise Refusal(f"config.toml has other permissions in a form to which none is added; {_BY_HAND}, or start codex "
                      "with --add-dir")  # fmt: skip
    return after


def without_profile(text: str) -> str:
    """The settings without our profile; raises `Refusal` where somebody has moved it out of our lines."""
    after = _OURS.sub("", text)
    if (_read(after) or {}).get("default_permissions") == _PROFILE:
        raise Refusal(f"config.toml names the profile {_PROFILE} outside of the lines that were added, expected it "
                      f"there; {_BY_HAND}")  # fmt: skip
    return after


def enabling(text: str, names: Collection[str]) -> str:
    """The settings with the skill that goes by one of `names` (its name, paths of its file) switched on.

    Raises `Refusal` where it is switched off in a form that is not understood.
    """
    settings = _parsed(text)
    wanted = _switched_on(settings, names)
    while disabled(settings, names):
        tried = (text[: off.end(1)] + "true" + text[off.end() :] for off in _OFF.finditer(text))
        for attempt in tried:
            found = _read(attempt)
            if found is not None and found != settings and _switched_on(found, names) == wanted:
                text, settings = attempt, found
                break
        else:
            raise Refusal(f"config.toml switches the skill off in an unknown form, expected a table; {_BY_HAND}")
    return text


def _switched_on(settings: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The settings as they read with the skill on."""
    skills = settings.get("skills")
    entries = skills.get("config") if isinstance(skills, dict) else None
    if not isinstance(skills, dict) or not isinstance(entries, list):
        return dict(settings)
    on = [{**entry, "enabled": True} if _is_off(entry, names) else entry for entry in entries]
    return {**settings, "skills": {**skills, "config": on}}


def disabled(settings: Mapping[str, Any], names: Collection[str]) -> bool:
    """Whether the skill that goes by one of `names` is switched off: the last entry that tells of it decides."""
    skills = settings.get("skills")
    entries = skills.get("config") if isinstance(skills, dict) else None
    told = [entry for entry in (entries if isinstance(entries, list) else ()) if _is_told(entry, names)]
    return bool(told) and told[-1].get("enabled") is False


def _is_told(entry: object, names: Collection[str]) -> bool:
    return isinstance(entry, dict) and (entry.get("name") in names or entry.get("path") in names)


def _is_off(entry: object, names: Collection[str]) -> bool:
    return isinstance(entry, dict) and entry.get("enabled") is False and _is_told(entry, names)
