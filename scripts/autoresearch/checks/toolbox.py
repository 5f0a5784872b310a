"""Finds a project's own tools and runs them: virtual environment and node_modules first, then PATH."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line
from ..kernel.run import tempfolder
from ..kernel.system import process
from . import toolplace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GO = "see go.dev/doc/install"  # where Go is to be had
INSIDE = Path(__file__).resolve().parent / "inside"  # programs that run in the project's own interpreter
_BINS = (*(f"{name}/bin" for name in toolplace.ENVIRONMENTS), "node_modules/.bin", "vendor/bin")
_SKIPPED = frozenset(("node_modules", "__pycache__", "site-packages", "vendor", "target", "dist", "build"))
_ROOM = 256 * 1024 * 1024  # bytes of output that a tool may print, all of them kept
_ERROR = re.compile(r"(?i)\b\w*(?:error|exception|fatal)\b|^(?:FAILED|E  )|panicked at|not found$")
_STRONG = re.compile(r"^(?:E  |FAILED\b|(?i:error)\b|[\w.]*(?:Error|Exception)\b:)|\berror(?:\[|:| TS)|panicked at")
_WARNING = re.compile(r"(?m)^(?:.*Warning\b|warning\b).*(?:\n[ \t]+\S.*)*")  # with the source that it quotes
_TOLD = 300  # characters of a tool's complaint that a refusal quotes


@dataclass(frozen=True)
class Request:
    """One call of a check: the project's folder, the operands, and the options by name (None: not given)."""

    root: Path
    operands: tuple[str, ...]
    options: Mapping[str, Any]

    def get(self, name: str, default: Any) -> Any:
        """The option, or the default where it was not given."""
        value = self.options.get(name)
        return default if value is None else value

    @property
    def timeout(self) -> float:
        """Seconds that one program may take."""
        return float(self.get("timeout", 1800))

    def paths(self) -> list[Path]:
        """The operands as existing paths (default: the project); raises `Refusal` for one that is not there."""
        found = [self.root / operand for operand in self.operands or (".",)]
        for path in found:
            if not path.exists():
                raise Refusal(f"{path} is not there, expected a file or folder of the project; name one that is")
        return found

    def command(self) -> str:
        """The one operand that is a shell command; raises `Refusal` when there is not exactly one."""
        if len(self.operands) != 1:
            raise Refusal(f"{len(self.operands)} operands given, expected one: quote the whole command or code as one")
        return self.operands[0]


@dataclass(frozen=True)
class Ran:
    """What a tool left: its exit code and its output."""

    code: int
    out: str
    err: str
    seconds: float

    def complaint(self) -> str:
        """What the tool said: its first lines that speak of an error, else its last ones, on one line. A warning is
        quoted only where there is nothing else."""
        streams = [[line.strip() for line in text.splitlines() if line.strip()] for text in (self.err, self.out)]
        plain = [_WARNING.sub("", text) for text in (self.err, self.out)]
        told = [[line.strip() for line in text.splitlines() if line.strip()] for text in plain]
        errors = [
            found
            for pattern in (_STRONG, _ERROR)
            for lines in told
            if (found := [line for line in lines if pattern.search(line)][:3])
        ]
        last = [lines[-4:] for lines in (*told, *streams) if lines]
        return one_line(" | ".join(next(iter([*errors, *last]), [])), _TOLD) or "nothing"

    def json(self, tool: str) -> Any:
        """Stdout as JSON; raises `Refusal` when it is none."""
        return as_json(self.out, tool, self)


def as_json(text: str, tool: str, ran: Ran) -> Any:
    """A tool's JSON; raises `Refusal` with the tool's own complaint when it is none."""
    try:
        return jsontext.loads(text)
    except ValueError:
        raise broken(tool, ran) from None


def broken(tool: str, ran: Ran) -> Refusal:
    """The refusal for a tool that did not do its work."""
    return Refusal(
        f"{tool} did not finish (exit code {ran.code}), expected a program that can be measured; it said: "
        f"{ran.complaint()}"
    )


def find(name: str, request: Request, install: str) -> str:
    """The path of a program: `--tool`, the project's environments, ours, PATH. Raises `Refusal` with `install`, a
    package or a command as in `toolplace.command`."""
    given = request.options.get("tool")
    found = str(given) if given else look(name, request.root)
    if not found:
        raise absent(name, request, install)
    return found


def absent(name: str, request: Request, install: str) -> Refusal:
    """The refusal for a program or module that is not there."""
    return Refusal(
        f"{name} is not installed here, expected it in .venv, node_modules or on PATH; ask the user, then: "
        f"{toolplace.command(request.root, [install])}"
    )


def look(name: str, root: Path) -> str:
    """Where a program of this name is, "" for nowhere."""
    from shutil import which

    own = [os.path.join(os.environ["VIRTUAL_ENV"], "bin")] if os.environ.get("VIRTUAL_ENV") else []
    local = [str(home / folder) for home in toolplace.homes(root) for folder in _BINS]
    places = [*local, *own, *toolplace.bins(root), str(Path(sys.executable).parent)]
    return which(name, path=os.pathsep.join(places)) or which(name) or ""


def need(name: str, root: Path, install: str) -> str:
    """Where a program is that nothing stands in for. Raises `Refusal` with what to `install`."""
    found = look(name, root)
    if not found:
        raise Refusal(f"{name} is not installed here, expected it on PATH; install {install}")
    return found


def python(request: Request) -> str:
    """The interpreter that runs the project's code: `--python`, its virtual environment's, or the one on PATH."""
    return str(request.options.get("python") or look("python3", request.root) or sys.executable)


def run(argv: Sequence[str], request: Request, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """Run one program; see `shell`."""
    return shell(" ".join(map(shlex.quote, argv)), request, env, cwd)


def shell(command: str, request: Request, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """Run a shell command to its end. Raises `Refusal` when a signal or the time limit ended it."""
    import secrets

    limits = process.Limits(total=_ROOM, head=_ROOM)
    quiet = {"NO_COLOR": "1", "FORCE_COLOR": "0", "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    done = process.run_shell(command, cwd or request.root, request.timeout, quiet, secrets.token_hex(8), limits)
    out, err = (part.decode("utf-8", "replace") for part in (done.stdout, done.stderr))
    if done.timed_out or done.exit_code is None or done.overflowed:
        why = f"took over {request.timeout:g} s" if done.timed_out else f"was ended by signal {done.signal}"
        raise Refusal(f"{one_line(command, 200)} {why}, expected it to end by itself; see --timeout")
    return Ran(done.exit_code, out, err, done.duration)


def done(command: str, request: Request, what: str) -> Ran:
    """Run a shell command that must succeed; raises `Refusal` where it did not."""
    ran = shell(command, request)
    if ran.code:
        raise broken(what, ran)
    return ran


def inside(request: Request, runtime: str, program: str, spec: Mapping[str, Any], cwd: Path | None = None) -> Any:
    """Run one of the `inside` programs in the project's interpreter and return the JSON it wrote to a file.

    `spec` is what it is to do. Raises `Refusal` with the program's complaint when it wrote nothing.
    """
    with tempfolder.folder("check") as folder:
        answer = Path(folder, "answer.json")
        argv = [runtime, str(INSIDE / program), jsontext.dumps({**spec, "answer": str(answer)})]
        ran = run(argv, request, {"PYTHONPATH": python_path(cwd or request.root)}, cwd)
        if ran.code or not answer.is_file():
            raise broken("the program under test", ran)
        return as_json(answer.read_text("utf-8"), program, ran)


def python_path(folder: Path) -> str:
    """The project's own modules come before an installed copy of them."""
    source = str(folder / "src") if (folder / "src").is_dir() else ""
    return os.pathsep.join(filter(None, (source, str(folder), os.environ.get("PYTHONPATH", ""))))


def sources(request: Request, *endings: str) -> list[Path]:
    """The project's files with these endings below the operands, sorted; raises `Refusal` when there is none."""
    found = [path for top in request.paths() for path in below(top) if path.name.endswith(endings)]
    if not found:
        raise Refusal(f"no {' or '.join(endings)} file below {', '.join(request.operands or ('.',))}, expected some")
    return sorted(set(found))


def below(top: Path) -> Iterator[Path]:
    """All files in a folder, without those of packages, builds and environments; a file alone is itself."""
    if top.is_file():
        yield top
        return
    for folder, names, files in os.walk(top):
        names[:] = sorted(n for n in names if n not in _SKIPPED and not n.startswith(".") and not _venv(folder, n))
        yield from (Path(folder, name) for name in files)


def _venv(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))


def stamps(paths: Iterable[Path]) -> dict[Path, int]:
    """When each of the files was last written, in nanoseconds."""
    return {path: path.stat().st_mtime_ns for path in paths if path.is_file()}


def read(path: Path) -> str:
    """A source file's text; bytes that are no UTF-8 are replaced."""
    return path.read_text("utf-8", "replace")


def relative(path: str | Path, root: Path) -> str:
    """A path as findings show it: relative to the project where it lies inside."""
    full = Path(os.path.normpath(root / path))
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else full.as_posix()
