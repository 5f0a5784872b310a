"""What a check found: numbers, and the places that make them up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field
from ..kernel.core.text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Union

    Number = Union[int, float, Decimal]

WIDTH = 240  # characters of one finding


@dataclass(frozen=True)
class Finding:
    """One place: a path relative to the project, a line from 1 (0: the whole file), what is wrong, and its rule."""

    path: str
    line: int
    text: str
    rule: str = ""

    def __str__(self) -> str:
        rule = f" [{self.rule}]" if self.rule else ""
        return one_line(f"{self.path}:{self.line}: {one_line(self.text, WIDTH)}{rule}", 2 * WIDTH)


@dataclass(frozen=True)
class Counted:
    """The numbers of a check, the metric first; its findings; and lines that people read."""

    metrics: Mapping[str, Number]
    findings: Sequence[Finding] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    def text(self, most: int) -> str:
        """METRIC lines, notes, then at most `most` findings, ordered by place."""
        lines = [f"METRIC {name}={plain(value)}" for name, value in self.metrics.items()]
        ordered = sorted(self.findings, key=lambda item: (item.path, item.line, item.text))
        lines += [f"# {one_line(note, 2 * WIDTH)}" for note in self.notes]
        lines += [str(item) for item in ordered[:most]]
        return "\n".join(lines + ([f"# {len(ordered) - most} more findings"] if len(ordered) > most else []))


def plain(value: Number) -> str:
    """A number without exponent: whole as it is, a measured one with six significant digits."""
    if isinstance(value, float):
        from decimal import Decimal

        return f"{Decimal(f'{value:.6g}'):f}"
    return str(value)


def least_one(number: int, what: str, remedy: str) -> int:
    """`number` itself; raises `Refusal` when it is 0, for nothing measured is no result."""
    if not number:
        raise Refusal(f"{what}, expected at least one; {remedy}")
    return number


def distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, in order."""
    return tuple(dict.fromkeys(findings))
