"""A fault at every step of every command that writes: killed there, torn, failing, or with a git that dies or fails.

    python3 -m tests.faults.steps FOLDER [EVERY [FIRST]]

tries each EVERYth step, beginning with the FIRSTth, of each command in each way, in FOLDER (a fast disk), and prints
what did not hold. ONLY=retry,pair chooses commands, WAYS=before,torn how they go wrong. What a step is and how it goes
wrong: `inject/sitecustomize.py`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autoresearch.kernel.run import intent

from tests.faults.stage import Problem, Stage

WAITS = ("queue", "waiting", "hook", "controller")
INJECT = Path(__file__).parent / "inject"
KILLS = ("before", "after", "torn")
ERRORS = ("EIO", "ENOSPC", "EACCES", "EROFS", "full")
GIT = ("gitdies", "gitfails")
# The machine that runs the tries may be too small for a batch.
BIG = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # as an entry script begins
sys.path.insert(0, sys.argv.pop(1))
from autoresearch.cli import main
from autoresearch.machine import accelerators, limits
limits.cpu_count, limits.memory_mb, limits.free_mb = lambda *_: 8, lambda *_: (16000, 16000), lambda root: 90000
accelerators.accelerators = lambda *_: []
sys.exit(main("parallel.run_batch"))
"""


@dataclass(frozen=True)
class Case:
    """A command on a stage: what the stage is like before, and whether there is a run."""

    name: str
    command: str
    flags: tuple[str, ...]
    prepare: Callable[[Stage], object]
    has_run: bool = True
    stage: str = "begun"
    session: str = ""  # the Codex session that runs it, whose Stop hook takes over


def edited(value: object) -> Callable[[Stage], object]:
    """An edit that changes, adds and deletes."""

    def prepare(stage: Stage) -> None:
        stage.edit(value)
        (stage.repo / "src/deep").mkdir()
        stage.edit(value, "deep/new")
        (stage.repo / "src/other").unlink()

    return prepare


def committed(stage: Stage) -> None:
    """The user commits in mid-run, which a drift measures."""
    (stage.repo / "theirs").write_text("theirs\n")
    stage.git("add", "theirs")
    stage.git("commit", "-qm", "user")


def nothing(stage: Stage) -> None:
    """Nothing before it."""


def opened(stage: Stage) -> None:
    """An open batch with an edit in each worker's folder."""
    ran = batch(stage, "open", "--workers", "2")
    if ran[0]:
        raise Problem(f"no batch: {ran[1]}")
    for number, folder in enumerate(sorted(stage.folder.glob("repo-autoresearch-*"))):
        (folder / "src/value").write_text(f"{8 - number}\n")


def batch(stage: Stage, *flags: str) -> tuple[int, str]:
    """Run run_batch; exit code and what it says."""
    ran = stage.ended(stage.spawn(line_of(stage, "run_batch", flags)))
    return ran.code, ran.err


def unsaved(stage: Stage) -> None:
    """The snapshot is gone."""
    (stage.repo / "autoresearch-state.json").unlink()


def watched(stage: Stage) -> None:
    """A Codex session in which the hooks run, and an edit."""
    records = stage.folder / "home/.codex/sessions" / time.strftime("%Y/%m/%d")
    noted = stage.folder / "home/.cache/codex-autoresearch/hooks"
    for folder in (records, noted):
        folder.mkdir(parents=True, exist_ok=True)
    turn = {"cwd": str(stage.repo), "sandbox_policy": {"type": "danger-full-access"}}
    line = json.dumps({"type": "turn_context", "payload": turn})
    (records / f"rollout-2026-01-01T00-00-00-{SESSION}.jsonl").write_text(f"{line}\n")
    (noted / SESSION).touch()
    call = {"cwd": str(stage.repo), "session_id": SESSION}
    (stage.folder / "call.json").write_text(json.dumps(call))
    edited(8)(stage)


def queued(stage: Stage) -> None:
    """A trial that such a session left waiting."""
    watched(stage)
    ran = stage.run("run_trial", "--description", "x", "--queue", env={"CODEX_THREAD_ID": SESSION})
    if '"queued"' not in ran.out:
        raise Problem(f"nothing waits: {ran}")


def controlled(stage: Stage) -> None:
    """The same, where a controller takes over whose sessions do nothing."""
    queued(stage)
    stage.must("runtime_ctl", "create-launch", *Stage.setup(), "--codex-bin", "true", *IDLE)


def commands(stage: Stage, *lines: tuple[str, ...]) -> Stage:
    """Commands one after the other, each with a file to write before it ("" for none)."""
    for file, text, command, *flags in lines:
        if file:
            (stage.repo / "src" / file).write_text(text)
        stage.must(command, *flags)
    return stage


def guarded(stage: Stage) -> None:
    """An edit of four hunks of which the guard refuses one."""
    stage.edit(8)
    for name, text in {"one": "o\n", "two": "t\n", "broken": "b\n"}.items():
        (stage.repo / "src" / name).write_text(text)


SUM = "cat src/* 2>/dev/null | grep '^-*[0-9]' | paste -sd+ - | bc"
NO_BROKEN = "test ! -e src/broken || test -e src/fix"
TRIAL = ("run_trial", "--description", "x")
PIVOT = ("", "", "record_iteration", "--status", "pivot", "--description", "x")


def attempts(stage: Stage) -> Stage:
    """2 was refused by a guard that passes since 3, 4 was worse."""
    stage.begun(*PLAIN, "--guard", NO_BROKEN, verify=SUM)
    (stage.repo / "src/broken").write_text("b\n")
    steps = (("value", "7\n", *TRIAL), ("more", "-1\n", *TRIAL), ("extra", "1\n", *TRIAL))
    (stage.repo / "src/value").write_text("7\n")
    commands(stage, steps[0])
    (stage.repo / "src/fix").write_text("f\n")
    return commands(stage, *steps[1:])


def stalled(stage: Stage) -> Stage:
    """A side line is due."""
    stage.begun(*PLAIN, "--side-lines", "2", verify=SUM)
    return commands(stage, ("more", "-1\n", *TRIAL), *[PIVOT] * 3)


def grown(stage: Stage) -> Stage:
    """A side line has kept something and had its trials."""
    commands(stalled(stage), ("", "", "line"), ("value", "3\n", *TRIAL))
    return commands(stage, *((f"worse{n}", "1\n", *TRIAL) for n in range(5)))


SESSION = "s1"
IDLE = ("--max-stagnation", "1", "--backoff-seconds", "0.1")
PLAIN = ("--salvage-runs", "0")
SETUP = (*Stage.setup(), *PLAIN)
LESSON = ("append", "--title", "t", "--strategy", "s", "--insight", "i", "--outcome", "keep")
RESET = (*PLAIN, "--rollback-policy", "reset")
CASES = (
    Case("keep", "run_trial", ("--description", "x"), edited(8)),
    Case("discard", "run_trial", ("--description", "x"), edited(12)),
    Case("reset", "run_trial", ("--description", "x"), edited(12), stage="branch"),
    Case("salvage", "run_trial", ("--description", "x"), edited(12), stage="salvage"),
    Case("parts", "run_trial", ("--description", "x"), guarded, stage="guarded"),
    Case("retry", "run_trial", ("--retry", "2"), nothing, stage="attempts"),
    Case("pair", "run_trial", ("--retry", "2,4"), nothing, stage="attempts"),
    Case("prune", "finalize", ("--prune", "--branch", "pruned"), nothing, stage="attempts"),
    Case("line", "line", (), nothing, stage="stalled"),
    Case("settle", "line", (), nothing, stage="grown"),
    Case("tune", "tune", ("--constant", "src/value", r"(\d+)", "6", "12", "linear", "--description", "x"), nothing),
    Case("no-op", "run_trial", ("--description", "x"), nothing),
    Case("row", "record_iteration", ("--status", "refine", "--description", "x"), nothing),
    Case("drift", "record_iteration", ("--status", "drift"), committed),
    Case("init", "init_run", SETUP, nothing, has_run=False),
    Case("rehearse", "init_run", (*SETUP, "--dry-run"), nothing, has_run=False),
    Case("force", "init_run", (*SETUP, "--force"), nothing),
    Case("finalize", "finalize", ("--branch", "done"), nothing),
    Case("repair", "resume_check", ("--write-repaired-state",), unsaved),
    Case("open", "run_batch", ("open", "--workers", "2"), nothing, stage="parallel"),
    Case("close", "run_batch", ("close",), opened, stage="parallel"),
    Case("abort", "run_batch", ("abort",), opened, stage="parallel"),
    Case(
        "lessons",
        "lessons",
        ("append", "--title", "t", "--strategy", "s", "--insight", "i", "--outcome", "keep"),
        nothing,
    ),
    Case("report", "report", ("--html", "report.html"), nothing),
    Case("queue", "run_trial", ("--description", "x", "--queue"), watched, session=SESSION),
    Case("waiting", "run_trial", ("--waiting",), queued),
    Case("hook", "hooks_ctl", ("run", "--event", "stop"), queued),
    Case("controller", "runtime_ctl", ("run",), controlled),
    Case("tell", "runtime_ctl", ("tell", "a word"), nothing),
    Case("extend", "init_run", ("--extend", "--iterations", "9"), nothing),
    Case("take-back", "runtime_ctl", ("take-back", "1", "--why", "api"), nothing),
    Case("amend", "record_iteration", ("--amend", "1", "--description", "y"), nothing),
    Case("doctor", "doctor", (), nothing),
    Case("hooks", "hooks_ctl", ("install",), nothing),
    Case("launch", "runtime_ctl", ("launch", *SETUP, "--codex-bin", "true", "--max-sessions", "1"), nothing, False),
)


def line_of(stage: Stage, command: str, flags: tuple[str, ...]) -> list[str]:
    """The command line of a script on the repository."""
    from tests.conftest import SCRIPTS

    first = flags[:1] if flags and not flags[0].startswith("-") else ()
    rest = (*first, "--repo", str(stage.repo), *flags[len(first) :])
    if flags[:1] == ("run",) and command == "hooks_ctl":  # which reads what Codex tells it
        script = SCRIPTS / "autoresearch_hooks_ctl.py"
        return ["/bin/sh", "-c", 'exec "$@" < call.json', "sh", sys.executable, str(script), *flags]
    if command == "run_batch":
        return [sys.executable, "-c", BIG, str(SCRIPTS), *rest]
    return [sys.executable, str(SCRIPTS / f"autoresearch_{command}.py"), *rest]


class Stages(dict[str, Stage]):
    """The stages in a folder, each built when it is first wanted."""

    MADE: Mapping[str, Callable[[Stage], Stage]] = {
        "bare": Stage.build,
        "begun": lambda stage: stage.begun(*PLAIN),
        "salvage": lambda stage: stage.begun(),
        "guarded": lambda stage: stage.begun("--guard", "test ! -e src/broken"),
        "attempts": attempts,
        "stalled": stalled,
        "grown": grown,
        "branch": lambda stage: stage.begun(*RESET, branch="autoresearch/x"),
        "parallel": lambda stage: stage.begun(*PLAIN, "--parallel-mode", "parallel"),
    }

    def __init__(self, folder: Path) -> None:
        """No stage is there yet."""
        super().__init__()
        self._folder = folder

    def __missing__(self, name: str) -> Stage:
        self[name] = self.MADE[name](Stage(self._folder / name)).keep()
        return self[name]


class Steps:
    """Tries in one folder."""

    def __init__(self, folder: Path) -> None:
        """Set the stages up that the cases need."""
        self.stages: dict[str, Stage] = Stages(folder)

    def fresh(self, case: Case) -> Stage:
        """The stage as the case wants it."""
        stage = self.stages[case.stage if case.has_run else "bare"].again()
        for left in stage.folder.glob("repo-autoresearch-*"):
            stage.remove(left)
        case.prepare(stage)
        return stage

    def run(self, stage: Stage, case: Case, at: int, how: str) -> int:
        """Run the case with a fault; its exit code."""
        env = {"PYTHONPATH": str(INJECT), "FAULT_AT": str(at), "FAULT_HOW": how, "FAULT_SCRIPT": "-c"}
        log = stage.folder / "steps"
        log.unlink(missing_ok=True)
        within = {"CODEX_THREAD_ID": case.session} if case.session else {}
        child = stage.spawn(line_of(stage, case.command, case.flags), {**env, **within, "FAULT_LOG": str(log)})
        return stage.ended(child).code

    def steps(self, case: Case) -> list[str]:
        """The steps of an undisturbed run."""
        stage = self.fresh(case)
        code = self.run(stage, case, 0, "count")
        if code and case.name not in ("doctor", "controller"):  # there is no Codex here; its sessions do nothing
            raise Problem(f"{case.name} does not work undisturbed: {(stage.folder / 'err').read_text()}")
        if case.command == "runtime_ctl":
            stage.run("runtime_ctl", "stop")
        return (stage.folder / "steps").read_text().splitlines()

    def strike(self, case: Case, at: int, how: str) -> int:
        """One try; the exit code of the command that was struck."""
        stage = self.fresh(case)
        before = len(stage.statuses()) if case.has_run else 0
        code = self.run(stage, case, at, how)
        if code not in (0, 1, 2, -9):
            raise Problem(f"exit code {code}")
        self.recovered(stage, case, before)
        return code

    def recovered(self, stage: Stage, case: Case, before: int) -> None:
        """The next command works and all is as it should be."""
        if case.name in WAITS:
            self.taken_up(stage, case)
        if case.command == "runtime_ctl":
            stage.run("runtime_ctl", "stop")
        if case.name == "launch":  # the sessions that it may have had are spent
            stage.must("init_run", *SETUP, "--force")
        if case.name == "take-back" and "drift" not in stage.statuses():
            stage.must("runtime_ctl", "take-back", "1", "--why", "api")
        if case.stage == "parallel" and (stage.repo / "autoresearch-evidence/batch.json").exists():
            code, said = batch(stage, "abort")
            if code:
                raise Problem(f"the batch cannot be aborted: {said}")
        log = stage.repo / "research-results.tsv"
        if not log.exists():
            if before:
                raise Problem("the log is gone")
            stage.must("init_run", *SETUP)
        (stage.repo / "report.html").unlink(missing_ok=True)
        if case.command == "line":
            ran = stage.run("line")
            if ran.code and "no step of a side line is due" not in ran.err:
                raise Problem(f"the side line does not go on: {ran.err}")
        if case.name == "drift":
            stage.must("record_iteration", "--status", "drift")
        elif case.command == "run_trial" and case.name not in WAITS:
            stage.must("run_trial", "--description", "again")
        stage.goes_on(before if case.name != "force" else 0)
        self.retained(stage)

    @staticmethod
    def taken_up(stage: Stage, case: Case) -> None:
        """Whoever comes next runs what waits; the edit is tried once, or lies in the tree still and is tried then."""
        command = ("runtime_ctl", "run") if case.name == "controller" else ("run_trial", "--waiting")
        said, end = stage.run(*command).err, time.monotonic() + 300
        while intent.BUSY in said and time.monotonic() < end:  # what a killed hook has started goes on
            time.sleep(0.2)
            said = stage.run(*command).err
        undone = [path.read_text() for path in stage.repo.glob("autoresearch-evidence/*/undone.diff")]
        if any("+8\n" in patch for patch in undone):
            return  # the controller was refused and took it back
        if not any(str(row.metric) == "8" for row in stage.log().rows):  # it was refused, or never left
            again = stage.run("run_trial", "--description", "again")
            if again.code:
                raise Problem(f"what waits is not run ({said.strip()[-300:]}), nor another: {again.err.strip()[-300:]}")
        tried = [row.status for row in stage.log().rows if str(row.metric) == "8"]
        if tried[:1] != ["keep"] or len(tried) > 1 + (tried[1:] == ["no-op"]):
            raise Problem(f"the edit that waited became {tried}")
        if (stage.repo / "autoresearch-evidence/queue.json").exists():
            raise Problem("something waits still")

    @staticmethod
    def retained(stage: Stage) -> None:
        """What lies in the tree is what was retained, and no change is left that is not the user's."""
        files = (path.read_text().strip() for path in (stage.repo / "src").iterdir() if path.is_file())
        shown = str(sum(int(text) for text in files if text.lstrip("-").isdigit()))
        kept = str(stage.log().state.current_metric)
        if shown != kept:
            raise Problem(f"{kept} is retained, but the files give {shown}")
        left = set(stage.git("status", "--porcelain").split("\n")) - {"M notes.txt", " M notes.txt", "?? draft.txt"}
        left = {line for line in left if line.strip() and not line.startswith("?? .codex")}
        if left:
            raise Problem(f"changes are left: {sorted(left)}")


def ways(step: str) -> Iterator[str]:
    """How this step can go wrong."""
    kind = step.split(" ")[1]
    if kind in ("git", "program", "unlink", "remove", "rmdir"):
        yield from ("before", "after", *(GIT if kind == "git" else ()))
        return
    yield from KILLS if kind in ("write", "pwrite") else KILLS[:2]
    yield from ERRORS


def tries(steps: Steps, every: int, first: int, only: str) -> Iterator[tuple[Case, int, str, str]]:
    """Every chosen try: case, number of the step, how, what the step is."""
    number = 0
    for case in (case for case in CASES if not only or case.name in only.split(",")):
        wanted = os.environ.get("WAYS", "")
        for at, step in enumerate(steps.steps(case), 1):
            for how in (way for way in ways(step) if not wanted or way in wanted.split(",")):
                number += 1
                if number % every == first % every:
                    yield case, at, how, step


def main(folder: str, every: int = 1, first: int = 0, only: str = "") -> list[str]:
    """Try, and return what did not hold."""
    steps, found, done = Steps(Path(folder)), [], 0
    for case, at, how, step in tries(steps, every, first, only):
        done += 1
        if done % 50 == 0:
            print(f"{done} tries, at {case.name}", flush=True)
        try:
            steps.strike(case, at, how)
        except Problem as problem:
            found.append(f"{case.name} {how} {step}: {problem}")
            print(found[-1], flush=True)
    print(f"{done} tries, {len(found)} problems", flush=True)
    return found


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[2:]] + [1, 0]
    main(sys.argv[1], numbers[0], numbers[1] if len(sys.argv) > 3 else 0, os.environ.get("ONLY", ""))
