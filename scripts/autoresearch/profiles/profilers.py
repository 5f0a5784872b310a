"""The profilers that come with Python, Node and Linux, asked where a command or a call spends its time.

Time is a function's own; what it spends in code that is not the project's counts for the project's function that
called it, as far as the profiler tells.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..checks import toolbox
from ..checks.toolbox import Request
from ..cli import guards
from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.run import tempfolder
from .spots import HotSpot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INSIDE = Path(__file__).resolve().parent / "inside"
CPROFILE, CPU_PROF, PERF = "cprofile", "cpu-prof", "perf"
NAMES = (CPROFILE, CPU_PROF, PERF)
_PYTHON = re.compile(r"^python(?:\d[\d.]*)?$")
_NODE = re.compile(r"^(?:node|npm|npx|yarn|pnpm)$")
_OUTSIDE = ""  # samples without a frame of the project: the engine's start, the profiler, a harness
_COLLECTOR = "garbage collector"
_WITH_VALUE = ("-W", "-X")
_PERF_LINE = re.compile(r"^\s*(\d+\.\d+)%\s+\S+\s+(\S+)\s+\[\S\]\s+(\S.*?)\s*$")


def of_call(request: Request, code: str, setup: str, node: bool) -> list[HotSpot]:
    """Where one call of the project spends its time, called for two seconds of the processor."""
    spec = jsontext.dumps({"code": code, "setup": setup, "seconds": 2})
    program, runtime = ("workload.cjs", "node") if node else ("workload.py", toolbox.python(request))
    line = " ".join(map(shlex.quote, [runtime, str(INSIDE / program), spec]))
    return of_command(request, line, CPU_PROF if node else CPROFILE)


def of_command(request: Request, line: str, by: str) -> list[HotSpot]:
    """Where a command spends its time, by the named profiler or, for "", the one that fits its program.

    Raises `Refusal` when the command fails or no profiler fits.
    """
    chosen = by or _fitting(request, line)
    return {CPROFILE: _by_cprofile, CPU_PROF: _by_cpu_prof, PERF: _by_perf}[chosen](request, line)


def _fitting(request: Request, line: str) -> str:
    words = _words(line)
    head = next((word for word in words if not re.match(r"\w+=", word)), "").rpartition("/")[2]
    if _PYTHON.match(head) or _script(request, head):
        return CPROFILE
    if _NODE.match(head):
        return CPU_PROF
    if toolbox.look("perf", request.root):
        return PERF
    raise Refusal(
        f"no profiler fits {head or 'the command'}, expected a program of Python or Node, or perf on PATH; install "
        "perf, or give --profile a command of your own that prints lines 'NUMBER % NAME'"
    )


def _words(line: str) -> list[str]:
    """The words of the last of several joined commands."""
    pieces = guards.split(line)
    try:
        return shlex.split((pieces or [line])[-1])
    except ValueError:
        return []


def _script(request: Request, head: str) -> str:
    """The path of a program that Python runs, such as pytest; "" for any other."""
    path = toolbox.look(head, request.root) if head else ""
    try:
        with open(path, "rb") as stream:
            first = stream.readline(200)
    except OSError:
        return ""
    return path if first.startswith(b"#!") and b"python" in first else ""


def _by_cprofile(request: Request, line: str) -> list[HotSpot]:
    with tempfolder.folder("profile") as folder:
        out = Path(folder, "profile")
        pieces = guards.split(line) or [line]
        _run(request, " && ".join([*pieces[:-1], under_cprofile(request, pieces[-1], out, Path(folder))]))
        return top_functions(out, request.root)


def under_cprofile(request: Request, line: str, out: Path, folder: Path) -> str:
    """The same command under cProfile; raises `Refusal` where the line is not one call of Python."""
    words = shlex.split(line)
    first = next((i for i, word in enumerate(words) if not re.match(r"\w+=", word)), len(words))
    before, rest = words[:first], words[first:]
    script = "" if not rest or _PYTHON.match(rest[0].rpartition("/")[2]) else _script(request, rest[0])
    if script:
        rest = [toolbox.python(request), script, *rest[1:]]
    if not rest or not _PYTHON.match(rest[0].rpartition("/")[2]) or not _is_plain(line):
        raise Refusal(
            "cprofile takes one plain call of Python, expected python3 FILE, -m MODULE or -c CODE; shorten the command"
        )
    at = 1
    while at < len(rest) and rest[at].startswith("-") and rest[at] not in ("-m", "-c"):
        at += 2 if rest[at] in _WITH_VALUE else 1
    target = rest[at:]
    if target[:1] == ["-c"] and len(target) > 1:
        code = folder / "code.py"
        code.write_text(target[1], "utf-8")
        target = [str(code), *target[2:]]
    assignments = [f"{name}={shlex.quote(value)}" for name, _, value in (word.partition("=") for word in before)]
    called = [*rest[:at], "-m", "cProfile", "-o", str(out), *target]
    return " ".join([*assignments, *map(shlex.quote, called)])


def _is_plain(line: str) -> bool:
    """Whether a shell would run one program: no pipe, redirection or second command outside of quotes."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return not any(token and set(token) <= set("();<>|&") for token in lexer)


def _run(request: Request, line: str, env: Mapping[str, str] | None = None) -> toolbox.Ran:
    ran = toolbox.shell(line, request, {"PYTHONPATH": toolbox.python_path(request.root), **(env or {})})
    if ran.code:
        raise toolbox.broken("the command under the profiler", ran)
    return ran


def top_functions(profile: Path, root: Path) -> list[HotSpot]:
    """Functions below `root` by the share of a cProfile file's time that they and the foreign code they call take.

    Raises `Refusal` when the program left no profile.
    """
    import pstats

    try:
        stats: dict[Any, Any] = pstats.Stats(str(profile)).stats  # type: ignore[attr-defined]
    except (OSError, TypeError, ValueError, EOFError) as error:
        raise Refusal(f"the program left no profile ({error}), expected one; let it end by itself") from None
    total = sum(row[2] for row in stats.values()) or 1.0
    spent = {key: row[2] for key, row in stats.items() if _is_own(str(root / key[0]), root) and key[0][:1] not in "<~"}
    for key, row in stats.items():
        for caller, cost in row[4].items() if key not in spent else ():
            if caller in spent:
                spent[caller] += cost[2]
    return _ordered(HotSpot(100 * own / total, _placed(key, root)) for key, own in spent.items())


def _placed(key: tuple[str, int, str], root: Path) -> str:
    """`parse_line src/a.py:12`."""
    path, line, name = key
    return f"{'top level' if name == '<module>' else name} {toolbox.relative(root / path, root)}:{line}"


def _is_own(path: str, root: Path) -> bool:
    inside = path.startswith(f"{root}/")
    return inside and not re.search(r"/(?:site-packages|node_modules|\.venv|venv)/", path[len(str(root)) :])


def _ordered(spots: Any) -> list[HotSpot]:
    """The largest first; what is below half a per cent says nothing."""
    return sorted((spot for spot in spots if spot.share >= 0.5), key=lambda spot: (-spot.share, spot.name))[:20]


def _by_cpu_prof(request: Request, line: str) -> list[HotSpot]:
    """Every Node process that the line starts is profiled: a `node` of ours stands before the real one on PATH."""
    import os

    node = toolbox.need("node", request.root, "Node.js")
    with tempfolder.folder("profile") as folder:
        shim, out = Path(folder, "bin", "node"), Path(folder, "out")
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec {shlex.quote(node)} --cpu-prof --cpu-prof-dir={shlex.quote(str(out))} "$@"\n')
        shim.chmod(0o755)
        _run(request, line, {"PATH": f"{shim.parent}{os.pathsep}{os.environ.get('PATH', '')}"})
        profiles = [jsontext.loads(toolbox.read(path)) for path in sorted(out.glob("*.cpuprofile"))]
    if not profiles:
        raise Refusal("the command started no node by that name, expected one; name node itself in --profile")
    return node_functions(profiles, request.root)


def node_functions(profiles: Sequence[Any], root: Path) -> list[HotSpot]:
    """Functions below `root` by their share of the samples in V8 profiles, those of foreign code they call included."""
    sums: dict[str, float] = {}
    for profile in profiles:
        nodes = {node["id"]: node for node in profile["nodes"]}
        parents = {child: node["id"] for node in profile["nodes"] for child in node.get("children", ())}
        for sample, micros in zip(profile.get("samples", ()), profile.get("timeDeltas", ())):
            name = _owner(int(sample), nodes, parents, root)
            if name != _OUTSIDE:
                sums[name] = sums.get(name, 0) + float(micros)
    total = sum(sums.values()) or 1.0
    found = _ordered(HotSpot(100 * spent / total, name) for name, spent in sums.items())
    return found if set(sums) - {_COLLECTOR} else []


def _owner(number: int, nodes: Mapping[int, Any], parents: Mapping[int, int], root: Path) -> str:
    """The project's function that a sample belongs to, else the engine's own name for it in brackets."""
    at: int | None = number
    while at is not None and at in nodes:
        frame = nodes[at]["callFrame"]
        path = str(frame["url"]).partition("file://")[2] or str(frame["url"])
        if _is_own(path, root):
            called = frame["functionName"] or "top level"
            return f"{called} {toolbox.relative(path, root)}:{int(frame['lineNumber']) + 1}"
        at = parents.get(at)
    name = str(nodes[number]["callFrame"]["functionName"]) if number in nodes else ""
    return _COLLECTOR if name == f"({_COLLECTOR})" else _OUTSIDE


def _by_perf(request: Request, line: str) -> list[HotSpot]:

    perf = toolbox.need("perf", request.root, "linux-perf, or profile otherwise")
    with tempfolder.folder("profile") as folder:
        data = shlex.quote(str(Path(folder, "perf.data")))
        _run(request, f"{shlex.quote(perf)} record -q -o {data} -- sh -c {shlex.quote(line)} >&2")
        shown = _run(request, f"{shlex.quote(perf)} report -q -i {data} --stdio --no-children --percent-limit 0.5")
    rows = (_PERF_LINE.match(row) for row in shown.out.splitlines())
    found = [HotSpot(float(row[1]), f"{row[3]} {row[2].rpartition('/')[2]}") for row in rows if row]
    if not found:
        raise toolbox.broken("perf", shown)
    return _ordered(found)
