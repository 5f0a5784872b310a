"""Servers under test: started on free ports, asked over sockets in turns, ended with all they started."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..kernel.core.errors import Refusal
from ..kernel.core.text import one_line
from ..kernel.run import tempfolder
from ..kernel.system import process
from . import toolbox
from .counted import Counted
from .toolbox import Request

_WARM = 20  # requests before the first that counts
_FEWEST, _MOST = 60, 300  # requests that count, where --runs does not say
_WAIT = 30.0  # seconds that a server may take to answer for the first time


@contextlib.contextmanager
def servers(request: Request, command: str, folders: Sequence[Path]) -> Iterator[list[int]]:
    """Start one server a folder; yields their ports, each of which answers the first path."""
    import secrets

    mark = secrets.token_hex(8)
    with tempfolder.folder("check") as logs:
        try:
            yield [_start(request, command, folder, Path(logs), mark) for folder in folders]
        finally:
            process.end_marked(mark, 2.0)


def _start(request: Request, command: str, folder: Path, logs: Path, mark: str) -> int:
    port = _free_port()
    log = logs / f"{port}.log"
    line = ["/bin/sh", "-c", command.replace("{port}", str(port))]
    env = {"PORT": str(port), "PYTHONPATH": toolbox.python_path(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    child = process.start_detached(line, folder, env, process.Streams(None, log, log), mark)
    deadline = time.monotonic() + _WAIT
    while time.monotonic() < deadline and child.poll() is None:
        with contextlib.suppress(OSError):
            ask(port, request.operands[0], headers(request))
            return port
        time.sleep(0.05)
    said = one_line(" | ".join(log.read_text("utf-8", "replace").strip().splitlines()[-4:]), 300)
    raise Refusal(
        f"the server does not answer on port {port}, expected it to listen there; it said: {said or 'nothing'}"
    )


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def headers(request: Request) -> dict[str, str]:
    """The headers of `--header`; raises `Refusal` for one that is none."""
    found = [line.partition(":") for line in request.get("header", [])]
    for name, colon, _ in found:
        if not colon or not re.fullmatch(r"[\w-]+", name):
            raise Refusal(f"{one_line(name, 60)!r} is no header, expected 'Name: value'; correct --header")
    return {name: os.path.expandvars(value.strip()) for name, _, value in found}


def ask(port: int, path: str, sent: Mapping[str, str]) -> tuple[float, int, bytes]:
    """One GET request over a new connection: milliseconds, status, body. Raises OSError when nobody listens."""
    import http.client

    start = time.perf_counter()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=_WAIT)
    try:
        link.request("GET", path, headers=dict(sent))
        answer = link.getresponse()
        body = answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP answer: {error!r}") from None
    finally:
        link.close()
    return (time.perf_counter() - start) * 1000, answer.status, body


def measure(ports: Sequence[int], request: Request) -> Counted:
    """Ask every server for every path in turns; a status other than 200, or answers that differ, are refused."""
    import hashlib

    paths, sent = request.operands, headers(request)
    requests = int(request.get("runs", 0)) or _enough(ports[0], request)
    times: list[list[float]] = [[] for _ in ports]
    digest = hashlib.sha256()
    for turn in range(_WARM + requests):
        path = paths[turn % len(paths)]
        bodies = set()
        for spent, port in zip(times, ports):
            milliseconds, status, body = ask(port, path, sent)
            if status != 200:
                raise Refusal(f"GET {path} answers {status}, expected 200; it said: {one_line(str(body[:200]), 200)}")
            bodies.add(_steady(body))
            spent += [milliseconds] if turn >= _WARM else []
        if len(bodies) > 1:
            raise Refusal(f"GET {path} answers otherwise than the reference, expected the same; compare the answers")
        if turn < len(paths):
            digest.update(bodies.pop())
    return _told([sorted(spent) for spent in times], int(digest.hexdigest()[:12], 16))


def _enough(port: int, request: Request) -> int:
    """How many requests are asked: two seconds of them, within what a 99th percentile and patience take."""
    spent = sorted(ask(port, path, headers(request))[0] for path in (*request.operands, *request.operands))
    return max(_FEWEST, min(_MOST, int(2000 / max(spent[len(spent) // 2], 0.1))))


def _steady(body: bytes) -> bytes:
    """The body without times of day, which differ in every answer."""
    return re.sub(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*", b"", body)


def _told(times: Sequence[list[float]], output: int) -> Counted:
    middle = [spent[len(spent) // 2] for spent in times]
    numbers = {"p50_ms": middle[0], "p99_ms": times[0][int(len(times[0]) * 0.99)]}
    if len(times) > 1:
        numbers.update(reference_p50_ms=middle[1], percent=100 * middle[0] / middle[1])
    return Counted({**numbers, "output": output})
