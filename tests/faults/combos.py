"""Every command in every kind of repository, in every state of git, in every surrounding: what must hold after each.

    python3 -m tests.faults.combos FOLDER SEED TRIES [WORLD [STATE [COMMAND [PLACE]]]]

draws TRIES combinations, each from its number, so that one can be repeated alone (TRIES 1), with what is named fixed
(`-` for what is not). Of each five, one is killed at a random instant; a third of the states come while the check
runs. As another user than root it tries missing rights too.
"""

from __future__ import annotations

import os
import pwd
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from tests.conftest import Ran
from tests.faults import steps
from tests.faults.damage import plain
from tests.faults.gitstates import RIGHTS, STATES, WORLDS
from tests.faults.stage import MINE, Problem, Stage

SLOW = 3.0  # seconds of processor time within which a command declines that does no work
SHELL = "set +e; umask 022; unset CDPATH; "
ODD = 'odd "quoted" $name\nof a folder'
IDLE = ("--codex-bin", "true", "--max-sessions", "1", "--max-stagnation", "1", "--backoff-seconds", "0.1")
FLAGS = ("FLAGS",)  # in place of those that the stage's run was set up with

# name: an edit before it, the script, its flags; `~` begins one that only looks.
COMMANDS: dict[str, tuple[object, str, tuple[str, ...]]] = {
    "keep": (8, "run_trial", ("--description", "x")),
    "discard": (12, "run_trial", ("--description", "x")),
    "crash": ("none", "run_trial", ("--description", "x")),
    "no-op": (None, "run_trial", ("--description", "x")),
    "with files": ("files", "run_trial", ("--description", "x")),
    "row": (None, "record_iteration", ("--status", "refine", "--description", "x")),
    "drift": (None, "record_iteration", ("--status", "drift")),
    "amend": (None, "record_iteration", ("--amend", "1", "--description", "y")),
    "force": (None, "init_run", (*FLAGS, "--force")),
    "rehearse": (None, "init_run", (*FLAGS, "--dry-run")),
    "extend": (None, "init_run", ("--extend", "--iterations", "9")),
    "finalize": (None, "finalize", ("--branch", "done")),
    "squash": (None, "finalize", ("--branch", "done", "--squash")),
    "repair": (None, "resume_check", ("--write-repaired-state",)),
    "~resume": (None, "resume_check", ()),
    "~report": (None, "report", ()),
    "total": (None, "total", ()),
    "html": (None, "report", ("--html", "report.html")),
    "lesson": (None, "lessons", steps.LESSON),
    "idea": (None, "ideas", ("add", "--text", "an idea")),
    "~lessons": (None, "lessons", ("list",)),
    "~supervisor": (None, "supervisor_status", ()),
    "~gate": (None, "launch_gate", ()),
    "~prompt": (None, "resume_prompt", ()),
    "~commit gate": (None, "commit_gate", ()),
    "~watch": (None, "watch", ("--once",)),
    "~doctor": (None, "doctor", ()),
    "~health": (None, "health_check", ()),
    "~status": (None, "runtime_ctl", ("status",)),
    "~logs": (None, "runtime_ctl", ("logs",)),
    "~environment": (None, "environment", ()),
    "~scout": (None, "scout", ("--goal", "cut the cost")),
    "~scratch": (None, "exec_state", ()),
    "line": (None, "line", ()),
    "tell": (None, "runtime_ctl", ("tell", "a word")),
    "take-back": (None, "runtime_ctl", ("take-back", "1", "--why", "api")),
    "launch": (8, "runtime_ctl", ("launch", *FLAGS, *IDLE, "--fresh-start")),
    "start": (None, "runtime_ctl", ("create-launch", *FLAGS, *IDLE)),
    "stop": (None, "runtime_ctl", ("stop",)),
    "mode": (None, "set_session_mode", ("--session-mode", "background")),
    "open": (None, "run_batch", ("open", "--workers", "2")),
    "close": ("batch", "run_batch", ("close",)),
    "abort": ("batch", "run_batch", ("abort",)),
    "tune": (
        None,
        "tune",
        ("--constant", "src/value", r"(\d+)", "5", "9", "linear", "--description", "x", "--runs", "3"),
    ),
    "hooks": (None, "hooks_ctl", ("install",)),
    "~hooks": (None, "hooks_ctl", ("status",)),
    "folder": (None, "mode_log", ("open", "--mode", "debug", "--slug", "x")),
    "exec": (None, "exec", (*FLAGS, *IDLE, "--iterations", "1")),
}

# The commands that run the check.
CHECKING = [
    "keep",
    "discard",
    "crash",
    "with files",
    "drift",
    "force",
    "rehearse",
    "finalize",
    "total",
    "close",
    "tune",
]
CHECKING += ["launch", "keep", "discard"]

# A surrounding: variables, or `cwd` and limits. None takes a variable away. `$R`: the repository, `$F`: the folder.
PLACES: dict[str, Mapping[str, str | None]] = {
    "usual": {},
    "in the repository": {"cwd": "$R"},
    "in the scope": {"cwd": "$R/src"},
    "in the evidence": {"cwd": "$R/autoresearch-evidence"},
    "in the git folder": {"cwd": "$R/.git"},
    "in a folder that is gone": {"cwd": "gone"},
    "outside": {"cwd": "/"},
    "TMPDIR relative": {"TMPDIR": "tmp"},
    "TMPDIR a device": {"TMPDIR": "/dev/null"},
    "TMPDIR missing": {"TMPDIR": "/missing"},
    "TMPDIR the repository": {"TMPDIR": "$R"},
    "TMPDIR the scope": {"TMPDIR": "$R/src"},
    "TMPDIR read-only": {"TMPDIR": "/proc"},
    "TMPDIR empty": {"TMPDIR": ""},
    "TMPDIR of bytes": {"TMPDIR": "/tmp/\udcff"},
    "no TMPDIR": {"TMPDIR": None},
    "no HOME": {"HOME": None},
    "HOME empty": {"HOME": ""},
    "HOME missing": {"HOME": "/missing"},
    "HOME relative": {"HOME": "home"},
    "HOME a device": {"HOME": "/dev/null"},
    "HOME the repository": {"HOME": "$R"},
    "HOME of root": {"HOME": pwd.getpwuid(0).pw_dir},
    "no PATH": {"PATH": None},
    "PATH missing": {"PATH": "/missing"},
    "PATH relative": {"PATH": ".:/usr/bin:/bin"},
    "PATH with a broken git": {"PATH": "$F/fake:/usr/bin:/bin"},
    "GIT_DIR missing": {"GIT_DIR": "/missing"},
    "GIT_DIR another": {"GIT_DIR": "$F/other/.git"},
    "GIT_DIR relative": {"GIT_DIR": ".git"},
    "GIT_WORK_TREE": {"GIT_WORK_TREE": "/"},
    "GIT_DIR and GIT_WORK_TREE": {"GIT_DIR": "$F/other/.git", "GIT_WORK_TREE": "$F/other"},
    "GIT_INDEX_FILE": {"GIT_INDEX_FILE": "$F/other/index"},
    "GIT_OBJECT_DIRECTORY": {"GIT_OBJECT_DIRECTORY": "$F/other"},
    "GIT_COMMON_DIR": {"GIT_COMMON_DIR": "$F/other/.git"},
    "GIT_NAMESPACE": {"GIT_NAMESPACE": "x"},
    "GIT_CEILING": {"GIT_CEILING_DIRECTORIES": "$F"},
    "GIT_DISCOVERY": {"GIT_DISCOVERY_ACROSS_FILESYSTEM": "0", "GIT_OPTIONAL_LOCKS": "0"},
    "GIT_CONFIG_COUNT": {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.bare", "GIT_CONFIG_VALUE_0": "true"},
    "GIT_CONFIG_COUNT junk": {"GIT_CONFIG_COUNT": "junk"},
    "GIT_CONFIG_PARAMETERS": {"GIT_CONFIG_PARAMETERS": "'core.worktree'='/'"},
    "GIT_CONFIG_GLOBAL missing": {"GIT_CONFIG_GLOBAL": "/missing"},
    "GIT_CONFIG_GLOBAL a folder": {"GIT_CONFIG_GLOBAL": "/"},
    "GIT_CONFIG_SYSTEM junk": {"GIT_CONFIG_SYSTEM": "/etc/passwd", "GIT_CONFIG_NOSYSTEM": None},
    "GIT_EXEC_PATH": {"GIT_EXEC_PATH": "/missing"},
    "GIT_TRACE": {"GIT_TRACE": "2", "GIT_TRACE2": "2", "GIT_CURL_VERBOSE": "1"},
    "GIT_PAGER": {"GIT_PAGER": "false", "PAGER": "false", "GIT_EDITOR": "false", "EDITOR": "false", "VISUAL": "false"},
    "GIT_PATHSPECS": {"GIT_ICASE_PATHSPECS": "1", "GIT_GLOB_PATHSPECS": "1"},
    "GIT_AUTHOR": {"GIT_AUTHOR_NAME": "", "GIT_AUTHOR_EMAIL": "", "GIT_COMMITTER_NAME": "<>\n"},
    "GIT_AUTHOR_DATE": {"GIT_AUTHOR_DATE": "junk", "GIT_COMMITTER_DATE": "junk"},
    "GIT_EXTERNAL_DIFF": {"GIT_EXTERNAL_DIFF": "false", "GIT_DIFF_OPTS": "-u0"},
    "GIT_DEFAULT_HASH": {"GIT_DEFAULT_HASH": "sha256"},
    "GIT_QUARANTINE_PATH": {"GIT_QUARANTINE_PATH": "/missing", "GIT_REFLOG_ACTION": "\n"},
    "LC_ALL": {"LC_ALL": "xx_YY.UTF-8", "LANG": "tr_TR.UTF-8", "LANGUAGE": "de"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ascii": {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "narrow": {"COLUMNS": "0", "LINES": "-1", "TERM": "", "TZ": "Nowhere/At"},
    "no TZ": {"TZ": "\udcff"},
    "PYTHON": {"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "error"},
    "PYTHONSTARTUP": {"PYTHONSTARTUP": "/missing", "PYTHONINSPECT": "", "PYTHONDEVMODE": "1", "PYTHONSAFEPATH": "1"},
    "PYTHONPATH": {"PYTHONPATH": "$F/shadow"},
    "PYTHONPYCACHEPREFIX": {"PYTHONPYCACHEPREFIX": "/dev/null"},
    "XDG": {
        "XDG_CONFIG_HOME": "rel",
        "XDG_CACHE_HOME": "/dev/null",
        "XDG_RUNTIME_DIR": "/missing",
        "XDG_STATE_HOME": "",
    },
    "CODEX_HOME": {"CODEX_HOME": "/dev/null"},
    "CODEX_HOME the repository": {"CODEX_HOME": "$R"},
    "CODEX_HOME relative": {"CODEX_HOME": "rel"},
    "SHELL": {"SHELL": "/missing", "BASH_ENV": "/missing", "ENV": "/missing", "IFS": "x", "POSIXLY_CORRECT": "1"},
    "no environment": {"clear": "1"},
    "closed input": {"close": "0"},
    "closed output": {"close": "1"},
    "closed errors": {"close": "2"},
    "all closed": {"close": "0 1 2"},
    "output to a full disk": {"full": "1"},
    "few files": {"limit": "NOFILE 12"},
    "few processes": {"limit": "NPROC 0"},
    "little memory": {"limit": "AS 120000000"},
    "no file size": {"limit": "FSIZE 0"},
    "some file size": {"limit": "FSIZE 3000"},
    "little processor time": {"limit": "CPU 1"},
    "small stack": {"limit": "STACK 65536"},
    "umask 777": {"umask": "0o777"},
    "umask 000": {"umask": "0"},
    "signals ignored": {"ignore": "1"},
}
# What the limits do to the tries themselves: the command may be ended by a signal, or say that in Python's words.
HARD = (
    "few files",
    "few processes",
    "little memory",
    "little processor time",
    "small stack",
    "no PATH",
    "PATH missing",
)


class World(Stage):
    """A stage in a repository of some kind, with what lies elsewhere of it."""

    world = "plain"
    was_locked = True
    trees = 0
    PARTS = ("repo", "outer", "home", "fake", "other", "shadow")

    @property
    def repo(self) -> Path:
        """The user's repository."""
        return self.folder / (ODD if self.world == "odd folder" else "repo")

    @property
    def flags(self) -> tuple[str, ...]:
        """How the run is set up: its check does what a variable says, once, where a file lies beside the repository."""
        arm = self.folder / "aside/arm"
        act = f'if test -e {arm}; then rm {arm}; eval "$ACT"; fi; cat src/value'
        return (*Stage.setup(act), "--salvage-runs", "0", "--parallel-mode", "parallel")

    def make(self, world: str) -> World:
        """The repository, with two branches beside the run's, then made what the world says; a run that stands."""
        self.world = "plain"
        for name in (ODD, "repo"):
            self.remove(self.folder / name)
        self.build()
        for name in ("outer", "fake", "other", "shadow"):
            self.remove(self.folder / name)
            (self.folder / name).mkdir()
        self.shell(BRANCHES + OTHERS.format(folder=self.folder), self.repo)
        self.world = world
        if world == "odd folder":
            (self.folder / "repo").rename(self.repo)
        self.shell(WORLDS[world].replace("repo", str(self.repo.name), 0), self.folder)
        for name, text in MINE.items():
            (self.repo / name).parent.mkdir(parents=True, exist_ok=True)
            (self.repo / name).write_text(text)
        (self.folder / "aside").mkdir(exist_ok=True)
        self.must("init_run", *self.flags)
        self.edit(9)
        self.must("run_trial", "--description", "first")
        self.trees = self.git("worktree", "list").count("\n")
        return self.keep()

    def keep(self) -> World:
        """Remember all of it."""
        self.remove(self.folder / "base")
        (self.folder / "base").mkdir()
        for part in self._parts():
            self.copy(self.folder / part, self.folder / "base" / part)
        return self

    def _parts(self) -> Iterator[str]:
        return (part for part in (*self.PARTS, ODD) if os.path.lexists(self.folder / part))

    def again(self) -> World:
        """All as it was remembered."""
        here = [str(path) for path in self.folder.iterdir() if path.name not in ("base", "out", "err")]
        if self.was_locked:
            subprocess.run(["chmod", "-R", "u+rwX", *here], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", *here], check=True)
        subprocess.run(["cp", "-a", f"{self.folder / 'base'}/.", str(self.folder)], check=True)
        for name in ("tmp", "aside"):
            (self.folder / name).mkdir()
        return self

    def shell(self, text: str, cwd: Path, **more: str) -> None:
        """Lines of shell, as the user would type them; what they say and whether they work does not matter."""
        subprocess.run(
            ["sh", "-c", SHELL + text], cwd=cwd, env={**self.env, **more}, capture_output=True, stdin=subprocess.DEVNULL
        )

    def quiet(self) -> None:
        """As before, but for worktrees that the world has."""
        try:
            super().quiet()
        except Problem as problem:
            if str(problem) != "a worktree is left" or self.git("worktree", "list").count("\n") != self.trees:
                raise


BRANCHES = (
    "for b in other main; do test $b = main || git checkout -q -b $b; git checkout -q $b; echo $b > theirs;"
    " git add theirs; git commit -qm start; done; git checkout -q -b apart main~1; echo a > apart; git add apart;"
    " git commit -qm start; git checkout -q main; "
)
OTHERS = (
    "mkdir -p '{folder}/other' '{folder}/shadow/autoresearch'; git init -q '{folder}/other';"
    " printf '#!/bin/sh\\nexit 3\\n' > '{folder}/fake/git'; chmod +x '{folder}/fake/git';"
    " echo 'raise SystemExit(7)' > '{folder}/shadow/autoresearch/__init__.py'"
)


@dataclass(frozen=True)
class Try:
    """One combination; `kill` is the seconds after which it is killed, 0 for never."""

    world: str
    state: str
    command: str
    place: str
    kill: float
    during: bool  # whether the state comes while the check runs

    def __str__(self) -> str:
        """As it is named to repeat it."""
        more = [f"killed after {self.kill:.3f} s"] if self.kill else ["during"] * self.during
        return " ".join([*map(repr, (self.world, self.state, self.command, self.place)), *more])


def draw(dice: random.Random, fixed: Mapping[str, str]) -> Try:
    """A combination: in one of three the state is the usual one, and in one of two the surrounding."""
    rights = os.geteuid() == 0
    states = [name for name in STATES if not (rights and name in RIGHTS)]
    state = dice.choice(states) if dice.random() < 0.75 else "none"
    place = dice.choice(list(PLACES)) if state == "none" or dice.random() < 0.15 else "usual"
    command = dice.choice(CHECKING if dice.random() < 0.3 else list(COMMANDS))
    drawn = {"state": state, "place": place, "command": command, **fixed}
    kill = dice.uniform(0.05, 0.9) if dice.random() < 0.2 and place == "usual" else 0.0
    waits = any(word in STATES[drawn["state"]][0] for word in ("mkfifo", "/dev/zero"))  # as git would, without end
    during = drawn["state"] != "none" and not waits and drawn["command"] in CHECKING and dice.random() < 0.6
    return Try(drawn["world"], drawn["state"], drawn["command"], drawn["place"], 0.0 if during else kill, during)


def prepared(stage: World, one: Try) -> None:
    """The edit, and the batch, that the command is about."""
    edit = COMMANDS[one.command][0]
    if edit == "batch":
        code, said = steps.batch(stage, "open", "--workers", "2")
        if code:
            raise Problem(f"no batch: {said}")
        for number, tree in enumerate(sorted(path for path in workers(stage) if path.is_dir())):
            (tree / "src/value").write_text(f"{8 - number}\n")
    elif edit == "files":
        (stage.repo / "src/deep").mkdir()
        stage.edit(8, "deep/new")
        stage.edit(8)
        (stage.repo / "src/other").unlink()
    elif edit is not None:
        stage.edit(edit)


def workers(stage: World) -> list[Path]:
    """The folders of a batch's workers."""
    return [
        path
        for path in stage.repo.resolve().parent.iterdir()
        if path.name.startswith(f"{stage.repo.resolve().name}-auto")
    ]


def line_of(stage: World, command: str, place: Mapping[str, str | None]) -> list[str]:
    """The command line; where it runs in the repository it names none."""
    _, script, flags = COMMANDS[command]
    if FLAGS[0] in flags:
        at = flags.index(FLAGS[0])
        flags = (*flags[:at], *stage.flags, *flags[at + 1 :])
    line = steps.line_of(stage, script, flags)
    if script == "hooks_ctl":
        line = [part for part in line if part not in ("--repo", str(stage.repo))]
    if "cwd" in place and place["cwd"] not in ("/",):
        line = [part for at, part in enumerate(line) if part != "--repo" and line[at - 1] != "--repo"]
    return line


def limited(place: Mapping[str, str | None]) -> None:
    """In the child: what limits and closes."""
    if "limit" in place:
        name, number = str(place["limit"]).split()
        most = getattr(resource, f"RLIMIT_{name}")
        resource.setrlimit(most, (int(number), resource.getrlimit(most)[1]))
    if "umask" in place:
        os.umask(int(str(place["umask"]), 0))
    for handle in str(place.get("close", "")).split():
        os.close(int(handle))
    if "full" in place:
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
    if "ignore" in place:
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(one, signal.SIG_IGN)
    if place.get("cwd") == "gone":
        os.mkdir("gone")
        os.chdir("gone")
        os.rmdir("../gone")


def surroundings(stage: World, place: Mapping[str, str | None]) -> tuple[dict[str, str], Path]:
    """Environment and current folder of the command."""
    env = {} if "clear" in place else dict(stage.env)
    for name, value in place.items():
        if name.isupper():
            env.pop(name, None)
            if value is not None:
                env[name] = value.replace("$R", str(stage.repo)).replace("$F", str(stage.folder))
    where = str(place.get("cwd", ""))
    folder = where.replace("$R", str(stage.repo)) if where not in ("", "gone") else str(stage.folder)
    return env, Path(folder) if os.path.isdir(folder) else stage.folder


def struck(stage: World, one: Try, more: Mapping[str, str]) -> tuple[Ran, float]:
    """The command's end, and the processor time that it took."""
    place = PLACES[one.place]
    env, cwd = surroundings(stage, place)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(stage.folder / "out", "wb") as out, open(stage.folder / "err", "wb") as err:
        child = subprocess.Popen(
            line_of(stage, one.command, place),
            env={**env, **more},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=lambda: limited(place),
        )
    if one.kill:
        time.sleep(one.kill)
        child.send_signal(signal.SIGKILL)
    try:
        ran = stage.ended(child)
    except Problem:
        sweep(stage.folder)
        raise
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ran, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def sweep(folder: Path) -> None:
    """End what hangs below a folder, so that it is not found again after the next try."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if Path(os.readlink(entry / "cwd")).is_relative_to(folder):
                os.kill(int(entry.name), signal.SIGKILL)


def judged(one: Try, ran: Ran, seconds: float) -> None:
    """An answer, or one clear line soon."""
    if one.kill or one.place in HARD:
        if ran.code not in (-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGSEGV, 0, 1, 2):
            raise Problem(f"exit code {ran.code}")
        return
    if one.place == "no file size" and ran.code:
        return  # there is no room for a word
    if COMMANDS[one.command][1] in ("doctor", "health_check", "launch_gate", "exec"):
        if ran.code not in (0, 1, 2):
            raise Problem(f"exit code {ran.code}: {ran.err[-300:]}")
        return
    plain(ran)
    if ran.code and not ran.out and not ran.err and PLACES[one.place].get("close") is None:
        raise Problem(f"exit code {ran.code} without a word")
    if ran.code and seconds > SLOW:
        raise Problem(f"declines after {seconds:.1f} s of processor time: {ran.err[-200:]}")


LOOKS = [name for name in COMMANDS if name.startswith("~")]


def tried(stage: World, one: Try, dice: random.Random) -> int:
    """One combination, what must hold after it, and the run going on once the user has mended the state.

    Commands that only look go before it, in the same state; how many commands were tried.
    """
    looks = [] if one.during or one.place in HARD else dice.sample(LOOKS, 3)
    stage.again()
    stage.was_locked = one.state in RIGHTS or "umask" in one.place
    prepared(stage, one)
    place = {
        name: stage.git("rev-parse", "--path-format=absolute", f"--git-{kind}dir")
        for name, kind in (("G", ""), ("C", "common-"))
    }
    place["B"] = str(stage.folder / "aside")
    make, mend = STATES[one.state]
    if one.during:
        (stage.folder / "aside/arm").touch()
    else:
        stage.shell(make, stage.repo, **place)
    log = stage.repo / "research-results.tsv"
    before = log.read_bytes() if os.access(log, os.R_OK) else b""
    try:
        for name in looks:
            look = replace(one, command=name, kill=0.0)
            try:
                judged(look, *struck(stage, look, {}))
            except Problem as problem:
                raise Problem(f"{name}: {problem}") from None
        ran, seconds = struck(
            stage,
            one,
            {**place, "ACT": f"( cd {quote(str(stage.repo))}; {make} ) >/dev/null 2>&1 </dev/null"}
            if one.during
            else {},
        )
        judged(one, ran, seconds)
    finally:
        if COMMANDS[one.command][1] == "runtime_ctl":
            stage.run("runtime_ctl", "stop")
        if (stage.folder / "aside/arm").exists():
            (stage.folder / "aside/arm").unlink()  # no check ran
        else:
            stage.shell(mend, stage.repo, **place)
    forced = one.command in ("force", "launch", "exec")
    if not forced and not log.read_bytes().startswith(before):
        raise Problem("acknowledged rows are gone")
    stage.users_files()
    if one.command in LOOKS and not one.kill and log.read_bytes() == before and dice.random() < 0.7:
        stage.quiet()  # it has changed nothing
    else:
        moves_on(stage, one, 0 if forced else len(stage.statuses()))
    return 1 + len(looks)


REMEDIES = (
    ("--status drift", ("record_iteration", "--status", "drift")),
    ("a batch is open", None),
    ("--write-repaired-state", ("resume_check", "--write-repaired-state")),
)


def moves_on(stage: World, one: Try, before: int) -> None:
    """Some command that the answer names moves the run, and then all is as it should be."""
    said = ""
    if not (stage.repo / "research-results.tsv").exists():
        if before:
            raise Problem("the log is gone")
        stage.must("init_run", *stage.flags)
    if one.state in ("amended", "reset back", "another commit", "pruned") and one.command == "take-back":
        return
    for _ in range(5):
        stage.shell("git checkout -q HEAD -- src 2>/dev/null; git clean -qfd src", stage.repo)
        stage.edit(f"7{time.time_ns() % 100000}")
        ran = stage.run("run_trial", "--description", "goes on")
        if ran.code == 0:
            break
        if ran.err == said:
            raise Problem(f"no command moves it: {said}")
        said = ran.err
        for words, remedy in REMEDIES:
            if words in said:
                stage.shell("git checkout -q HEAD -- src", stage.repo)
                done = stage.run(*remedy) if remedy else Ran(*steps.batch(stage, "abort"), "")
                if done.code:
                    said += f" (and {words}: {done.err or done.out})"
    else:
        raise Problem(f"no command moves it: {said}")
    stage.sound()
    if len(stage.statuses()) <= before:
        raise Problem(f"{before} rows before, {len(stage.statuses())} after one more trial")
    stage.users_files()
    stage.quiet()
    if workers(stage):
        raise Problem("a worker's folder is left")


def main(folder: Path, seed: int, count: int, fixed: Mapping[str, str]) -> list[str]:
    """Try, and return what did not hold."""
    found: list[str] = []
    commands = 0
    stage, world = World(folder, 45.0), ""
    worlds = [fixed["world"]] if "world" in fixed else list(WORLDS)
    order = sorted(range(seed, seed + count), key=lambda number: number % len(worlds))
    for done, number in enumerate(order, 1):
        if done % 50 == 0:
            print(f"{done} states, {commands} commands", flush=True)
        now = worlds[number % len(worlds)]
        dice = random.Random(number)
        one = draw(dice, {**fixed, "world": now})
        try:
            if now != world:
                world = ""
                stage.make(now)
                world = now
            commands += tried(stage, one, dice)
        except Problem as problem:
            found.append(f"{number}: {one}: {problem}")
        except Exception as error:  # of this program, such as a state that cannot be made
            found.append(f"{number}: {one}: the try itself failed: {type(error).__name__}: {error}")
        else:
            continue
        print(found[-1][:700], flush=True)
    print(f"{count} states, {commands} commands, {len(found)} did not hold", flush=True)
    return found


if __name__ == "__main__":
    names = ("world", "state", "command", "place")
    chosen = {name: word for name, word in zip(names, sys.argv[4:]) if word != "-"}
    sys.exit(bool(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), chosen)))
