"""What linters find: ruff, ESLint, clippy, golangci-lint, go vet."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from . import escapes, silenced, toolbox
from .counted import Counted, Finding, distinct
from .toolbox import Ran, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NO_BENCH = re.compile(r"could not compile `[^`]*` \(bench ")


def ruff(request: Request) -> Counted:
    """What ruff finds, `noqa` respected and counted. A file that does not parse has no other findings: no number."""
    tool = toolbox.find("ruff", request, "pip ruff")
    texts = list(map(toolbox.read, toolbox.sources(request, ".py", ".pyi")))
    fixed = ["check", "--no-cache", "--exit-zero", "--no-fix", "--output-format", "json"]
    ran = toolbox.run([tool, *fixed, *request.get("option", []), *map(str, request.paths())], request)
    if ran.code:
        raise toolbox.broken("ruff", ran)
    rows = ran.json("ruff")
    wrong = next((row for row in rows if row["code"] in (None, "invalid-syntax", "E902", "E999")), None)
    if wrong:
        raise Refusal(f"{wrong['filename']} does not parse: {wrong['message']}, expected a whole program")
    ignores = sum(escapes.comments(text, escapes.LINT) for text in texts)
    found = [
        Finding(toolbox.relative(row["filename"], request.root), row["location"]["row"], row["message"], row["code"])
        for row in rows
    ]
    return Counted({"findings": len(found), "ignores": ignores, "files": len(texts)}, found)


def eslint(request: Request) -> Counted:
    """What ESLint finds, errors and warnings; what its comments suppress is counted beside."""
    tool = toolbox.find("eslint", request, "npm eslint")
    ran = toolbox.run([tool, "--format", "json", *request.get("option", []), *map(str, request.paths())], request)
    if ran.code not in (0, 1):
        raise toolbox.broken("eslint", ran)
    files = [file for file in ran.json("eslint") if not _ignored(file)]
    if not files:
        raise Refusal("eslint looked at no file, expected some; see its ignores and the paths given")
    fatal = next(
        (file for file in files if file.get("fatalErrorCount") or any(m.get("fatal") for m in file["messages"])), None
    )
    if fatal:
        raise Refusal(
            f"{fatal['filePath']} does not parse: {fatal['messages'][0]['message']}, expected a whole program"
        )
    found = [
        Finding(
            toolbox.relative(file["filePath"], request.root), m.get("line") or 0, m["message"], m.get("ruleId") or ""
        )
        for file in files
        for m in file["messages"]
    ]
    off = silenced.eslint(request.root)
    return Counted(
        {"findings": len(found), "ignores": _suppressed(files) + off, "files": len(files)}, found, _by_settings(off)
    )


def _by_settings(off: int) -> tuple[str, ...]:
    return (f"{off} of the ignores are entries of the linter's settings",) if off else ()


def _ignored(file: Any) -> bool:
    """ESLint says of a file that it passes over so in a warning without a rule."""
    return any(not m.get("ruleId") and not m.get("fatal") and "ignored" in m["message"] for m in file["messages"])


def _suppressed(files: list[Any]) -> int:
    """Findings that comments suppress, with rules that they switch off; ESLint before 8.8 does not tell
    them, so its comments are counted."""
    texts = [toolbox.read(Path(file["filePath"])) for file in files]
    if all("suppressedMessages" in file for file in files):
        return sum(len(file["suppressedMessages"]) for file in files) + escapes.eslint_rules(texts)
    return escapes.eslint(texts)


def clippy(request: Request) -> Counted:
    """What clippy and the compiler warn of, in all targets. Lints that are set to deny are counted like the others,
    and only a program that does not compile is refused. Benchmarks need a nightly Rust where they use its harness:
    those that do not build are left out, and `benches` says so, for a keep must not lose them."""
    if not toolbox.look("cargo-clippy", request.root):
        raise Refusal(
            "clippy is not installed here, expected cargo-clippy on PATH; install: rustup component add clippy"
        )
    tool = toolbox.find("cargo", request, "rustup")
    fixed = ["clippy", "--quiet", "--message-format", "json"]
    # Set to "warn", or a denied lint would end the compilation and hide what comes behind it.
    last = [*request.get("option", []), "--", "--cap-lints", "warn"]
    ran = toolbox.run([tool, *fixed, "--all-targets", *last], request, cwd=request.paths()[0])
    benches = not _NO_BENCH.search(ran.err)
    if not benches:
        ran = toolbox.run([tool, *fixed, "--tests", "--examples", *last], request, cwd=request.paths()[0])
    events = list(_events(ran))
    if ran.code or not any(e.get("reason") == "build-finished" and e.get("success") for e in events):
        raise toolbox.broken("cargo clippy", ran)
    messages = [event["message"] for event in events if event.get("reason") == "compiler-message"]
    found = [
        _rust(message, request) for message in messages if message["level"] in ("warning", "error") and message["spans"]
    ]
    texts = list(map(toolbox.read, toolbox.sources(request, ".rs")))
    unique = distinct(found)
    off = silenced.clippy(request.root)
    ignores = escapes.rust(texts) + off
    numbers = {"findings": len(unique), "ignores": ignores, "benches": int(benches), "files": len(texts)}
    left = () if benches else ("its benchmarks do not build with this Rust: left out",)
    return Counted(numbers, unique, (*left, *_by_settings(off)))


def _events(ran: Ran) -> Iterator[Any]:
    """The JSON lines among a tool's output."""
    for line in ran.out.splitlines():
        if line.startswith("{"):
            try:
                yield jsontext.loads(line)
            except ValueError:
                continue


def _rust(message: Any, request: Request) -> Finding:
    place = next((span for span in message["spans"] if span["is_primary"]), message["spans"][0])
    name = os.path.join(request.paths()[0], place["file_name"])
    return Finding(
        toolbox.relative(name, request.root),
        place["line_start"],
        message["message"],
        (message["code"] or {}).get("code", ""),
    )


def golangci(request: Request) -> Counted:
    """What golangci-lint finds, without its limits per linter; what does not compile is no number."""
    tool = toolbox.find("golangci-lint", request, "see golangci-lint.run/welcome/install")
    version = toolbox.run([tool, "version"], request).out
    form = (
        ["--out-format", "json"] if " version 1." in version else ["--output.json.path", "stdout", "--show-stats=false"]
    )
    fixed = ["run", "--issues-exit-code", "0", "--max-issues-per-linter", "0", "--max-same-issues", "0", *form]
    ran = toolbox.run([tool, *fixed, *request.get("option", []), *(request.operands or ("./...",))], request)
    if ran.code:
        raise toolbox.broken("golangci-lint", ran)
    issues = (
        toolbox.as_json(ran.out.strip().splitlines()[0] if ran.out.strip() else "", "golangci-lint", ran)["Issues"]
        or []
    )
    wrong = next((issue for issue in issues if issue["FromLinter"] == "typecheck"), None)
    if wrong:
        raise Refusal(f"{wrong['Pos']['Filename']} does not compile: {wrong['Text']}, expected a whole program")
    found = [Finding(i["Pos"]["Filename"], i["Pos"]["Line"], i["Text"], i["FromLinter"]) for i in issues]
    off = silenced.golangci(request.root)
    return Counted({"findings": len(found), "ignores": _nolint(request) + off}, found, _by_settings(off))


def _nolint(request: Request) -> int:
    everything = toolbox.Request(request.root, (), request.options)
    return escapes.golang(map(toolbox.read, toolbox.sources(everything, ".go")))


def govet(request: Request) -> Counted:
    """What `go vet` finds; what does not compile is no number."""
    tool = toolbox.find("go", request, toolbox.GO)
    packages = request.operands or ("./...",)
    built = toolbox.run([tool, "vet", "-json", *request.get("option", []), *packages], request)
    rows = list(_vetted(built))
    if built.code:
        raise toolbox.broken("go vet", built)
    found = [_place(row, name, request) for name, row in rows]
    return Counted({"findings": len(found), "ignores": _nolint(request)}, distinct(found))


def _vetted(ran: Ran) -> Iterator[tuple[str, Any]]:
    """Rows of `go vet -json`: one JSON object a package, on stderr between comment lines, on stdout since Go 1.24."""
    import json

    text = "\n".join(line for line in (ran.out + "\n" + ran.err).splitlines() if not line.startswith("#"))
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            package, at = decoder.raw_decode(text, at)
        except ValueError:
            raise toolbox.broken("go vet", ran) from None
        for analyzers in package.values():
            for name, rows in analyzers.items():
                if isinstance(rows, dict):
                    raise Refusal(f"go vet cannot check this: {rows.get('error', 'no reason given')}")
                yield from ((name, row) for row in rows)
        at = text.find("{", at)


def _place(row: Any, name: str, request: Request) -> Finding:
    path, line = row["posn"].rsplit(":", 2)[:2]
    return Finding(toolbox.relative(path, request.root), int(line), row["message"], name)
