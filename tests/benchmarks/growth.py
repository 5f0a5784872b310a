"""What a longer log costs: `growth.py [ROWS …]` (10, 10,000 and 100,000 unless given); costs.py has it in its page.

CPU of a command with all that it starts, beyond `python -c pass`, and its peak memory: medians of 7. `marked` is the
usual state, in which the snapshot notes how the log's beginning folds; `whole` is a log whose snapshot notes nothing,
such as one that another tool wrote. `run_trial` is a discard with an event for each row of its log, at 4, 2,000 and
10,000 rows in turns; ms there are all of its CPU. Exits with 1 where a limit is passed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"
COMMANDS = {
    "resume_check": (),
    "supervisor_status": (),
    "record_iteration": ("--status", "refine", "--description", "another approach"),
}
REPEATS = 7
Line = tuple[str, int, str, float, float]  # state of the log, rows, command, ms of CPU, MB
QUESTIONS = 120.0  # ms of CPU for resume_check and supervisor_status at 10,000 rows
TRIAL = 1.3  # times the CPU of run_trial at 4 rows that it may cost at 2,000
RECORD, MEMORY = 500.0, 64.0  # ms and MB beyond ten rows for record_iteration at 100,000


def cost(line: Sequence[str]) -> tuple[float, float]:
    """Milliseconds of CPU and peak MB of one run."""
    pid = os.fork()
    if not pid:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.execv(line[0], list(line))
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"error: {' '.join(line)} failed")
    return 1000 * (used.ru_utime + used.ru_stime), used.ru_maxrss / 1024


def script(name: str, repo: Path, *flags: str) -> list[str]:
    """The command line of an entry script."""
    return [sys.executable, str(SCRIPTS / f"autoresearch_{name}.py"), "--repo", str(repo), *flags]


def made(folder: Path, rows: int) -> Path:
    """A repository with a reported run of so many rows."""
    repo = folder / str(rows)
    repo.mkdir()
    subprocess.run(["git", "init", "-q", str(repo)], check=True)
    flags = ("--metric-name", "cost", "--baseline-metric", "10", "--environment-summary", "x", "--goal", "less")
    subprocess.run(script("init_run", repo, *flags), check=True, capture_output=True)
    with open(repo / "research-results.tsv", "a", encoding="utf-8") as log:
        for number in range(1, rows):
            log.write(f"{number}\tabc{number:05d}\t{10 + number % 7}\t+{number % 7}\t-\tdiscard\tan edit of no use\n")
    subprocess.run(script("record_iteration", repo, *COMMANDS["record_iteration"]), check=True, capture_output=True)
    return repo


def measured(repo: Path, rows: int, base: float) -> Iterator[Line]:
    """Each command on this run: state, rows, name, milliseconds beyond `base`, MB."""
    state = repo / "autoresearch-state.json"
    for kind in ("marked", "whole"):
        for name, flags in COMMANDS.items():
            found = []
            for _ in range(REPEATS):
                data = json.loads(state.read_text())
                if kind == "whole" and data.pop("prefix", None):
                    state.write_text(json.dumps(data))
                found.append(cost(script(name, repo, *flags)))
            yield kind, rows, name, median(ms for ms, _ in found) - base, median(mb for _, mb in found)


def trial(repo: Path, value: object) -> tuple[float, float]:
    """What one trial costs."""
    (repo / "value").write_text(f"{value}\n")
    return cost(script("run_trial", repo, "--description", f"set {value}"))


def tried(folder: Path, rows: int) -> Path:
    """A repository with a measured run of so many rows, all after the second like the second: a discard."""
    repo = folder / f"trial-{rows}"
    repo.mkdir()
    (repo / "value").write_text("1000\n")
    for command in ("init -q", "add value", "-c user.name=b -c user.email=b@b commit -qm start"):
        subprocess.run(["git", *command.split()], cwd=repo, check=True)
    flags = ("--verify", "cat value", "--scope", "value", "--metric-name", "cost", "--environment-summary", "x")
    subprocess.run(script("init_run", repo, *flags, "--goal", "less"), check=True, capture_output=True)
    trial(repo, 999)
    trial(repo, 1001)
    log = repo / "research-results.tsv"
    *_, event, heads, row = log.read_text().splitlines()
    with open(log, "a", encoding="utf-8") as file:
        for number in range(3, rows):
            for line in (event, heads):
                told = {**json.loads(line.partition("event: ")[2]), "iteration": number}
                file.write(f"# event: {json.dumps(told)}\n")
            file.write(row.replace("2", str(number), 1) + "\n")
    return repo


def trials(folder: Path) -> Iterator[Line]:
    """The cost of a trial by the length of the log, in turns, so that a busy machine hits all."""
    repos = {rows: tried(folder, rows) for rows in (4, 2_000, 10_000)}
    found: dict[int, list[tuple[float, float]]] = {rows: [] for rows in repos}
    for turn in range(REPEATS + 1):
        for rows, repo in repos.items():
            found[rows].append(trial(repo, 2000 + turn))
    for rows, taken in found.items():
        yield "whole", rows, "run_trial", median(ms for ms, _ in taken[1:]), median(mb for _, mb in taken[1:])


def late(found: Sequence[Line]) -> list[Line]:
    """Those above their limit."""
    ten = next((line for line in found if line[1] == 10 and line[2] == "record_iteration"), None)
    over = [
        line
        for line in found
        if line[1] == 10_000 and line[2] not in ("record_iteration", "run_trial") and line[3] > QUESTIONS
    ]
    grown = [line for line in found if ten and line[1] == 100_000 and line[2] == "record_iteration"]
    over += [line for line in grown if ten and (line[3] - ten[3] > RECORD or line[4] - ten[4] > MEMORY)]
    tried_at = {line[1]: line for line in found if line[2] == "run_trial"}
    if tried_at and tried_at[2_000][3] > TRIAL * tried_at[4][3]:
        over.append(tried_at[2_000])
    return over


def main(sizes: Sequence[int]) -> int:
    """Measure and print."""
    base = median(cost([sys.executable, "-c", "pass"])[0] for _ in range(3 * REPEATS))
    with tempfile.TemporaryDirectory() as folder:
        found = [line for rows in sizes for line in measured(made(Path(folder), rows), rows, base)]
        found += trials(Path(folder))
    for kind, rows, name, ms, mb in found:
        print(f"{rows:>9,} {kind:8} {name:20} {ms:6.0f} ms {mb:5.0f} MB")
    print("above their limit:", late(found) or "none")
    return int(bool(late(found)))


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]] or [10, 10_000, 100_000]))
