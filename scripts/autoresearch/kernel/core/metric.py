"""The smallest way to read a metric: lines `METRIC name=value`. The port `measure` knows more."""

from __future__ import annotations

import re
from decimal import Decimal

from . import numbers
from .errors import Refusal

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"^[ \t]*METRIC[ \t]+([^\s=]+)[ \t]*=[ \t]*(\S+)[ \t]*$", re.MULTILINE)


def read(text: str, name: str) -> tuple[Decimal | None, str, Mapping[str, Decimal]]:
    """The number called `name`, or the only one; else None and why; and the other numbers."""
    found = [line.groups() for line in _LINE.finditer(text)]
    try:
        values = {key: numbers.parse(value, key) for key, value in found}
    except Refusal as refusal:
        return None, str(refusal), {}
    wanted = name if name in values else next(iter(values), "")
    if len(values) < len(found) or (wanted != name and len(values) != 1):
        return None, f"{len(found)} METRIC lines, expected one METRIC {name or 'name'}=NUMBER; print it once", values
    return values.pop(wanted), "", values
