"""Bytes of what a build leaves, and bytes of the same packed as servers send it."""

from __future__ import annotations

import gzip
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.run import tempfolder
from . import toolbox
from .counted import Counted, Finding, least_one
from .toolbox import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def files(request: Request) -> Counted:
    """Bytes of files or patterns; with `--build CMD` only what that command wrote just now counts."""
    before = toolbox.stamps(path for name in request.operands for path in _matching(request.root, name))
    command = request.options.get("build")
    if command:
        toolbox.done(str(command), request, "the build")
    found = sorted({path for name in request.operands for path in _matching(request.root, name)})
    least_one(len(found), f"no file matches {' '.join(request.operands) or 'nothing'}", "name what the build writes")
    old = [path for path, stamp in toolbox.stamps(found).items() if command and before.get(path) == stamp]
    if old:
        raise Refusal(f"{old[0]} was not written by the build, expected a new one; remove it, or name what is written")
    least_one(min(path.stat().st_size for path in found), "a file is empty", "see whether the build went well")
    places = [
        Finding(toolbox.relative(path, request.root), 0, f"{path.stat().st_size} bytes", "size") for path in found
    ]
    return Counted({**_both([path.read_bytes() for path in found]), "files": len(found)}, places)


def _matching(root: Path, name: str) -> list[Path]:
    path = root / name
    if path.is_dir():
        return [inner for inner in path.rglob("*") if inner.is_file()]
    return [path] if path.is_file() else [found for found in root.glob(name) if found.is_file()]


def _both(contents: list[bytes]) -> dict[str, int]:
    packed = sum(len(gzip.compress(content, 9, mtime=0)) for content in contents)
    return {"bytes": sum(map(len, contents)), "packed": packed}


def bundle(request: Request) -> Counted:
    """Bytes of one entry and all it imports, bundled and minified by esbuild into a temporary file; what each input
    adds is told as a finding."""

    tool = toolbox.find("esbuild", request, "npm esbuild")
    entry = request.command()
    with tempfolder.folder("check") as folder:
        out, meta = Path(folder, "out.js"), Path(folder, "meta.json")
        fixed = ["--bundle", "--minify", "--log-level=error", f"--outfile={out}", f"--metafile={meta}"]
        ran = toolbox.run([tool, entry, *fixed, *request.get("option", [])], request)
        if ran.code or not out.is_file():
            raise toolbox.broken("esbuild", ran)
        inputs = _inputs(toolbox.as_json(meta.read_text("utf-8"), "esbuild", ran))
        return Counted({**_both([out.read_bytes()]), "inputs": len(inputs)}, inputs)


def _inputs(meta: Any) -> list[Finding]:
    rows = next(iter(meta["outputs"].values()))["inputs"]
    return [
        Finding(path, 0, f"{row['bytesInOutput']} bytes", "input") for path, row in rows.items() if row["bytesInOutput"]
    ]
