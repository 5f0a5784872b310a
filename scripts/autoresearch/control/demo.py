"""The demo: a scratch repository, a real run in it, a scripted agent in Codex's place.

Everything goes through the entry scripts, as child processes, so what is shown is what a user gets.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from ..core import jsontext
from ..core.errors import Refusal
from ..core.text import one_line
from ..disk.layout import SKILL_ROOT, Layout, standard
from ..run import context
from ..system import gitcall, process
from ..system.git import Repo
from .follow import Follower

ASSETS = SKILL_ROOT / "assets" / "demo"
GOAL = "concord reports on a code base; run fewer lines of Python for one report"
LIMIT = 120.0  # seconds that one command of the demo may take
TICK = 0.05
# The user's might change the files, and then the prepared edits would not find what they are to replace.
OWN_SETTINGS = (("core.autocrlf", "false"), ("apply.whitespace", "nowarn"))
CODEX_TRIALS = 6
PROMPT = """Improve the program in this repository. The run is set up already: read {skill}, then make one change at
a time and measure each with
    {trial} --description 'WHAT YOU CHANGED'
until the answer's next.action is stop.
"""

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
        _script(stage, "init_run", *_settings(stage))
        _sessions(stage, tell)
        return _result(stage, tell)
    finally:
        process.end_marked(stage.mark, 2.0)


def _folder(keep: str) -> Path:
    """The demo's folder: new or empty, so that nothing of the user's is ever touched."""
    import tempfile

    if not keep:
        return Path(tempfile.mkdtemp(prefix="autoresearch-demo-")).resolve()
    folder = Path(keep)
    try:
        folder.mkdir(parents=True, exist_ok=True)
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
    if stage.codex:
        flags["--iterations"] = str(CODEX_TRIALS)
    return [part for item in flags.items() for part in item]


def _command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(SKILL_ROOT / "scripts" / f"autoresearch_{name}.py"), *arguments]


def _script(stage: Stage, name: str, *arguments: str) -> Mapping[str, Any]:
    """Run an entry script in the scratch repository and return its answer; raises `Refusal` with its own words."""
    done = process.run_shell(shlex.join(_command(name, *arguments)), stage.repo, LIMIT, {}, stage.mark)
    if done.exit_code != 0:
        said = one_line(done.stderr.decode("utf-8", "replace").replace("error: ", "", 1), 600)
        raise Refusal(f"{name} failed in the scratch repository: {said or 'no reason given'}")
    return dict(jsontext.loads(done.stdout.decode("utf-8", "replace")))


def _sessions(stage: Stage, tell: Tell) -> None:
    """Sessions until one has nothing to add to the log; what is written there is told at once."""
    follower = Follower(stage.layout)
    follower.tell(tell)
    while True:
        before = follower.rows
        session = _session(stage)
        while session.poll() is None:
            follower.tell(tell)
            time.sleep(TICK)
        follower.tell(tell)
        if stage.codex or follower.rows == before:
            return


def _session(stage: Stage) -> process.Process:
    """Start one session of the agent, its prompt on stdin."""
    prompt = stage.folder / "prompt.txt"
    prompt.write_text(PROMPT.format(skill=SKILL_ROOT / "SKILL.md", trial=shlex.join(_command("run_trial"))), "utf-8")
    if stage.codex:
        start = [os.environ.get("AUTORESEARCH_CODEX_BIN", "codex"), "exec", "-s", "danger-full-access"]
        start += ["-c", "features.unbounded_connection_retries=false"]
    else:
        start = [sys.executable, "-B", str(ASSETS / "agent.py"), str(stage.folder / "notes"), "exec"]
    arguments = [*start, "--json", "-C", str(stage.repo), "-"]
    streams = process.Streams(prompt, stage.folder / "session.jsonl", stage.folder / "session.err")
    return process.start_detached(arguments, stage.repo, {}, streams, stage.mark)


def _result(stage: Stage, tell: Tell) -> Mapping[str, Any]:
    """What came of it and where everything lies; the tree must be clean and the tests pass, or it is said."""
    run = context.load(stage.layout)
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
        "clean": clean,
        "repo": str(stage.repo),
        "results_path": str(run.layout.results),
        "evidence_path": str(run.layout.evidence),
    }
    share = f" ({float((last - first) / first):+.1%})" if first else ""
    tell(f"Result: {first} -> {last} lines{share}; {state.keeps} kept of {state.iteration} trials.")
    tell(f"The tree is {'clean, the kept changes are commits' if clean else 'NOT clean'}: git -C {stage.repo} log")
    tell(f"Log: {run.layout.results}")
    tell(f"Evidence, one folder a trial: {run.layout.evidence}")
    if (SKILL_ROOT / "scripts" / "autoresearch_report.py").exists():
        out["report_path"] = _script(stage, "report", "--format", "json")["html"]
        tell(f"Report: {out['report_path']}")
    return out
