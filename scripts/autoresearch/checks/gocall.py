"""A benchmark of one Go call that no file of the project holds: laid over its package while that is built, in place of
the package's own tests, which may need modules that are not here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from . import toolbox

NAME = "AutoresearchGiven"
_FILE = "zz_autoresearch_test.go"
# Names that statements before the call, and the call, do not have.
_TEXT = """\
package {package}

import (
\tautoresearchFmt "fmt"
\tautoresearchOS "os"
\tautoresearchRuntime "runtime"
\tautoresearchTesting "testing"
{imports})

func Benchmark{name}(autoresearchB *autoresearchTesting.B) {{
\t{setup}
\tautoresearchB.ResetTimer()
\tfor autoresearchI := 0; autoresearchI < autoresearchB.N; autoresearchI++ {{
\t\t{results} := {code}
\t\t{kept}
\t\tif autoresearchI == 0 && autoresearchB.N == 1 {{
\t\t\tautoresearchFmt.Fprintf(autoresearchOS.Stderr, "answer %#v\\n", []interface{{}}{{{results}}})
\t\t}}
\t}}
}}
"""
# Packages of the standard library that arguments and statements before a call use, whether the package does or not.
_STANDARD = {path.rpartition("/")[2]: path for path in (
    "bufio", "bytes", "context", "encoding/hex", "encoding/json", "errors", "fmt", "io", "math", "math/big",
    "math/rand", "net/http", "net/url", "os", "path/filepath", "reflect", "regexp", "sort", "strconv", "strings",
    "time", "unicode/utf8",
)}  # fmt: skip
_IMPORT = re.compile(r"^(?:import)?[ \t]+(?:([\w.]+)[ \t]+)?\"([^\"\n]+)\"", re.MULTILINE)
_TEXTS = re.compile(r"\"(?:\\\\.|[^\"\\\\\n])*\"|`[^`]*`|'(?:\\\\.|[^'\\\\\n])+'")
_COUNT = re.compile(r"assignment mismatch: \d+ variables? but [^\n]*? returns? (\d+) values?")


@dataclass(frozen=True)
class GivenCall:
    """A call as its package writes it, and the statements before it that are not timed."""

    code: str
    setup: str = ""

    def overlay(self, folder: Path, place: Path, many: int) -> Path:
        """Write a benchmark of the call, which has so many results, in the package of `folder`, and what go build
        -overlay needs for it; its path. Raises `Refusal` for a folder without Go."""
        sources = [path for path in sorted(folder.glob("*.go")) if not path.name.endswith("_test.go")]
        texts = [toolbox.read(path) for path in sources]
        package = next((m[1] for text in texts if (m := re.search(r"^package (\w+)", text, re.MULTILINE))), "")
        if not package:
            raise Refusal(f"{folder.name} has no Go source, expected the package of the call; name its folder")
        names = [f"autoresearchR{number}" for number in range(many)]
        text = _TEXT.format(
            package=package,
            imports="".join(f'\t{name} "{path}"\n' for name, path in self._imports(texts)),
            name=NAME,
            setup=self.setup,
            results=", ".join(names),
            code=self.code,
            kept="; ".join(f"autoresearchRuntime.KeepAlive({name})" for name in names),
        )
        place.mkdir(parents=True, exist_ok=True)
        (place / _FILE).write_text(text, "utf-8")
        hidden = {str(path): "" for path in folder.glob("*_test.go")}
        plan = place / "overlay.json"
        plan.write_text(jsontext.dumps({"Replace": {**hidden, str(folder / _FILE): str(place / _FILE)}}), "utf-8")
        return plan

    def _imports(self, texts: Sequence[str]) -> list[tuple[str, str]]:
        """The packages that the statements and the call name: those that the package imports, or standard ones."""
        written = _TEXTS.sub('""', f"{self.setup}\n{self.code}")
        known = dict(_STANDARD)
        for text in texts:
            known.update({name or path.rpartition("/")[2]: path for name, path in _IMPORT.findall(_head(text))})
        used = dict.fromkeys(re.findall(r"(?<![\w.)\]])([a-z]\w*)\.", written))
        own = set(re.findall(r"\bvar (\w+)", written))
        own.update(name for names in re.findall(r"([\w, ]+):=", written) for name in re.findall(r"\w+", names))
        return [(name, known[name]) for name in used if name in known and name not in own]


def is_call(operand: str) -> bool:
    """Whether an operand of `gobench` is a call and no name of a benchmark."""
    return "(" in operand


def results(complaint: str, code: str) -> int:
    """How many results the compiler says a call has, 0 where it says nothing of that; raises `Refusal` for none."""
    if "(no value) used as value" in complaint or "used as value" in complaint:
        raise Refusal(f"{code} has no result, expected a call with one, so that answers can be compared")
    found = _COUNT.search(complaint)
    return int(found[1]) if found else 0


def _head(text: str) -> str:
    """A Go file up to its first declaration: its imports."""
    return re.split(r"^(?:func|type|var|const)\b", text, maxsplit=1, flags=re.MULTILINE)[0]


def signature(text: str, function: str) -> tuple[str, str] | None:
    """The parameters and the results of a function at the top of a Go file, as they are written; None for none."""
    match = re.search(rf"^func {re.escape(function)}\(", text, re.MULTILINE)
    return parts(text, match.end()) if match else None


def parts(text: str, start: int) -> tuple[str, str]:
    """What stands in the brackets that are open at `start`, and behind them up to a body or the line's end."""
    depth, at = 1, start
    while depth and at < len(text):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return text[start : at - 1], re.split(r"[{\n]", text[at:], maxsplit=1)[0].strip()
