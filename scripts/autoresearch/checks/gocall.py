"""A benchmark of one Go call that no file of the project holds: laid over its package while that is built, in place of
the package's own tests, which may need modules that are not here."""

from __future__ import annotations

import re
from pathlib import Path

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from . import toolbox

NAME = "AutoresearchGiven"
_FILE = "zz_autoresearch_test.go"
_TEXT = """\
package {package}

import (
\t"fmt"
\t"os"
\t"runtime"
\t"testing"
)

func Benchmark{name}(b *testing.B) {{
\tfor i := 0; i < b.N; i++ {{
\t\t{results} := {code}
\t\t{kept}
\t\tif i == 0 && b.N == 1 {{
\t\t\tfmt.Fprintf(os.Stderr, "answer %#v\\n", []interface{{}}{{{results}}})
\t\t}}
\t}}
}}
"""


def is_call(operand: str) -> bool:
    """Whether an operand of `gobench` is a call and no name of a benchmark."""
    return "(" in operand


def overlay(folder: Path, code: str, place: Path) -> Path:
    """Write the benchmark of a call of the package in `folder`, and what go build -overlay needs for it; its path.

    Raises `Refusal` where the call is of no function of the package, or of one without a result.
    """
    sources = [path for path in sorted(folder.glob("*.go")) if not path.name.endswith("_test.go")]
    texts = [toolbox.read(path) for path in sources]
    function = code.partition("(")[0].strip()
    many = next((count for text in texts if (count := results(text, function)) >= 0), -1)
    if many < 1:
        raise Refusal(
            f"{function} is no function of {folder.name} with a result, expected one, called as in its package"
        )
    package = next(match[1] for text in texts if (match := re.search(r"^package (\w+)", text, re.MULTILINE)))
    names = [f"r{number}" for number in range(many)]
    kept = "; ".join(f"runtime.KeepAlive({name})" for name in names)
    text = _TEXT.format(package=package, name=NAME, results=", ".join(names), code=code, kept=kept)
    place.mkdir(parents=True, exist_ok=True)
    (place / _FILE).write_text(text, "utf-8")
    hidden = {str(path): "" for path in folder.glob("*_test.go")}
    plan = place / "overlay.json"
    plan.write_text(jsontext.dumps({"Replace": {**hidden, str(folder / _FILE): str(place / _FILE)}}), "utf-8")
    return plan


def signature(text: str, function: str) -> tuple[str, str] | None:
    """The parameters and the results of a function at the top of a Go file, as they are written; None for none."""
    match = re.search(rf"^func {re.escape(function)}\(", text, re.MULTILINE)
    if not match:
        return None
    depth, at = 1, match.end()
    while depth and at < len(text):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return text[match.end() : at - 1], text[at:].partition("{")[0].strip()


def results(text: str, function: str) -> int:
    """How many results a function of a Go file has, -1 where the file has no such function."""
    found = signature(text, function)
    if found is None:
        return -1
    given = found[1]
    if not given.startswith("("):
        return int(bool(given))
    return len([part for part in given[1:-1].split(",") if part.strip()])
