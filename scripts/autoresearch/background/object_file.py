"""JSON files of a background run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..kernel.core import jsontext
from ..kernel.disk import regular


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
