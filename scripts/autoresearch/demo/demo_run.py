"""The demo: a scratch repository, a real background run in it, a scripted agent that does the work.

Everything goes through the entry scripts, as child processes, so what is shown is what a user gets.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from ..background import runtime_file
from ..cli import outputs
from ..kernel.core import jsontext
from ..kernel.core.errors import Refusal
from ..kernel.core.text import one_line
from ..kernel.disk.layout import SKILL_ROOT, Layout, entry, standard
from ..kernel.run import context
from ..kernel.system import gitcall, interrupts, process
from ..kernel.system.git import Repo
from .follow import RunFollower

ASSETS = SKILL_ROOT / "assets" / "demo"
GOAL = "concord reports on a code base; run fewer lines of Python for one report"
LIMIT = 120.0  # seconds that one command of the demo may take
TICK = 0.05
GRACE = 10.0  # seconds that a command gets to undo what it had begun
# The user's might change the files, and then the prepared edits would not find what they are to replace.
OWN_SETTINGS = (("core.autocrlf", "false"), ("apply.whitespace", "nowarn"))
CODEX_TRIALS = 6
SESSIONS = 3  # enough for the scripted agent to make all of its edits

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Stage:
    """Where a demo plays: its folder, the scratch repository in it, and the mark of its processes."""

    folder: Path
    codex: bool
    mark: str

    @property
    def repo(self) -> Path:
        """The scratch repository."""
        return self.folder / "concord"

    @property
    def layout(self) -> Layout:
        """The run's artifacts."""
        return standard(self.repo)


def play(keep: str, codex: bool, tell: Tell) -> Mapping[str, Any]:
    """Run the demo in the folder `keep` ("" for a new temporary one), one line told a trial; returns the result."""
    stage = Stage(_folder(keep), codex, f"demo-{os.getpid()}")
    try:
        _repository(stage)
        tell(f"{GOAL}.")
        tell(f"Scratch repository: {stage.repo}")
        _script(stage, "runtime_ctl", "launch", *_settings(stage), *_agent(stage))
        _follow(stage, tell)
        return _result(stage, tell)
    finally:
        if runtime_file.is_running(stage.layout):
            _script(stage, "runtime_ctl", "stop", "--grace-seconds", "2")
        process.end_marked(stage.mark, 2.0)


def _folder(keep: str) -> Path:
    """The demo's folder: new or empty, so that nothing of the user's is ever touched."""
    import tempfile

    if not keep:
        return Path(tempfile.mkdtemp(prefix="autoresearch-demo-")).resolve()
    folder = Path(keep)
    outputs.refuse_folder(folder, "--keep")
    try:
        folder.mkdir(exist_ok=True)
        if any(folder.iterdir()):
            raise Refusal(f"--keep {keep} is not empty, expected a new or empty folder; choose another one")
    except OSError as error:
        raise Refusal(f"--keep {keep} cannot be used ({error.strerror}), expected a folder to write to") from None
    return folder.resolve()


def _repository(stage: Stage) -> None:
    """A writable copy of the bundled program, committed; the user's git templates and hooks have no part in it."""
    import shutil

    shutil.copytree(ASSETS / "project", stage.repo, ignore=shutil.ignore_patterns("__pycache__"))
    for folder, _, names in os.walk(stage.repo):
        for path in [folder, *(os.path.join(folder, name) for name in names)]:
            os.chmod(path, os.stat(path).st_mode | 0o600)
    try:
        gitcall.call(stage.repo, ["-c", "init.defaultBranch=main", "init", "-q", "--template="])
        for setting in OWN_SETTINGS:
            gitcall.call(stage.repo, ["config", *setting])
        repo = Repo(stage.repo)
        repo.commit_paths([change.path for change in repo.changes()], "concord as it is")
    except gitcall.GitError as error:
        raise Refusal(f"git made no scratch repository ({error}), expected git 2.25 or newer; install it") from None


def _settings(stage: Stage) -> list[str]:
    """The run's configuration, as a user would give it."""
    python = f"{shlex.quote(sys.executable)} -B"
    flags = {
        "--goal": GOAL,
        "--scope": "concord/*.py",
        "--metric-name": "lines_run",
        "--direction": "lower",
        "--verify": f"{python} measure.py",
        "--guard": f"{python} -m unittest discover tests",
        "--run-tag": "demo",
    }
    return [part for item in flags.items() for part in item]


def _agent(stage: Stage) -> list[str]:
    """Who makes the edits, as flags of `launch`."""
    if stage.codex:
        given = os.environ.get("AUTORESEARCH_CODEX_BIN", "")
        return ["--iterations", str(CODEX_TRIALS), *(["--codex-bin", given] if given else [])]
    # Through the interpreter, because the agent's own file may have lost its executable bit.
    words = ("-B", str(ASSETS / "agent.py"), str(stage.folder / "notes"))
    program = ["--agent", "plain", "--agent-bin", sys.executable, *(f"--agent-arg={word}" for word in words)]
    return ["--max-sessions", str(SESSIONS), *program]


def _script(stage: Stage, name: str, *arguments: str) -> Mapping[str, Any]:
    """Run an entry script on the scratch repository and return its answer; raises `Refusal` with its own words."""
    command = [sys.executable, str(entry(name)), *arguments]
    # A launch that a signal broke off may still write its answer while the stop writes another.
    said = "-".join([name, *arguments[:1]]).replace("--", "")
    out, err = stage.folder / f"{said}.out", stage.folder / f"{said}.err"
    for path in (out, err):
        path.write_bytes(b"")
    child = process.start_detached(command, stage.repo, {}, process.Streams(None, out, err), stage.mark)
    deadline = time.monotonic() + LIMIT
    try:
        while child.poll() is None and time.monotonic() < deadline:
            interrupts.pause(TICK)
    except BaseException:
        _broken_off(child)
        raise
    if child.poll() != 0:
        why = one_line(err.read_text("utf-8", "replace").replace("error: ", "", 1), 600)
        raise Refusal(f"{name} failed in the scratch repository: {why or 'it gave no reason'}; see {stage.folder}")
    return dict(jsontext.loads(out.read_text("utf-8")))


def _broken_off(child: process.Process) -> None:
    """End a script that a signal left alone: a launch that went on would start its controller after our stop."""
    process.terminate(child.pid, child.identity)
    with interrupts.shielded():
        deadline = time.monotonic() + GRACE
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(TICK)
    process.terminate(child.pid, child.identity, signal.SIGKILL)


def _follow(stage: Stage, tell: Tell) -> None:
    """Tell what is written to the log while the controller is at work."""
    follower = RunFollower(stage.layout)
    while runtime_file.is_running(stage.layout):
        follower.tell(tell)
        interrupts.pause(TICK)
    follower.tell(tell)


def _result(stage: Stage, tell: Tell) -> Mapping[str, Any]:
    """What came of it and where everything lies; the tree must be clean and the tests pass, or it is said."""
    run, ended = context.load(stage.layout), _script(stage, "runtime_ctl", "status")
    state = run.state
    first, last = state.baseline_metric, state.current_metric
    clean = not Repo(stage.repo).changes()
    out = {
        "baseline_metric": first,
        "retained_metric": last,
        "iterations": state.iteration,
        "keeps": state.keeps,
        "discards": state.discards,
        "crashes": state.crashes,
        "ended": ended["reason"],
        "sessions": ended["spent"]["sessions"],
        "clean": clean,
        "repo": str(stage.repo),
        "results_path": str(run.layout.results),
        "evidence_path": str(run.layout.evidence),
    }
    share = f" ({float((last - first) / first):+.1%})" if first else ""
    tell(f"Ended: {ended['reason']} ({ended['detail']})")
    tell(f"Result: {first} -> {last} lines{share}; {state.keeps} kept of {state.iteration} trials.")
    tell(f"The tree is {'clean, the kept changes are commits' if clean else 'NOT clean'}: git -C {stage.repo} log")
    tell(f"Log: {run.layout.results}")
    tell(f"Evidence, one folder a trial: {run.layout.evidence}")
    out["report_path"] = _script(stage, "report", "--format", "json")["html"]
    tell(f"Report: {out['report_path']}")
    return out
