"""Whether an edit changed the line ends of a whole file: then its diff shows a change of every line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ..kernel.core.frozen import Any
from ..kernel.core.rows import Row
from ..kernel.core.text import one_line
from ..kernel.disk import evidence
from ..kernel.run.context import Run

LEAST = 3  # lines of a file that must differ in their end alone
SHARE = 0.5  # of the lines that a patch takes away


def shown(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """The key `line_ends` of a trial's answer, nothing where the edit left them."""
    path = evidence.folder(run.layout.evidence, row.iteration) / evidence.PATCH
    if "next" not in found or row.worker or row.status not in ("keep", "discard", "crash") or not path.is_file():
        return {}
    said = of_patch(path.read_bytes())
    return {"line_ends": said} if said else {}


def of_patch(patch: bytes) -> str:
    """The clause on the files of a patch whose line ends it changed, "" for none."""
    names = [f"{name} now has {end}" for name, end in _changed(patch)]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    told = f"{one_line(', '.join(names[:2]), 120)}{more}"
    return f"{told}: the diff shows every line of it; put the line ends back with the next edit" if names else ""


def _changed(patch: bytes) -> Iterator[tuple[str, str]]:
    """Files of the patch with the line ends that they have now."""
    for part in re.split(rb"^diff --git ", patch, flags=re.MULTILINE)[1:]:
        gone, new = _sides(part)
        ended = sum(line.endswith(b"\r") for line in gone), sum(line.endswith(b"\r") for line in new)
        alike = len({line.rstrip(b"\r") for line in gone} & {line.rstrip(b"\r") for line in new})
        if alike < LEAST or alike < SHARE * len({line.rstrip(b"\r") for line in gone}):
            continue
        name = part.split(b"\n", 1)[0].rpartition(b" b/")[2].decode("utf-8", "replace")
        if ended[0] > len(gone) / 2 and not ended[1] > len(new) / 2:
            yield name, "LF"
        elif ended[1] > len(new) / 2 and not ended[0] > len(gone) / 2:
            yield name, "CRLF"


def _sides(part: bytes) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """The lines that one file's patch takes away, and those that it adds."""
    lines = part[part.find(b"\n@@ ") :].split(b"\n") if b"\n@@ " in part else []
    return [line[1:] for line in lines if line[:1] == b"-"], [line[1:] for line in lines if line[:1] == b"+"]
