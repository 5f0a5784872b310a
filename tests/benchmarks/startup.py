"""What the scripts cost beside the work they are asked to do: `startup.py [--repeats N]`.

Each figure is the median, over the repeats, of the processor time of a command with all that it starts, minus that of
a base command run right before or after it (their order alternates), so that a machine that slows down hits both. The
base is `python -c pass` in the same interpreter, and for run_trial the bare verify and guard. Where valgrind is there,
the instructions of `--help` beyond the base are counted too: they are the same on a busy machine. Writes startup.md
beside itself and exits with 1 if a figure is above its limit.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "scripts"
PASS = [sys.executable, "-c", "pass"]
VERIFY, GUARD = "cat value", "test -s value"
PERSON = {f"GIT_{role}_{key}": "bench" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
# Without the user's PYTHON settings, one of which forbids to keep what was compiled.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | PERSON


@dataclass(frozen=True)
class Figure:
    """One line of the table: milliseconds beyond the base, the limit on them, millions of instructions if counted."""

    name: str
    cost: float
    limit: float
    counted: float | None = None


def script(name: str, *args: str) -> list[str]:
    """The command line of an entry script."""
    return [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), *args]


def call(command: Sequence[str], cwd: Path) -> str:
    """Run a command that must succeed and return what it printed."""
    done = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


def seconds(command: Sequence[str], cwd: Path) -> float:
    """Run a command and return the processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call(command, cwd)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def instructions(command: Sequence[str]) -> float:
    """Millions of instructions that a command takes; hashes are the same each time."""
    counting = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
    env = {**ENVIRONMENT, "PYTHONHASHSEED": "0"}
    said = subprocess.run(counting, cwd=HERE, env=env, capture_output=True, text=True, check=True).stderr
    return int(re.findall(r"Collected : (\d+)", said)[0]) / 1e6


def cost(
    command: Sequence[str],
    base: Sequence[str],
    cwd: Path,
    repeats: int,
    prepare: Callable[[], object] = lambda: None,
) -> float:
    """Median milliseconds of `command` beyond `base`; `prepare` runs before each `command`, untimed."""
    extra = []
    for repeat in range(repeats + 1):
        prepare()
        first, second = (command, base) if repeat % 2 else (base, command)
        taken = [seconds(first, cwd), seconds(second, cwd)]
        extra.append(1000 * (taken[0] - taken[1]) * (1 if repeat % 2 else -1))
    return median(extra[1:])  # the first call compiles the modules


def make_run(folder: Path, *flags: str) -> None:
    """Make a small repository in `folder` and start a run in it."""
    folder.mkdir()
    (folder / "value").write_text("100000\n", encoding="utf-8")
    for number in range(20):
        (folder / f"module{number}.py").write_text("x = 1\n" * 50, encoding="utf-8")
    call(["git", "init", "--quiet"], folder)
    call(["git", "add", "--all"], folder)
    call(["git", "commit", "--quiet", "--message", "start"], folder)
    config = ["--mode", "loop", "--goal", "less", "--scope", "value", "--metric-name", "size"]
    config += ["--direction", "lower", "--verify", VERIFY, "--guard", GUARD, "--run-tag", "bench"]
    call(script("init_run", *config, *flags), folder)


def help_figures(repeats: int) -> list[Figure]:
    """`--help` of every script."""
    names = sorted(path.stem[len("autoresearch_") :] for path in SCRIPTS.glob("autoresearch_*.py"))
    base = instructions(PASS) if shutil.which("valgrind") else None
    found = []
    for name in names:
        command = script(name, "--help")
        taken = cost(command, PASS, HERE, repeats)
        found.append(Figure(f"{name} --help", taken, 25.0, None if base is None else instructions(command) - base))
    return found


def row(number: int, commit: str) -> str:
    """A line of the log: every fifth trial gains one, the others lose one against the first baseline."""
    gained = number // 5
    if number % 5:
        return f"{number}\t{commit}\t100001\t+{1 + gained}\t-\tdiscard\tan edit of no use, number {number}\n"
    return f"{number}\t{commit}\t{100000 - gained}\t-1\tpass\tkeep\ta small gain, number {number}\n"


def record_figure(folder: Path, rows: int, limit: float, repeats: int) -> Figure:
    """`record_iteration` on a log of `rows` rows."""
    repo = folder / f"record-{rows}"
    make_run(repo, "--baseline-metric", "100000")
    commit = call(["git", "rev-parse", "--short", "HEAD"], repo)
    with open(repo / "research-results.tsv", "a", encoding="utf-8") as log:
        log.writelines(row(number, commit) for number in range(1, rows))
    report = ["--status", "discard", "--metric", "100001", "--commit", commit, "--description", "no use"]
    taken = cost(script("record_iteration", *report), PASS, repo, repeats)
    return Figure(f"record_iteration at {rows:,} rows", taken, limit)


def trial_figure(folder: Path, repeats: int) -> Figure:
    """`run_trial`, keeps with verify and guard, beyond those two run by the shell alone."""
    repo = folder / "trial"
    make_run(repo)
    values = iter(range(99_999, 0, -1))
    base = ["sh", "-c", f"sh -c '{VERIFY}'; sh -c '{GUARD}'"]
    taken = cost(
        script("run_trial", "--description", "a small gain"),
        base,
        repo,
        repeats,
        lambda: (repo / "value").write_text(f"{next(values)}\n", encoding="utf-8"),
    )
    return Figure("run_trial beside verify and guard", taken, 150.0)


def table(figures: Sequence[Figure], repeats: int) -> str:
    """The recorded file."""
    version, load = ".".join(map(str, sys.version_info[:3])), f"{os.getloadavg()[0]:.0f} processes"
    counts = ("-" if figure.counted is None else f"{figure.counted:.1f}" for figure in figures)
    lines = [f"| {f.name} | {f.cost:.1f} | {f.limit:.0f} | {count} |\n" for f, count in zip(figures, counts)]
    return f"""# What the scripts cost

`python3 tests/benchmarks/startup.py --repeats {repeats}`: medians of {repeats}, Python {version}, while {load}
wanted {os.cpu_count()} cores (a busy machine takes longer for the same, in processor time too).
Milliseconds of processor time beyond `python -c pass`; for run_trial, beyond verify and guard run by the shell alone.
Millions of instructions by valgrind, likewise.

| command | ms | limit | instructions |
| --- | --- | --- | --- |
""" + "".join(lines)


def main() -> int:
    """Measure, write the file, print it; 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20, help="calls per figure (default 20)")
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        ENVIRONMENT["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        figures = help_figures(repeats)
        figures.append(record_figure(Path(folder), 1_000, 35.0, repeats))
        figures.append(record_figure(Path(folder), 10_000, 100.0, repeats))
        figures.append(trial_figure(Path(folder), repeats))
    text = table(figures, repeats)
    (HERE / "startup.md").write_text(text, encoding="utf-8")
    print(text, end="")
    return int(any(figure.cost > figure.limit for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
