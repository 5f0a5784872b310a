"""Writing the report's two files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cli import outputs
from ..kernel.core import artifacts
from ..kernel.disk import atomic
from ..kernel.disk.layout import Layout
from ..kernel.system import gitfiles
from . import accounting, headline, markdown, page

_OURS = "content=.codex-autoresearch.>|<!-- written by codex-autoresearch -->"  # by which a report of ours is known


def write(layout: Layout, paths: Mapping[str, Path], clock: float) -> dict[str, Any]:
    """Write `html` and `markdown` to the `paths` given, else beside the evidence; the answer of `report`.

    Raises `Refusal` when there is no sound run or a file cannot be written.
    """
    for name, path in paths.items():
        outputs.refuse(path.absolute(), f"--{name}", layout, again=_OURS)
    account = accounting.read(layout, clock)
    usual = dict(zip(("html", "markdown"), outputs.REPORT))
    places = {name: paths.get(name, layout.evidence / file).absolute() for name, file in usual.items()}
    gitfiles.hide(layout.evidence)
    atomic.replace(places["html"], page.html(account, layout.evidence))
    atomic.replace(places["markdown"], markdown.markdown(account, layout.evidence))
    written = {name: str(path) for name, path in places.items()}
    return {**written, **headline.facts(account), "notes": _notes(layout, places)}


def _notes(layout: Layout, places: Mapping[str, Path]) -> list[str]:
    """A file of ours in the user's tree would be taken for somebody's change by the next experiment."""
    inside = [layout.relative(path) for path in places.values()]
    stray = [name for name in inside if not name.startswith("/") and not artifacts.is_owned(name)]
    return [f"{name} lies inside the repository: move or commit it before the next experiment" for name in stray]
