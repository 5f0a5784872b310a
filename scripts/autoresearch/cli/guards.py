"""Guards in parts: several commands joined by `&&`, each with a name, so that a failure says which one. Pure.

Several guards are one shell text, `: tests && pytest -q && : types && mypy src`: `:` does nothing in a shell, so any
other program that runs the text gets the same verdict. `joined` makes such a text of flags; the port `measure` asks
`parts` what it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line

_NAMED = re.compile(r"([a-z][a-z0-9-]*)=(?=\S)")
_MARK = re.compile(r":\s+([a-z][a-z0-9-]*)")
# What changes the shell itself, so that what comes after it could not run in a shell of its own.
_STATE = re.compile(r"(?:cd|export|set|unset|trap|source|\.|alias|umask|ulimit|exec|eval|shift|read)\b|\w+=\S*\s*$")


@dataclass(frozen=True)
class Part:
    """One command of a guard and its name, "" where it has none."""

    command: str
    name: str = ""

    @property
    def label(self) -> str:
        """How messages call it: by its name, else by the command."""
        return self.name or one_line(self.command, 60)


def parts(command: str) -> tuple[Part, ...]:
    """The commands that run one after the other while each passes; one part where they cannot be told apart."""
    pieces = split(command)
    if pieces is None or any(_STATE.match(piece) for piece in pieces):
        return (Part(command),)
    found, name = [], ""
    for piece in pieces:
        mark = _MARK.fullmatch(piece)
        if mark:
            name = mark[1]
        else:
            found.append(Part(piece, name))
            name = ""
    return tuple(found) or (Part(command),)


def split(command: str) -> list[str] | None:
    """The pieces between the outermost `&&`; None for a text that is joined in other ways too, or is not closed."""
    pieces, start, depth, quote, at = [], 0, 0, "", 0
    while at < len(command):
        sign = command[at]
        if quote:
            if sign == "\\" and quote == '"':
                at += 1
            quote = "" if sign == quote else quote
        elif sign in "'\"`":
            quote = sign
        elif sign == "\\":
            at += 1
        elif sign in "({":
            depth += 1
        elif sign in ")}":
            depth -= 1
        elif depth == 0 and command.startswith("&&", at):
            pieces.append(command[start:at].strip())
            at, start = at + 1, at + 2
        elif depth == 0 and (sign in ";\n#" or command.startswith("||", at) or _background(command, at)):
            return None
        at += 1
    pieces.append(command[start:].strip())
    return pieces if not quote and depth == 0 and all(pieces) else None


def _background(command: str, at: int) -> bool:
    """A lone `&`; not one of `2>&1` or `&>file`."""
    return command[at] == "&" and command[at - 1 : at] not in (">", "<") and command[at + 1 : at + 2] != ">"


def joined(given: Sequence[str]) -> str:
    """The guards as one shell text; each may be `NAME=COMMAND`. A single one without a name stays as it is."""
    found = [_named(text.strip()) for text in given if text.strip()]
    if len(found) == 1 and not found[0].name:
        return found[0].command
    texts = (f": {p.name or f'guard-{n}'} && {_alone(p.command)}" for n, p in enumerate(found, 1))
    return " && ".join(texts)


def merged(noted: object, given: Sequence[str]) -> list[str]:
    """Guards that were noted with those that are given now: one of the same name in its place, a new one behind. What
    is given without a name replaces them all."""
    fresh = {_named(text.strip()).name: text for text in given}
    if "" in fresh:
        return list(given)
    return [fresh.pop(_named(text).name, text) for text in listed(noted)] + list(fresh.values())


def listed(value: object) -> list[str]:
    """The commands of a flag that may be one text, several, or not given."""
    return [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else []


def _named(text: str) -> Part:
    match = _NAMED.match(text)
    return Part(text[match.end() :], match[1]) if match else Part(text)


def _alone(command: str) -> str:
    """A command that holds together behind `&&`."""
    pieces = split(command)
    return command if pieces is not None and len(pieces) == 1 and not _STATE.match(command) else f"({command})"
