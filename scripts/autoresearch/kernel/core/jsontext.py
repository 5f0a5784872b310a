"""JSON in and out with exact decimals: numbers are read as `Decimal` and written digit for digit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Context, Decimal, Inexact

from .frozen import Any
from .numbers import plain

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from collections.abc import Callable

_scalar = json.JSONEncoder(ensure_ascii=False).encode


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


# One number such as 1e99999999 would take for ever to be written digit for digit, or to become an integer.
_bounded = Context(9999, Emin=-9999, Emax=9999, traps=[Inexact]).create_decimal
_decoder = json.JSONDecoder(parse_float=_bounded, parse_constant=_no_constant)  # a log has many lines


def loads(text: str, constant: Callable[[str], object] = _no_constant) -> Any:
    """Parse JSON; fractions become `Decimal`, and `constant` is asked what NaN and infinity become.

    Raises `ValueError`, also for NaN and infinity unless told otherwise, absurd exponents and absurd nesting.
    """
    try:
        if constant is _no_constant and text[:1] != "\ufeff":
            return _decoder.decode(text)
        return json.loads(text, parse_float=_bounded, parse_constant=constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ArithmeticError:
        raise ValueError("a number is beyond all bounds") from None


def mapping(text: str) -> dict[str, Any]:
    """The JSON object in a text, {} where it holds none."""
    try:
        found = loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def dumps(value: object, indent: int = 0) -> str:
    """One JSON text; `indent` spaces a level, or compact on one line when 0."""
    return _encode(value, indent, "\n" if indent else "")


def _encode(value: object, indent: int, newline: str) -> str:
    if isinstance(value, Decimal):
        return plain(value) if value.is_finite() else "null"
    if isinstance(value, Mapping):
        items = [f"{_text(str(key))}: {_encode(item, indent, newline + ' ' * indent)}" for key, item in value.items()]
        return _wrap("{", items, "}", indent, newline)
    if isinstance(value, (list, tuple)):
        return _wrap("[", [_encode(item, indent, newline + " " * indent) for item in value], "]", indent, newline)
    return _text(value) if isinstance(value, str) else _scalar(value)


def _wrap(opening: str, items: list[str], closing: str, indent: int, newline: str) -> str:
    if not items or not indent:
        return opening + ", ".join(items) + closing
    inner = newline + " " * indent
    return opening + inner + ("," + inner).join(items) + newline + closing


def _text(value: str) -> str:
    # Lone surrogates cannot be written as UTF-8; U+2028/2029 break line-based readers.
    text = _scalar(value.encode("utf-8", "replace").decode("utf-8"))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\u0085", "\\u0085")
