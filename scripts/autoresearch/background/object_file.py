"""JSON files of a background run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ..kernel.core import jsontext
from ..kernel.disk import regular

Kind = TypeVar("Kind")


def read(path: Path, parse: Callable[[dict[str, Any]], Kind]) -> Kind | None:
    """What a file holds, None when there is none; raises `ValueError` saying what is wrong with it."""
    data = object_at(path)
    try:
        return None if data is None else parse(data)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def object_at(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file, None when there is no file; raises `ValueError` saying what is wrong with it."""
    try:
        data = jsontext.loads(regular.read_text(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path.name} is no JSON") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path.name} is no JSON object")
    return data
