"""Several guards as flags, joined to one shell text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..kernel.core.guards import STATE, Part, split

_NAMED = re.compile(r"([a-z][a-z0-9-]*)=(?=\S)")


def joined(given: Sequence[str]) -> str:
    """The guards as one shell text; each may be `NAME=COMMAND`. A single one without a name stays as it is."""
    found = [_named(text.strip()) for text in given if text.strip()]
    if len(found) == 1 and not found[0].name:
        return found[0].command
    texts = (f": {p.name or f'guard-{n}'} && {_alone(p.command)}" for n, p in enumerate(found, 1))
    return " && ".join(texts)


def _named(text: str) -> Part:
    match = _NAMED.match(text)
    return Part(text[match.end() :], match[1]) if match else Part(text)


def _alone(command: str) -> str:
    """A command that holds together behind `&&`."""
    pieces = split(command)
    return command if pieces is not None and len(pieces) == 1 and not STATE.match(command) else f"({command})"
