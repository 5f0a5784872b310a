"""Artifacts damaged in every way, hostile words and surroundings, limits of file size, crowds: see `__main__.py`."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.conftest import SCRIPTS, Ran
from tests.faults.stage import Problem, Stage

FILES = (
    *("research-results.tsv", "autoresearch-state.json", "autoresearch-lessons.md", "autoresearch-ideas.md"),
    *("autoresearch-launch.json", "autoresearch-runtime.json"),
    *("autoresearch-evidence/intent.json", "autoresearch-evidence/0001/trial.json", "autoresearch-evidence/trial.lock"),
)
LOOKS: tuple[tuple[str, ...], ...] = (
    *(("resume_check",), ("supervisor_status",), ("launch_gate",), ("resume_prompt",), ("commit_gate",), ("report",)),
    *(("watch", "--once"), ("doctor",), ("health_check",), ("runtime_ctl", "status"), ("lessons", "list")),
    *(("record_iteration", "--status", "refine", "--description", "x"), ("run_trial", "--description", "x")),
)


def _swapped(path: Path) -> None:
    other = path.with_name("autoresearch-state.json" if path.suffix == ".tsv" else "research-results.tsv")
    one, two = path.read_bytes() if path.exists() else b"", other.read_bytes() if other.exists() else b""
    path.write_bytes(two)
    other.write_bytes(one)


def _edited(path: Path, dice: random.Random) -> None:
    """Some bytes changed, taken out or put in."""
    data = bytearray(path.read_bytes() if path.is_file() else b"{}")
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(3)
        data[at : at + (kind > 0) * dice.randint(1, 6)] = dice.randbytes(dice.randint(0, 4)) if kind < 2 else b""
    path.write_bytes(data)


def _typed(path: Path, dice: random.Random) -> None:
    """A sound JSON in which fields have other types."""
    value: object = dice.choice([None, True, -1, 10**30, 1.5, "x" * 50, [], {}, [[{}]], "\u202e\x1b[31m", "../../x"])
    try:
        data = json.loads(path.read_text())
        where = data
        while isinstance(where, dict) and where:
            name = dice.choice(sorted(where))
            if not isinstance(where[name], dict) or dice.random() < 0.3:
                where[name] = value
                break
            where = where[name]
    except (OSError, ValueError, UnicodeDecodeError):
        data = value
    path.write_text(json.dumps(data))


def _replaced(make: Callable[[Path], object]) -> Callable[[Path, random.Random], object]:
    def act(path: Path, dice: random.Random) -> None:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        make(path)

    return act


def _text(change: Callable[[bytes], bytes]) -> Callable[[Path, random.Random], object]:
    return lambda path, dice: path.write_bytes(change(path.read_bytes() if path.is_file() else b""))


DAMAGES: dict[str, Callable[[Path, random.Random], object]] = {
    "BOM": _text(lambda data: b"\xef\xbb\xbf" + data),
    "CRLF": _text(lambda data: data.replace(b"\n", b"\r\n")),
    "NULs": _text(lambda data: data[: len(data) // 2] + b"\0" * 40 + data[len(data) // 2 :]),
    "latin-1": _text(lambda data: data + b"\xe4\xf6\xfc\n"),
    "swapped": lambda path, dice: _swapped(path),
    "twice": _text(lambda data: data + data),
    "edited": _edited,
    "typed": _typed,
    "10 MB": _text(lambda data: data + b"x" * (10 << 20)),
    "10 MB of lines": _text(lambda data: data + b"# x: y\n" * (10 << 17)),
    "torn": lambda path, dice: path.write_bytes(path.read_bytes()[: -dice.randint(1, 60)] if path.is_file() else b""),
    "empty": _text(lambda data: b""),
    "gone": _replaced(lambda path: None),
    "link to itself": _replaced(lambda path: path.symlink_to(path.name)),
    "dangling link": _replaced(lambda path: path.symlink_to("nowhere/at/all")),
    "link to a device": _replaced(lambda path: path.symlink_to("/dev/zero")),
    "pipe": _replaced(os.mkfifo),
    "folder": _replaced(Path.mkdir),
    "full folder": _replaced(lambda path: (path / "x/y").mkdir(parents=True)),
}


def plain(ran: Ran) -> None:
    """An answer, or a refusal in one line."""
    if ran.code not in (0, 1, 2):
        raise Problem(f"exit code {ran.code}: {ran.err[-300:]}")
    if ran.err.count("\n") > 1 and ran.code:
        raise Problem(f"more than one line: {ran.err[-300:]}")


def damaged(stage: Stage, dice: random.Random) -> str:
    """One artifact damaged, and one command on it: one line, and nothing of the user's is touched."""
    name, kind = dice.choice(FILES), dice.choice(sorted(DAMAGES))
    command, *flags = dice.choice(LOOKS)
    stage.again()
    path = stage.repo / name
    path.parent.mkdir(parents=True, exist_ok=True)
    DAMAGES[kind](path, dice)
    if dice.random() < 0.3:
        stage.edit(8)
    told = f"{kind} {name}, {command}"
    try:
        plain(stage.run(command, *flags))
        stage.users_files()
    except Problem as problem:
        raise Problem(f"{told}: {problem}") from None
    return told


WORDS: tuple[str, ...] = (
    "",
    " ",
    "--",
    "-",
    "\n",
    "\x1b[31mred",
    "\u202eevil",
    "$(touch /tmp/pwned)",
    "`id`",
    "'; rm -rf /",
    "\\",
    "%s%n",
)
WORDS += ("a" * 100_000, "NaN", "inf", "1e999999", "-0", "1_000", "٣", "0x10", "9" * 400, "../../etc/passwd", "/", "~")
WORDS += ("\udcff", "[labels: a, b] x", "[RETRY 3] x", "# event: {}", "\t\t", "é" * 300)
FLAGS: tuple[tuple[str, ...], ...] = (
    *(("record_iteration", "--status", "refine", "--description"), ("record_iteration", "--status")),
    *(("record_iteration", "--status", "discard", "--metric"), ("record_iteration", "--status", "refine", "--commit")),
    *(("record_iteration", "--status", "refine", "--label"), ("record_iteration", "--amend", "1", "--description")),
    *(
        ("run_trial", "--description"),
        ("run_trial", "--label"),
        ("run_trial", "--retry"),
        ("run_trial", "--hypothesis"),
    ),
    *(("init_run", "--dry-run", "--verify", "cat src/value", "--metric-name", "c", "--scope"), ("report", "--html")),
    *(("init_run", "--dry-run", "--scope", "src/", "--metric-name", "c", "--verify"), ("finalize", "--branch")),
    *(
        ("init_run", "--dry-run", *Stage.setup(), "--stop-condition"),
        ("init_run", "--dry-run", *Stage.setup(), "--until"),
    ),
    *(("init_run", "--dry-run", *Stage.setup(), "--require"), ("init_run", "--dry-run", *Stage.setup(), "--price")),
    *(
        ("lessons", "append", "--title", "t", "--strategy", "s", "--outcome", "keep", "--insight"),
        ("report", "--markdown"),
    ),
    *(("resume_check", "--results-path"), ("resume_check", "--state-path"), ("supervisor_status", "--max-stagnation")),
    *(("runtime_ctl", "logs", "--lines"), ("watch", "--once", "--results-path"), ("mode_log", "init", "--mode")),
)
PLACES: tuple[dict[str, str], ...] = (
    *({"TMPDIR": value} for value in ("relative", "/dev/null", "/missing", "", "\udcff")),
    *({"HOME": value} for value in ("/missing", "/dev/null", "")),
    *({"LC_ALL": value} for value in ("C", "POSIX", "xx_YY.UTF-8")),
    *(
        {"GIT_DIR": "/missing"},
        {"GIT_INDEX_FILE": "/dev/null"},
        {"GIT_WORK_TREE": "/"},
        {"GIT_CONFIG_GLOBAL": "/dev/zero"},
    ),
    *(
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONUTF8": "0"},
        {"COLUMNS": "-3"},
        {"TZ": "Nowhere/At"},
        {"PATH": "/missing"},
    ),
    *(
        {"AUTORESEARCH_CODEX_BIN": "/dev/null"},
        {"CODEX_HOME": "/dev/null"},
        {"XDG_CONFIG_HOME": "rel"},
        {"EDITOR": "false"},
    ),
)


def hostile(stage: Stage, dice: random.Random) -> str:
    """Words, numbers, paths and surroundings that nobody means well."""
    command, *flags = dice.choice(FLAGS)
    word, env = dice.choice(WORDS), dice.choice(PLACES) if dice.random() < 0.4 else {}
    stage.again()
    if dice.random() < 0.5:
        stage.edit(dice.choice((8, 12)))
    told = f"{command} {' '.join(flags)[-30:]} {word[:20]!r} {env}"
    try:
        encoded = {**env}
        if "PATH" in env:
            (stage.repo / "src/value").write_text("9\n")
        plain(stage.run(command, *flags, word, env=encoded))
        stage.users_files()
    except Problem as problem:
        raise Problem(f"{told}: {problem}") from None
    return told


def sized(stage: Stage, dice: random.Random) -> str:
    """A limit of file size (80 sizes, from nothing to 256 KiB): a row is whole or not there, and the run goes on."""
    size = int(1.17 ** dice.randrange(80)) if dice.random() < 0.95 else 0
    command = dice.choice(
        [
            ("run_trial", "--description", "x"),
            ("record_iteration", "--status", "refine", "--description", "x"),
            ("init_run", *Stage.setup(), "--force"),
            ("init_run", *Stage.setup(), "--dry-run"),
            ("finalize", "--branch", "done"),
            ("report", "--html", "report.html"),
            ("lessons", "append", "--title", "t", "--strategy", "s", "--insight", "i", "--outcome", "keep"),
            ("resume_check", "--write-repaired-state"),
        ]
    )
    stage.again()
    stage.edit(dice.choice((8, 12)))
    before = len(stage.statuses())
    told = f"{size} bytes, {command[0]}"
    line = [sys.executable, str(SCRIPTS / f"autoresearch_{command[0]}.py")]
    rest = [*command[1:2], "--repo", str(stage.repo), *command[2:]] if command[0] == "lessons" else None
    line += rest or ["--repo", str(stage.repo), *command[1:]]
    try:
        done = subprocess.run(
            line,
            env=stage.env,
            cwd=stage.folder,
            capture_output=True,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY)),
        )
        if any(word in done.stderr for word in ("Traceback", "unexpected ")) or done.returncode not in (0, 1, 2):
            raise Problem(f"exit code {done.returncode}: {done.stderr[-400:]}")
        (stage.repo / "report.html").unlink(missing_ok=True)
        stage.edit(stage.log().state.current_metric)  # take the edit back
        if not (command[0] == "init_run" and done.returncode == 0 and "--force" in command):
            stage.goes_on(before)
        else:
            stage.goes_on(0)
    except Problem as problem:
        raise Problem(f"{told}: {problem}") from None
    return told


def crowd(stage: Stage, dice: random.Random) -> str:
    """32 recorders at once: each that said yes has its row, in order, and readers meanwhile see a sound run."""
    stage.again()
    before = len(stage.statuses())
    line = [sys.executable, str(SCRIPTS / "autoresearch_record_iteration.py"), "--repo", str(stage.repo)]
    look = [sys.executable, str(SCRIPTS / "autoresearch_resume_check.py"), "--repo", str(stage.repo)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": stage.env, "cwd": stage.folder}
    made = [subprocess.Popen([*line, "--status", "refine", "--description", f"n{n}"], **pipes) for n in range(32)]  # type: ignore[call-overload]
    looks = [subprocess.Popen(look, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    said = [child.communicate() for child in made]
    seen = [child.communicate() for child in looks]
    yes = sum(child.returncode == 0 for child in made)
    for _, err in (*said, *seen):
        if b"Traceback" in err or b"unexpected " in err:
            raise Problem(err.decode()[-400:])
    for out, err in seen:
        if b'"full_resume"' not in out and b'"mini_wizard"' in out:
            raise Problem(f"a reader saw {out.decode()[:300]} {err.decode()[:200]}")
    if len(stage.statuses()) != before + yes or yes != 32:
        raise Problem(f"{yes} said yes, {len(stage.statuses()) - before} rows came")
    stage.goes_on(before + yes)
    return "32 recorders"


def launches(stage: Stage, dice: random.Random) -> str:
    """16 launches at once: one controller at most, and after a stop nothing is left."""
    stage.again()
    line = [sys.executable, str(SCRIPTS / "autoresearch_runtime_ctl.py"), "launch", "--repo", str(stage.repo)]
    line += [*Stage.setup(), "--salvage-runs", "0", "--codex-bin", "true", "--max-sessions", "1", "--fresh-start"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": stage.env, "cwd": stage.folder}
    made = [subprocess.Popen(line, **pipes) for _ in range(16)]  # type: ignore[call-overload]
    said = [child.communicate() for child in made]
    stage.run("runtime_ctl", "stop")
    for _, err in said:
        if b"Traceback" in err or b"unexpected " in err:
            raise Problem(err.decode()[-400:])
    if not any(child.returncode == 0 for child in made):
        raise Problem(f"none of 16 launches came about: {said[0][1].decode()[:300]}")
    stage.users_files()
    stage.quiet()
    stage.sound()
    return "16 launches"


KINDS: dict[str, Callable[[Stage, random.Random], str]] = {
    "damage": damaged,
    "hostile": hostile,
    "sizes": sized,
    "recorders": crowd,
    "launches": launches,
}


def tries(kind: str, folder: Path, count: int, first: int) -> Iterator[str]:
    """Run tries and yield what did not hold; each is drawn from its number, and so can be repeated."""
    stage = Stage(folder / kind).begun("--salvage-runs", "0").keep()
    for seed in range(first, first + count):
        try:
            KINDS[kind](stage, random.Random(seed))
        except Problem as problem:
            yield f"{kind} {seed}: {problem}"
        except Exception as error:  # of this program, such as a name that no process can be given
            yield f"{kind} {seed}: the try itself failed: {type(error).__name__}: {error}"
