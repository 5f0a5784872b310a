"""What a bundle weighs: size-limit."""

from __future__ import annotations

from ..kernel.core.errors import Refusal
from .contents import Number, count, decimal, document, get


def size_limit(text: str) -> list[Number]:
    """`size-limit --json`: bytes by name; an entry without files is refused."""
    found = []
    for item in document(text, list):
        name = get(item, "name", str)
        size = count(get(item, "size"), name)
        if not size:
            raise Refusal(f"{name!r} weighs nothing, so its files were not built")
        found.append(Number(name, decimal(size, name), "B"))
    return found
