"""What work costs: a callable, a command, a start, a build, memory, answers over HTTP. In turns with what it is
compared with, so that drift of the machine hits both."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.run import tempfolder
from . import gocall, reference, toolbox
from .counted import Counted
from .toolbox import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_LEAST = 0.002  # milliseconds of a call below which the call itself is what is timed
_TINY = "one call takes under 2 microseconds: a longer input, or a loop of calls, tells more"


def python_call(request: Request) -> Counted:
    """Processor milliseconds of one Python call (`--wall`: by the clock), warmed up, in a fresh process."""
    return _call(request, toolbox.python(request), "callable.py")


def node_call(request: Request) -> Counted:
    """Milliseconds of one JavaScript call, awaited where it returns a promise, warmed up, in a fresh process."""
    node = toolbox.look("node", request.root)
    if not node:
        raise Refusal("node is not installed here, expected it on PATH; install Node.js")
    return _call(request, node, "callable.cjs")


def _call(request: Request, runtime: str, program: str) -> Counted:
    spec = {
        "code": request.command(),
        "setup": request.get("setup", ""),
        "repeats": int(request.get("runs", 7)),
        "wall": bool(request.options.get("wall")),
    }
    folders = [request.root, *reference.copies(request)]
    rounds: list[list[Any]] = [[] for _ in folders]
    for _ in range(3 if len(folders) > 1 else 1):
        for rows, folder in zip(rounds, folders):
            rows.append(toolbox.inside(request, runtime, program, spec, folder))
    outputs = {row["output"] for rows in rounds for row in rows}
    if len(outputs) > 1:
        raise Refusal(
            "the output differs from run to run, or from that of the reference, expected the same each time; "
            "fix seeds and leave times out of what the code returns, or see whether the answer became wrong"
        )
    times = [float(min(row["ms"] for row in rows)) for rows in rounds]
    notes = (f"output {rounds[0][0]['shown']}", *([_TINY] if max(times) < _LEAST else []))
    return Counted({**_compared("ms", times), "output": int(outputs.pop()[:12], 16)}, (), notes)


def _compared(name: str, values: Sequence[float]) -> dict[str, float]:
    """A value, and beside it that of the reference and their ratio in per cent."""
    if len(values) == 1:
        return {name: values[0]}
    return {name: values[0], f"reference_{name}": values[1], "percent": 100 * values[0] / values[1]}


def _median(values: Iterable[float]) -> float:
    import statistics

    return statistics.median(values)


def command(request: Request) -> Counted:
    """Processor milliseconds of one command and all it starts (`--wall`: by the clock), the median of `--runs`; with
    `--against REV` in turns with the same command in a copy of that commit."""
    folders = [request.root, *reference.copies(request)]
    runs = int(request.get("runs", 5))
    spent: list[list[float]] = [[] for _ in folders]
    with _compiled() as env:
        for turn in range(runs + 1):  # the first warms up
            for values, folder in zip(spent, folders):
                cost = _cost(request, request.command(), folder, env)
                values += [cost] if turn else []
    return Counted(_compared("ms", [_median(values) for values in spent]))


@contextmanager
def _compiled() -> Iterator[Mapping[str, str]]:
    """Variables by which Python keeps what it compiles, outside the project: who installed it compiles it once."""
    with tempfolder.folder("check") as made:
        yield {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(made)}


def _cost(request: Request, line: str, folder: Path, env: Mapping[str, str]) -> float:
    """Milliseconds of one run, children included; raises `Refusal` when it fails."""
    before = _used()
    ran = toolbox.shell(line, request, {"PYTHONPATH": toolbox.python_path(folder), **env}, folder)
    if ran.code:
        raise toolbox.broken("the command", ran)
    return 1000 * (ran.seconds if request.options.get("wall") else _used() - before)


def _used() -> float:
    """Processor seconds of everything that has ended under us."""
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def gobench(request: Request) -> Counted:
    """Processor nanoseconds of one operation of a Go benchmark (`--wall`: by the clock), the least of `--runs`. Each
    side is built once; with `--against REV` they run in turns, a fixed number of operations each.

    What comes before the operations is measured apart. Its operations take about half a second at most, or are four;
    without --runs there are ten, or as many as fit into eight seconds, three at least.
    """
    if not request.operands:
        raise Refusal(
            "no benchmark is named, expected e.g. gobench Parse ./parser for BenchmarkParse, or a call as "
            "its package writes it: gobench 'v.Match(\"a\", 3)' ./ --setup 'v := New()'; name one"
        )
    with tempfolder.folder("check") as made:
        folders = [request.root, *reference.copies(request)]
        sides = [_go_side(request, folder, Path(made, f"{n}.test")) for n, folder in enumerate(folders)]
        shortest = [[_go_run(request, side, _FEWEST) for _ in range(2)] for side in sides]
        starts = [min(run.cpu for run in runs) for runs in shortest]
        times, took = _go_times(request, sides[0], min(shortest[0], key=lambda run: run.took))
        fitting = max(3, min(10, int(_ALL / (took * len(sides)))))
        spent: list[list[float]] = [[] for _ in sides]
        for _ in range(int(request.get("runs", fitting))):
            for values, side, start in zip(spent, sides, starts):
                run = _go_run(request, side, times)
                each = max(run.cpu - start, 0.0) / (times - _FEWEST)
                values.append(run.each if request.options.get("wall") else each)
        told = _go_answers(request, sides) if gocall.is_call(request.operands[0]) else {}
    if not all(map(min, spent)):
        raise Refusal("the benchmark is too short for the processor's clock, expected more work in it; pass --wall")
    return Counted({**_compared("ns", [min(values) for values in spent]), **told})


_FEWEST = 2  # operations of the run that shows what comes before them: the harness makes one, then so many
_ALL = 8.0  # seconds that all runs take where nobody said how many
_WORK = 1e8  # nanoseconds for which the processor is to be at work in a run


def _go_times(request: Request, side: tuple[Path, Path], start: _GoRun) -> tuple[int, float]:
    """How many operations a run makes, and the seconds that it takes: so many that the processor is at work for a
    tenth of a second, fewer where that takes over half a second by the clock. Tried in steps, for a benchmark that
    prepares each operation outside its timer would be given far too many by Go itself."""
    times = 2 * _FEWEST
    while True:
        run = _go_run(request, side, times)
        enough, took = _WORK / max(run.cpu - start.cpu, 1.0), max(run.took - start.took, 1e-3)
        if enough < 1.5 or took > 0.3 or times >= 10**9:
            return times, run.took
        times = max(int(times * min(enough, 0.5 / took, 30.0)), times + 1)


@dataclass(frozen=True)
class _GoRun:
    """Processor nanoseconds of a whole run, nanoseconds of one operation by Go's clock, and seconds of the run."""

    cpu: float
    each: float
    took: float


def _go_side(request: Request, folder: Path, binary: Path) -> tuple[Path, Path]:
    """The benchmark's test program, built, and the folder of its package."""
    operand = request.operands[0]
    if gocall.is_call(operand):
        place = (folder / (request.operands[1] if len(request.operands) > 1 else ".")).resolve()
        return _go_given(request, gocall.GivenCall(operand, request.get("setup", "")), place, binary)
    tool = toolbox.find("go", request, toolbox.GO)
    ran = toolbox.run([tool, "list", "-f", "{{.Dir}}", *(request.operands[1:] or ("./...",))], request, cwd=folder)
    wanted = re.compile(rf"^func Benchmark{re.escape(request.operands[0].partition('/')[0])}\(", re.MULTILINE)
    places = [
        Path(line)
        for line in ran.out.splitlines()
        if any(wanted.search(toolbox.read(path)) for path in Path(line).glob("*_test.go"))
    ]
    if ran.code or len(places) != 1:
        raise Refusal(
            f"Benchmark{request.operands[0]} is in {len(places)} packages, expected one; name it and its package; "
            f"go list said: {ran.complaint()}"
        )
    return _go_built(request, binary, places[0], [])


def _go_given(request: Request, call: gocall.GivenCall, place: Path, binary: Path) -> tuple[Path, Path]:
    """The program of a call that the package holds no benchmark of; the compiler says how many results it has."""
    plan = call.overlay(place, binary.parent / f"{binary.stem}-given", 1)
    ran = _go_build(request, binary, place, [f"-overlay={plan}"])
    many = gocall.results(ran.err + ran.out, call.code) if ran.code else 0
    if not many:
        return _go_made(ran, binary, place)
    plan = call.overlay(place, binary.parent / f"{binary.stem}-given", many)
    return _go_built(request, binary, place, [f"-overlay={plan}"])


def _go_built(request: Request, binary: Path, place: Path, more: Sequence[str]) -> tuple[Path, Path]:
    """The test program of the package in a folder, built, and that folder."""
    return _go_made(_go_build(request, binary, place, more), binary, place)


def _go_build(request: Request, binary: Path, place: Path, more: Sequence[str]) -> toolbox.Ran:
    tool = toolbox.find("go", request, toolbox.GO)
    return toolbox.run([tool, "test", "-vet=off", *more, "-c", "-o", str(binary), "."], request, cwd=place)


def _go_made(ran: toolbox.Ran, binary: Path, place: Path) -> tuple[Path, Path]:
    if ran.code or not binary.is_file():
        raise toolbox.broken("go test -c", ran)
    return binary, place


def _go_run(request: Request, side: tuple[Path, Path], times: int) -> _GoRun:
    """One run of so many operations."""
    binary, folder = side
    name = gocall.NAME if gocall.is_call(request.operands[0]) else re.escape(request.operands[0])
    argv = [str(binary), "-test.run=^$", f"-test.bench=^Benchmark{name}$", f"-test.benchtime={times}x"]
    before = _used()
    ran = toolbox.run(argv, request, cwd=folder)
    cpu = 1e9 * (_used() - before)
    found = re.findall(r"^Benchmark\S+\s+\d+\s+([\d.]+) ns/op", ran.out, re.MULTILINE)
    if ran.code or len(found) != 1:
        raise Refusal(f"{len(found)} results of Benchmark{name}, expected one; it said: {ran.complaint()}")
    return _GoRun(cpu, float(found[0]), ran.seconds)


def _go_answers(request: Request, sides: Sequence[tuple[Path, Path]]) -> dict[str, int]:
    """What a given call answers, as a number that is the same for the same answer; raises `Refusal` where the sides
    differ."""
    import hashlib

    argv = ["-test.run=^$", f"-test.bench=^Benchmark{gocall.NAME}$", "-test.benchtime=1x"]
    runs = [toolbox.run([str(binary), *argv], request, cwd=folder) for binary, folder in sides]
    said = {"".join(re.findall(r"^answer .*$", ran.err, re.MULTILINE)[:1]) for ran in runs}
    said = {re.sub(r"\b0xc[0-9a-f]{6,}\b", "a place", text) for text in said}  # where a value lies is no answer
    if len(said) != 1:
        raise Refusal("the call answers otherwise than that of the reference, expected the same; see what became wrong")
    return {"output": int(hashlib.sha256(said.pop().encode()).hexdigest()[:12], 16)}


def startup(request: Request) -> Counted:
    """What a start adds to an empty one of the same interpreter, in processor milliseconds: the median of pairs.

    The operand is code; `--ending .js` runs it by Node instead of Python.
    """
    import shlex

    node = any("js" in ending for ending in request.get("ending", []))
    runtime = [toolbox.look("node", request.root) or "node", "-e"] if node else [toolbox.python(request), "-c"]
    lines = [" ".join(map(shlex.quote, [*runtime, code])) for code in (request.command(), "0")]
    with _compiled() as env:
        _cost(request, lines[0], request.root, env)  # compiles what is not compiled yet
        rounds = range(int(request.get("runs", 9)))
        pairs = [[_cost(request, line, request.root, env) for line in lines] for _ in rounds]
    return Counted({"ms": _median(full - empty for full, empty in pairs)})


def memory(request: Request) -> Counted:
    """Peak resident memory in KiB of the largest process of one command."""
    import resource
    import sys

    ran = toolbox.shell(request.command(), request, {"PYTHONPATH": toolbox.python_path(request.root)})
    if ran.code:
        raise toolbox.broken("the command", ran)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return Counted({"peak_kib": peak // 1024 if sys.platform == "darwin" else peak})


def build(request: Request) -> Counted:
    """Seconds by the clock that a build takes, and its processor seconds; `--clean CMD` runs before each."""
    seconds, cpu = [], []
    for _ in range(int(request.get("runs", 1))):
        clean = request.options.get("clean")
        if clean:
            toolbox.done(str(clean), request, "--clean")
        start = time.perf_counter()
        counting = Request(request.root, (), {**request.options, "wall": None})
        cpu.append(_cost(counting, request.command(), request.root, {}))
        seconds.append(time.perf_counter() - start)
    return Counted({"seconds": _median(seconds), "cpu_seconds": _median(cpu) / 1000})


def http(request: Request) -> Counted:
    """Milliseconds of a GET request to a real server over a socket: the middle and the slow end of `--runs`, 60 to 300.

    Operands are paths; `--serve CMD` starts the server, which finds its port as `{port}` in the command and as PORT.
    With `--against REV` a second server, from a copy of that commit, is asked in turns and must answer the same.
    """
    serve = request.options.get("serve")
    if not serve or not request.operands:
        raise Refusal("--serve CMD and a path are needed, expected e.g. http /items --serve 'python3 app.py {port}'")
    from . import web

    folders = [request.root, *reference.copies(request)]
    with web.servers(request, str(serve), folders) as found:
        return web.measure(found, request)


def seeds(request: Request) -> Counted:
    """Mean loss of one command over `--seeds`, `{seed}` in it replaced: training that is repeated, not lucky."""
    from decimal import Decimal

    from ..kernel.core import numbers
    from ..reading import printed

    line, chosen = request.command(), str(request.get("seeds", "1 2 3")).replace(",", " ").split()
    if "{seed}" not in line:
        raise Refusal("the command has no {seed}, expected one, so that each run differs; put it where the seed goes")
    losses = []
    for seed in chosen:
        ran = toolbox.shell(line.replace("{seed}", seed), request, {"PYTHONPATH": toolbox.python_path(request.root)})
        if ran.code:
            raise toolbox.broken(f"the run with seed {seed}", ran)
        reading = printed.extract(ran.out, printed.Source(name=str(request.get("name", "loss"))))
        if reading.value is None:
            raise Refusal(
                f"the run with seed {seed} gives no loss: {reading.problem}, expected METRIC loss=…; print it once"
            )
        losses.append(reading.value)
    mean = numbers.plain((sum(losses, Decimal(0)) / len(losses)).quantize(Decimal("0.00000001")))
    return Counted({"loss": Decimal(mean), "worst": max(losses), "best": min(losses), "seeds": len(losses)})
