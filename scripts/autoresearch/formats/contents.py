"""What a reader of a format gives back, and how JSON, XML and decimals are taken in so that nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ..kernel.core import jsontext, numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

_ELEMENTS = 500_000


@dataclass(frozen=True)
class Number:
    """A number of an output: `name` as `--metric-key` names it, value and unit ("" for a count)."""

    name: str
    value: Decimal
    unit: str = ""


@dataclass(frozen=True)
class Element:
    """An XML element without its text: how deep it stands, tag and attributes."""

    depth: int
    tag: str
    given: Mapping[str, str]


class _Objects(dict[str, object]):
    """A JSON object; a key that stands twice is no JSON that a tool wrote."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        if len(self) != len(pairs):
            raise ValueError("a key stands twice in one object")


def document(text: str, kind: type = dict) -> Any:
    """The JSON document that is all of `text`, an object or a list; raises `Refusal`."""
    import json

    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=jsontext._no_constant, object_pairs_hook=_Objects)
    except RecursionError:
        raise Refusal("it is JSON that is nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        raise Refusal(f"it is not one whole JSON document ({str(error)[:80]})") from None
    if not isinstance(value, kind):
        raise Refusal(f"its JSON is not {'an object' if kind is dict else 'a list'}")
    return value


def get(holder: Any, path: str, kind: type | tuple[type, ...] = (int, Decimal)) -> Any:
    """The value at a path of keys such as `totals/percent`; raises `Refusal` unless it is of this kind."""
    for key in path.split("/"):
        holder = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(holder, kind) or isinstance(holder, bool) is not (kind is bool):
        raise Refusal(f"it has no usable {path!r}")
    return holder


def decimal(value: object, what: str) -> Decimal:
    """A number of a tool as an exact finite decimal; raises `Refusal`."""
    return numbers.parse("" if isinstance(value, bool) else str(value), what)


def count(value: object, what: str) -> int:
    """A whole number that is not negative; raises `Refusal`."""
    found = decimal(value, what)
    if found < 0 or found != found.to_integral_value():
        raise Refusal(f"{what} is {numbers.plain(found)}, expected a count")
    return int(found)


def middle(samples: Sequence[object], what: str) -> Decimal:
    """The median of the samples of a benchmark, positive all; raises `Refusal`."""
    values = [decimal(sample, what) for sample in samples]
    if not values or min(values) <= 0:
        raise Refusal(f"{what} has {'samples that are not positive' if values else 'no samples'}")
    return numbers.median(values)


def elements(text: str, root: tuple[str, ...]) -> list[Element]:
    """All elements of an XML document whose root is one of `root`; raises `Refusal`, also for entities.

    The parser is expat itself: a declared entity ends the reading before anything is expanded.
    """
    from xml.parsers import expat

    found: list[Element] = []
    depth = [0]

    def start(tag: str, given: dict[str, str]) -> None:
        """Note an element at its depth; raises `Refusal` where there are too many."""
        if len(found) >= _ELEMENTS:
            raise Refusal(f"it has more than {_ELEMENTS} elements")
        found.append(Element(depth[0], tag, given))
        depth[0] += 1

    def end(tag: str) -> None:
        """Come up one level."""
        depth[0] -= 1

    def entity(*_: object) -> None:
        """Raise `Refusal`: entities can grow without bound, or name files."""
        raise Refusal("it declares XML entities, which no result needs")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = start, end, entity
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise Refusal(f"it is not one whole XML document ({error})") from None
    if found[0].tag not in root:
        raise Refusal(f"its root is <{found[0].tag[:40]}>, expected <{root[0]}>")
    return found
