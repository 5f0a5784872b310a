"""Type errors of Python code, as mypy and pyright count them."""

from __future__ import annotations

import ast
import re

from ..kernel.core.errors import Refusal
from . import escapes, toolbox
from .counted import Counted, Finding
from .toolbox import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_MYPY = re.compile(
    r"(?P<path>[^\n]+?):(?:(?P<line>\d+):)?(?:\d+:)? error: (?P<text>.*?)(?:  \[(?P<rule>[\w-]+)\])?$", re.M
)
_DONE = re.compile(
    r"^(?:Success: no issues found in (\d+) source files?|Found (\d+) errors? in \d+ files? \(checked (\d+) )", re.M
)
_PLAIN = ("--no-pretty", "--no-color-output", "--show-error-codes", "--hide-error-context", "--error-summary")


def mypy(request: Request) -> Counted:
    """What mypy finds, with the project's own settings. A syntax error stops mypy early: that is no number."""
    tool = toolbox.find("mypy", request, "pip mypy")
    paths = [toolbox.relative(path, request.root) for path in request.paths()]
    ran = toolbox.run([tool, *_PLAIN, *request.get("option", []), *paths], request)
    done = _DONE.search(ran.out)
    if ran.code not in (0, 1) or not done:
        raise toolbox.broken("mypy", ran)
    found = [
        Finding(toolbox.relative(m["path"], request.root), int(m["line"] or 0), m["text"], m["rule"] or "")
        for m in _MYPY.finditer(ran.out)
    ]
    if any(item.rule == "syntax" for item in found):
        raise toolbox.broken("mypy", ran)
    errors, files = int(done[2] or 0), int(done[1] or done[3])
    if errors != len(found):
        raise Refusal(f"mypy counts {errors} errors and shows {len(found)}, expected the same; is its output set up?")
    return Counted({"errors": errors, "files": files, **_ways_out(request)}, found)


def _ways_out(request: Request) -> dict[str, int]:
    return escapes.python_types(map(toolbox.read, toolbox.sources(request, ".py", ".pyi")))


def pyright(request: Request) -> Counted:
    """What pyright finds, with the project's own settings. A file that does not parse is no number."""
    tool = toolbox.find("pyright", request, "pip pyright")
    paths = [str(path) for path in request.paths()]
    argv = [tool, "--outputjson", "--pythonpath", toolbox.python(request), *request.get("option", []), *paths]
    ran = toolbox.run(argv, request)
    if ran.code not in (0, 1):
        raise toolbox.broken("pyright", ran)
    report = ran.json("pyright")
    found = [item for item in report["generalDiagnostics"] if item["severity"] == "error"]
    _refuse_syntax(found)
    files = int(report["summary"]["filesAnalyzed"])
    if not files:
        raise Refusal(f"pyright looked at no file below {', '.join(paths)}, expected some; see its include and exclude")
    errors = int(report["summary"]["errorCount"])
    return Counted({"errors": errors, "files": files, **_ways_out(request)}, [_shown(item, request) for item in found])


def _shown(item: Mapping[str, Any], request: Request) -> Finding:
    place = toolbox.relative(item["file"], request.root)
    line = item.get("range", {}).get("start", {}).get("line", -1) + 1
    return Finding(place, line, item["message"].partition("\n")[0], item.get("rule", ""))


def _refuse_syntax(found: list[Any]) -> None:
    """What pyright names no rule for may be a syntax error, which hides everything behind it."""
    for path in {item["file"] for item in found if "rule" not in item}:
        try:
            with open(path, encoding="utf-8") as stream:
                ast.parse(stream.read())
        except SyntaxError as error:
            raise Refusal(f"{path}:{error.lineno} does not parse ({error.msg}), expected a whole program") from None
