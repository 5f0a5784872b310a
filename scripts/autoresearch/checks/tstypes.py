"""Type errors, `any` types and exported declarations of TypeScript, asked of the project's own compiler."""

from __future__ import annotations

import os

from ..kernel.core.errors import Refusal
from . import escapes, toolbox
from .counted import Counted, Finding
from .toolbox import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

INSTALL = "npm install --save-dev typescript"


def errors(request: Request) -> Counted:
    """What the compiler finds, with the ways out: casts, `!`, silencing comments, `any`."""
    found = ask(request, request.root, implicit=False)
    return Counted({"errors": len(found["errors"]), **_numbers(found, request)}, _places(found["errors"], request))


def anys(request: Request) -> Counted:
    """`any` types that are written, and beside them those that appear when a type is left out (`implicit`)."""
    found = ask(request, request.root, implicit=True)
    numbers = {**_numbers(found, request), "implicit": len(found["implicit"]), "errors": len(found["errors"])}
    return Counted({"any": numbers.pop("any"), **numbers}, _places(found["any"], request))


def ask(request: Request, folder: Path, implicit: bool) -> Any:
    """What `inside/typescript.cjs` says of the project in a folder; raises `Refusal` for one that does not parse."""
    node = toolbox.need("node", request.root, "Node.js")
    spec = {
        "root": str(folder),
        "modules": _modules(request),
        "project": _project(request, folder),
        "paths": [os.path.join(folder, path) for path in request.operands],
        "implicit": implicit,
        "exports": bool(request.options.get("exports")),
    }
    found = toolbox.inside(request, node, "typescript.cjs", spec, folder)
    if found.get("refused"):
        raise Refusal(found["refused"])
    return found


def _modules(request: Request) -> list[str]:
    """Where the compiler may lie: the project's folders, and that of `tsc`."""
    tsc = toolbox.look("tsc", request.root)
    return [*map(str, toolbox.homes(request.root)), *([os.path.dirname(os.path.realpath(tsc))] if tsc else [])]


def _project(request: Request, folder: Path) -> str:
    """The settings: `--tool FILE` (a tsconfig), or the nearest tsconfig.json; "" for none."""
    given = request.options.get("tool")
    paths = [folder / str(given)] if given else [home / "tsconfig.json" for home in (folder, *toolbox.homes(folder))]
    return next((str(path) for path in paths if path.is_file()), "")


def _numbers(found: Any, request: Request) -> dict[str, int]:
    texts = map(toolbox.read, toolbox.sources(request, ".ts", ".tsx", ".mts", ".cts"))
    ignores = escapes.typescript(texts)
    counts = {"any": len(found["any"]), "casts": found["casts"], "bangs": found["bangs"]}
    return {**counts, "ignores": ignores, "files": found["files"]}


def _places(rows: Any, request: Request) -> list[Finding]:
    return [Finding(toolbox.relative(row[0], request.root), row[1], row[2], row[3]) for row in rows]
