"""Scripts run in forks of an interpreter that has everything imported: most of what a short script costs is its start.

    with Forks(scripts) as forks: forks.run(command, cwd, text, env, seconds)

Each run is a process of its own, a session leader with the arguments, folder, environment and streams that are asked
for, and it runs the script's file; only `python3` and the imports are not done again. `fits` says which runs can be
had that way: where an interpreter would start in another way, it is started.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROOM = 32_768  # bytes that a pipe takes without a reader
_KNOWN = ("PYTHONPYCACHEPREFIX",)


def fits(command: Sequence[str], env: Mapping[str, str], text: str) -> bool:
    """Whether the interpreter of this run would start as that of the forks did."""
    plain = not any(name.startswith("PYTHON") and name not in _KNOWN for name in env) and env.get("LC_ALL") == "C.UTF-8"
    return (
        sys.platform.startswith("linux")
        and plain
        and command[0] == sys.executable
        and command[1].endswith(".py")
        and len(text) < _ROOM
    )


class Forks:
    """The interpreter from which scripts are forked; it ends with this process."""

    def __init__(self, scripts: Path) -> None:
        """Start it with all that is in this folder."""
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {name: os.environ[name] for name in ("PATH", *_KNOWN) if name in os.environ}
        self._child = subprocess.Popen(
            [sys.executable, __file__, str(scripts), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            env={**environment, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        assert self._door.recv(5) == b"ready"

    def close(self) -> None:
        """End it."""
        self._door.close()
        self._child.wait()

    def run(
        self, command: Sequence[str], cwd: Path, text: str, env: Mapping[str, str], seconds: float
    ) -> tuple[int, bytes, bytes]:
        """Exit code (negative: the signal), stdout and stderr; past the time its group is killed and it raises."""
        pipes = [os.pipe() for _ in range(3)]
        with open(pipes[0][1], "wb") as into, open(pipes[1][0], "rb") as out, open(pipes[2][0], "rb") as err:
            link, end = socket.socketpair(socket.AF_UNIX)
            theirs = [end.detach(), pipes[0][0], pipes[1][1], pipes[2][1]]
            socket.send_fds(self._door, [b"!"], theirs)
            for handle in theirs:
                os.close(handle)
            job = json.dumps([command[1:], str(cwd), dict(env)]).encode("utf-8", "surrogateescape")
            link.sendall(len(job).to_bytes(4, "big") + job)
            into.write(text.encode())
            into.close()
            return self._result(link, [_Reader(out), _Reader(err)], seconds)

    @staticmethod
    def _result(link: socket.socket, readers: Sequence[_Reader], seconds: float) -> tuple[int, bytes, bytes]:
        with link, link.makefile() as told:
            pid = int(told.readline())
            try:
                link.settimeout(seconds)
                code = int(told.readline())
                out, err = (reader.text(seconds) for reader in readers)
            except BaseException:
                os.killpg(pid, signal.SIGKILL)
                raise
        return code, out, err


class _Reader(threading.Thread):
    """Reads a stream to its end, whoever holds it."""

    def __init__(self, stream: object) -> None:
        super().__init__(daemon=True)
        self._stream, self._found = stream, b""
        self.start()

    def run(self) -> None:
        """Read."""
        self._found = self._stream.read()  # type: ignore[attr-defined]

    def text(self, seconds: float) -> bytes:
        """All of it."""
        self.join(seconds)
        if self.is_alive():
            raise subprocess.TimeoutExpired("a process that holds the output", seconds)
        return self._found


def _import_all(scripts: str) -> None:
    import gc
    import importlib
    import pkgutil

    sys.path[0] = scripts
    package = importlib.import_module("autoresearch")
    for module in pkgutil.walk_packages(package.__path__, "autoresearch."):
        if not module.name.startswith("autoresearch.checks.inside"):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def _serve(door: socket.socket) -> tuple[list[str], str, dict[str, str]]:
    """Answer until the tests end; returns in the fork that is to run a script, with what it is to run."""
    door.sendall(b"ready")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a keeper
    while True:
        said, handles, _, _ = socket.recv_fds(door, 1, 4)
        if not said:
            raise SystemExit
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            door.close()
            return _keep(socket.socket(fileno=handles[0]), handles[1:])
        for handle in handles:
            os.close(handle)


def _keep(link: socket.socket, handles: Sequence[int]) -> tuple[list[str], str, dict[str, str]]:
    """Read one job, fork, tell pid and end of the fork; returns in the fork."""
    with link.makefile("rb") as told:
        argv, cwd, env = json.loads(told.read(int.from_bytes(told.read(4), "big")).decode("utf-8", "surrogateescape"))
    pid = os.fork()
    if pid:
        for handle in (*handles, 0, 1, 2):
            os.close(handle)
        link.sendall(b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        link.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    link.close()
    os.setsid()
    for number, handle in enumerate(handles):
        os.dup2(handle, number)
        os.close(handle)
    return argv, cwd, env


def _run(argv: list[str], cwd: str, env: dict[str, str]) -> None:
    """Be the script, and end as an interpreter ends; what is not quite usual is left to the interpreter itself."""
    import atexit
    import random
    import runpy

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    random.seed()
    sys.argv[:] = argv
    try:
        runpy.run_path(argv[0], run_name="__main__")
        code: object = 0
    except SystemExit as end:
        code = 0 if end.code is None else end.code
    if not isinstance(code, int) or threading.active_count() > 1:
        raise SystemExit(code)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code & 0xFF)


if __name__ == "__main__":
    _import_all(sys.argv[1])
    _run(*_serve(socket.socket(fileno=int(sys.argv[2]))))
