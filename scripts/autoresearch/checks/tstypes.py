"""Type errors, `any` types and exported declarations of TypeScript, asked of the project's own compiler."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from . import escapes, toolbox, toolplace
from .counted import Counted, Finding
from .toolbox import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


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
        "entries": [str(folder / name) for name in entries(folder)] if request.options.get("exports") else [],
    }
    found = toolbox.inside(request, node, "typescript.cjs", spec, folder)
    if found.get("refused"):
        raise Refusal(found["refused"])
    return found


def entries(folder: Path) -> list[str]:
    """The source files of what package.json offers to users (exports, types, module, main), by their names: `src/x.ts`
    of `dist/x.d.ts`. Empty where none is told or found."""
    try:
        manifest = jsontext.loads(toolbox.read(folder / "package.json"))
    except (OSError, ValueError):
        return []
    given = [manifest.get(name) for name in ("source", "types", "typings", "module", "main", "exports")]
    texts = dict.fromkeys(text for value in given for text in _texts(value))
    stems = dict.fromkeys(re.sub(r"(?:\.d)?\.[cm]?[jt]sx?$", "", text.removeprefix("./")) for text in texts)
    found = (_source(folder, stem) for stem in stems if "*" not in stem and not stem.endswith(".json"))
    return list(dict.fromkeys(filter(None, found)))


def _texts(value: Any) -> Iterator[str]:
    """All texts of a JSON value, such as the conditions of `exports`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)


def _source(folder: Path, stem: str) -> str:
    """The source of a built file: the same path below `src` or at the top, without the folders of the build."""
    parts = stem.split("/")
    for at in range(len(parts)):
        for top in ("src/", "source/", "lib/", ""):
            for ending in (".ts", ".tsx", ".mts", "/index.ts"):
                name = f"{top}{'/'.join(parts[at:])}{ending}"
                if (folder / name).is_file():
                    return name
    return ""


def _modules(request: Request) -> list[str]:
    """Where the compiler may lie: the project's folders, and that of `tsc`."""
    tsc = toolbox.look("tsc", request.root)
    return [*map(str, toolplace.homes(request.root)), *([os.path.dirname(os.path.realpath(tsc))] if tsc else [])]


def _project(request: Request, folder: Path) -> str:
    """The settings: `--tool FILE` (a tsconfig), or the nearest tsconfig.json; "" for none."""
    given = request.options.get("tool")
    paths = [folder / str(given)] if given else [home / "tsconfig.json" for home in (folder, *toolplace.homes(folder))]
    return next((str(path) for path in paths if path.is_file()), "")


def _numbers(found: Any, request: Request) -> dict[str, int]:
    texts = map(toolbox.read, toolbox.sources(request, ".ts", ".tsx", ".mts", ".cts"))
    ignores = escapes.typescript(texts)
    counts = {"any": len(found["any"]), "casts": found["casts"], "bangs": found["bangs"]}
    return {**counts, "ignores": ignores, "files": found["files"]}


def _places(rows: Any, request: Request) -> list[Finding]:
    return [Finding(toolbox.relative(row[0], request.root), row[1], row[2], row[3]) for row in rows]
