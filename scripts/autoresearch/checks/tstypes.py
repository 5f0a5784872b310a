"""Type errors, `any` types and exported declarations of TypeScript, asked of the project's own compiler."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.core.text import listing
from . import escapes, toolbox, toolplace
from .counted import Counted, Finding
from .toolbox import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SETTINGS = "tsconfig.json"
_ENDINGS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
ASSUMED = (
    "caution: no tsconfig.json was found: the settings are assumed, as tsc --init writes them, so some errors may be "
    "of those; agree on them"
)


def errors(request: Request) -> Counted:
    """What the compiler finds, with the ways out: casts, `!`, silencing comments, `any`."""
    found = ask(request, request.root, implicit=False)
    return Counted(
        {"errors": len(found["errors"]), **_numbers(found, request)}, _places(found["errors"], request), _told(request)
    )


def anys(request: Request) -> Counted:
    """`any` types that are written, and beside them those that appear when a type is left out (`implicit`)."""
    found = ask(request, request.root, implicit=True)
    numbers = {**_numbers(found, request), "implicit": len(found["implicit"]), "errors": len(found["errors"])}
    return Counted({"any": numbers.pop("any"), **numbers}, _places(found["any"], request), _told(request))


def _told(request: Request) -> tuple[str, ...]:
    """What the user must know of the settings: that there are none, or that some paths have none."""
    found = [os.path.dirname(path) for path in projects(request)]
    if not found:
        return (ASSUMED,)
    tops = [] if request.options.get("tool") else [str(request.root / path) for path in request.operands]
    bare = [
        os.path.relpath(top, request.root)
        for top in tops
        if not any(f"{top}/".startswith(f"{home}/") or home.startswith(f"{top}/") for home in found)
    ]
    return (f"caution: no tsconfig.json is at or above {listing(bare, 3)}: nothing there is looked at",) if bare else ()


def ask(request: Request, folder: Path, implicit: bool) -> Any:
    """What `inside/typescript.cjs` says of the project in a folder; raises `Refusal` for one that does not parse."""
    node = toolbox.need("node", request.root, "Node.js")
    spec = {
        "root": str(folder),
        "modules": _modules(request),
        "projects": projects(request, folder),
        "options": request.get("option", []),
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
    """The source files whose exports users see: those of what package.json offers, else `src/index.ts`, for a bundle
    has the name of its package. Empty where package.json offers nothing."""
    stems = _offered(folder)
    return _sources_of(folder, stems) or [name for name in [_source(folder, "index")] if name and stems]


def offered_sources(folder: Path) -> list[str]:
    """The source files of what package.json offers to users (exports, types, module, main), by their names: `src/x.ts`
    of `dist/x.d.ts`. Empty where none is told or found."""
    return _sources_of(folder, _offered(folder))


def _sources_of(folder: Path, stems: Iterable[str]) -> list[str]:
    """The sources of built files, each once, where they are found."""
    return list(dict.fromkeys(name for stem in stems if (name := _source(folder, stem))))


def _offered(folder: Path) -> list[str]:
    """What package.json offers, without endings."""
    try:
        manifest = jsontext.loads(toolbox.read(folder / "package.json"))
    except (OSError, ValueError):
        return []
    given = [manifest.get(name) for name in ("source", "types", "typings", "module", "main", "exports")]
    texts = dict.fromkeys(text for value in given for text in _texts(value))
    stems = dict.fromkeys(re.sub(r"(?:\.d)?\.[cm]?[jt]sx?$", "", text.removeprefix("./")) for text in texts)
    return [stem for stem in stems if "*" not in stem and not stem.endswith(".json")]


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


def projects(request: Request, folder: Path | None = None) -> list[str]:
    """The settings: `--tool FILE` (a tsconfig), else for each path the nearest tsconfig.json, beside it or above; where
    there is none, those in the folders below. Of `folder`, a copy of the project, the same files. Empty for none."""
    root, given = request.root, request.options.get("tool")
    tops = [root / path for path in request.operands] or [root]
    found = [root / str(given)] if given else [near for top in tops if (near := _nearest(top, root))]
    below = [p for top in tops if top.is_dir() for p in toolbox.below(top) if p.name == _SETTINGS] if not found else []
    names = dict.fromkeys(os.path.relpath(path, root) for path in (*found, *sorted(below)))
    places = (Path(os.path.normpath((folder or root) / name)) for name in names)
    return [str(path) for path in places if path.is_file()]


def _nearest(top: Path, root: Path) -> Path | None:
    above = [top, *top.parents]
    inside = above[: above.index(root)] if root in above else []
    places = (place / _SETTINGS for place in (*inside, *toolplace.homes(root)))
    return next((path for path in places if path.is_file()), None)


def _numbers(found: Any, request: Request) -> dict[str, int]:
    texts = map(toolbox.read, toolbox.sources(request, *_ENDINGS))
    ignores = escapes.typescript(texts)
    counts = {"any": len(found["any"]), "casts": found["casts"], "bangs": found["bangs"]}
    return {**counts, "ignores": ignores, "files": found["files"]}


def _places(rows: Any, request: Request) -> list[Finding]:
    return [Finding(toolbox.relative(row[0], request.root), row[1], row[2], row[3]) for row in rows]
