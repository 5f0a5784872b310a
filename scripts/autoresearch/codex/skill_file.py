"""What Codex reads of a SKILL.md: its name, and why it would be dropped."""

from __future__ import annotations

import re

from ..kernel.core.frozen import dataclass

NAME_LIMIT = 64
_FIELD = re.compile(r"(name|description)\s*:\s*(.*)")


@dataclass(frozen=True)
class Skill:
    """One skill file: its folder, the name it goes by, and why Codex cannot load it ("" when it can)."""

    folder: str
    name: str
    problem: str = ""


def read(folder: str, data: bytes) -> Skill:
    """The skill in `folder` whose SKILL.md holds `data`; without a name it goes by its folder's."""
    fallback = folder.rstrip("/").rpartition("/")[2]
    if data.startswith(b"\xef\xbb\xbf"):
        return Skill(folder, fallback, "begins with a byte order mark")
    try:
        lines = data.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return Skill(folder, fallback, "is not UTF-8")
    if lines[0] != "---" or "---" not in lines[1:]:
        return Skill(folder, fallback, "has no front matter between two lines of ---")
    fields = _fields(lines[1 : lines.index("---", 1)])
    name = fields.get("name") or fallback
    if not fields.get("description"):
        return Skill(folder, name, "has no description")
    return Skill(folder, name, f"has a name of more than {NAME_LIMIT} characters" if len(name) > NAME_LIMIT else "")


def _fields(lines: list[str]) -> dict[str, str]:
    """`name` and `description`; of one that goes over several lines only that it is there."""
    found = {}
    for line, after in zip(lines, [*lines[1:], ""]):
        match = _FIELD.fullmatch(line.rstrip())
        if match:
            value = match[2].strip()
            continued = after[:1] in (" ", "\t") and after.strip()
            found[match[1]] = after.strip() if value in ("", ">", "|", ">-", "|-") and continued else value.strip("\"'")
    return found
