"""What the tool costs, in one page: `costs.py [--quick]` writes costs.md beside itself.

Time is CPU of a command with all that it starts, beyond `python -c pass` (medians), so that a busy machine moves it
little; counts (`counts.py`) it moves not at all, and those are held by tests. `startup.py` and `growth.py` measure
their parts. Exits with 1 where a limit is passed. `--quick` leaves out the large repositories and logs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from tests.benchmarks import counts, growth  # noqa: E402

REPEATS = 5
SCRIPTS = ROOT / "scripts"
FILES = (20, 50_000)
ROWS = (10, 1_000, 10_000, 100_000)
QUESTIONS = {  # commands on a run that change nothing, or one row
    "resume_check": (),
    "supervisor_status": (),
    "launch_gate": (),
    "resume_prompt": (),
    "commit_gate": (),
    "health_check": (),
    "report": (),
    "doctor": (),
    "environment": (),
    "scout": ("--goal", "less"),
    "lessons list": (),
    "ideas list": (),
    "watch --once": (),
    "record_iteration": ("--status", "refine", "--description", "another approach"),
}
PATHS = {
    "SKILL.md": (),
    "up to go": ("interaction-wizard",),
    "up to the loop": ("interaction-wizard", "runtime-hard-invariants", "loop-workflow"),
    "with pivot and search": (
        *("interaction-wizard", "runtime-hard-invariants", "loop-workflow", "pivot-protocol", "web-search-protocol"),
    ),
}


def line_of(name: str, repo: Path | None, *flags: str) -> list[str]:
    """The command line of a script, on a repository or alone."""
    verb, *first = name.split(" ")
    where = ["--repo", str(repo)] if repo else []
    return [sys.executable, str(SCRIPTS / f"autoresearch_{verb}.py"), *first, *where, *flags]


def cpu(line: Sequence[str], base: float) -> str:
    """Milliseconds of CPU beyond `base`, and the peak memory in MB, as two cells."""
    found = [growth.cost(line) for _ in range(REPEATS)]
    return f"{median(ms for ms, _ in found) - base:.0f} | {median(mb for _, mb in found):.0f}"


def counted(line: Sequence[str], folder: Path) -> str:
    """System calls, bytes written and calls of git, as three cells."""
    found = counts.traced(line, folder / "trace")
    return "- | - | -" if found is None else f"{found.calls:,} | {found.written:,} | {len(found.git)}"


def starts(base: float, folder: Path) -> Iterator[str]:
    """What each script costs before it does anything."""
    yield "## Each script\n\n`--help`.\n\n| Script | ms of CPU | peak MB | modules of ours | system calls |"
    yield "|---|---|---|---|---|"
    for path in sorted(SCRIPTS.glob("autoresearch_*.py")):
        name = path.stem.partition("_")[2]
        line = line_of(name, None, "--help")
        calls = counted(line, folder).partition(" | ")[0]
        yield f"| {name} | {cpu(line, base)} | {counts.modules(line)} | {calls} |"
    yield f"| `python -c pass` | 0 | - | 0 | {counted(counts.PASS, folder).partition(' | ')[0]} |"


def questions(base: float, folder: Path) -> Iterator[str]:
    """What a command costs on a small run, and what its answer has the agent read."""
    yield "\n## Each command on a run of four rows\n"
    yield "| Command | ms of CPU | peak MB | system calls | bytes written | calls of git | characters |"
    yield "|---|---|---|---|---|---|---|"
    (folder / "asked").mkdir()
    repo = growth.tried(folder / "asked", 4)
    for name, flags in QUESTIONS.items():
        line = line_of(name, repo, *flags)
        told = subprocess.run(line, capture_output=True, text=True, check=False)
        if told.returncode == 0:
            yield f"| {name} | {cpu(line, base)} | {counted(line, folder)} | {len(told.stdout):,} |"


def growing(base: float, folder: Path, sizes: Sequence[int], found: list[growth.Line]) -> Iterator[str]:
    """What a longer log costs; what was measured is added to `found`."""
    yield "\n## A longer log\n\n`whole`: the snapshot notes nothing of it; `marked`: the usual state.\n"
    yield "| Rows | Log | Command | ms of CPU | peak MB | bytes written |\n|---|---|---|---|---|---|"
    for rows in sizes:
        repo = growth.made(folder, rows)
        for kind, _, name, ms, mb in growth.measured(repo, rows, base):
            found.append((kind, rows, name, ms, mb))
            told = "-"
            if kind == "marked":
                told = counted(line_of(name, repo, *growth.COMMANDS[name]), folder).split(" | ")[1]
            yield f"| {rows:,} | {kind} | {name} | {ms:.0f} | {mb:.0f} | {told} |"


def peopled(folder: Path, files: int) -> Path:
    """A repository of so many files with a run."""
    repo = folder / f"files-{files}"
    for number in range(files):
        place = repo / f"d{number // 200}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"f{number}").write_text(f"{number}\n")
    (repo / "value").write_text("1000\n")
    for command in ("init -q", "add -A", "-c gc.auto=0 -c user.name=b -c user.email=b@b commit -qm start", "gc -q"):
        subprocess.run(["git", *command.split()], cwd=repo, check=True)
    flags = ("--verify", "cat value", "--scope", "value", "--metric-name", "cost", "--environment-summary", "x")
    subprocess.run(line_of("init_run", repo, *flags, "--goal", "less"), check=True, capture_output=True)
    return repo


def trials(base: float, folder: Path, sizes: Sequence[int]) -> Iterator[str]:
    """What a trial costs in a small and in a large repository."""
    yield "\n## One trial, by the files of the repository\n"
    heads = ("Files", "Outcome", "ms of CPU", "peak MB", "system calls", "bytes written", "calls of git", "of status")
    yield f"| {' | '.join((*heads, 'characters'))} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for files in sizes:
        repo = peopled(folder, files)
        for outcome, first, step in (("keep", 900, -1), ("discard", 2000, 1)):
            values = iter(range(first, first + 100 * step, step))
            spent = [growth.trial(repo, next(values)) for _ in range(REPEATS)]
            (repo / "value").write_text(f"{next(values)}\n")
            line = line_of("run_trial", repo, "--description", "x")
            found = counts.traced(line, folder / "trace")
            (repo / "value").write_text(f"{next(values)}\n")
            told = subprocess.run(line, check=True, capture_output=True, text=True).stdout
            assert json.loads(told)["status"] == outcome
            cells = f"{median(ms for ms, _ in spent) - base:.0f} | {median(mb for _, mb in spent):.0f}"
            seen = (
                f"{found.calls:,} | {found.written:,} | {len(found.git)} | {found.git.count('status')}"
                if found
                else "- | - | - | -"
            )
            yield f"| {files:,} | {outcome} | {cells} | {seen} | {len(told):,} |"


def protocols() -> Iterator[str]:
    """What an agent reads of the protocols."""
    yield "\n## What an agent reads\n\nAbout four characters are a token.\n\n| Path | Characters |\n|---|---|"
    skill = len((ROOT / "SKILL.md").read_text("utf-8"))
    for name, pages in PATHS.items():
        read = sum(len((ROOT / "references" / f"{page}.md").read_text("utf-8")) for page in pages)
        yield f"| {name} | {skill + read:,} |"
    whole = sum(len(path.read_text("utf-8")) for path in (ROOT / "references").glob("*.md"))
    yield f"| all references | {whole:,} |"


def page(base: float, folder: Path, quick: bool, grown: list[growth.Line]) -> Iterator[str]:
    """The lines of the page; what was measured of longer logs is added to `grown`."""
    yield "# What the tool costs\n"
    yield f"`python3 tests/benchmarks/costs.py`, on Python {sys.version.split()[0]}; it says what the columns are."
    yield f"CPU is told beyond that of `python -c pass`, {base:.0f} ms. What tests hold of the counts is in"
    yield "`tests/kernel/run/test_costs.py`.\n"
    yield from starts(base, folder)
    yield from questions(base, folder)
    yield from growing(base, folder, ROWS[:2] if quick else ROWS, grown)
    if not quick:
        tried = list(growth.trials(folder))
        grown += tried
        yield from (f"| {rows:,} | {kind} | {name} | {ms:.0f} | {mb:.0f} | - |" for kind, rows, name, ms, mb in tried)
    yield from trials(base, folder, FILES[:1] if quick else FILES)
    yield from protocols()


def main(quick: bool) -> int:
    """Measure, print line by line, and write the page."""
    base = median(growth.cost(list(counts.PASS))[0] for _ in range(3 * REPEATS))
    lines, grown = list[str](), list[growth.Line]()
    with tempfile.TemporaryDirectory() as place:
        for line in page(base, Path(place), quick, grown):
            print(line, flush=True)
            lines.append(line)
    if not quick:
        Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    late = growth.late(grown)
    print("above their limit:", late or "none")
    return int(bool(late))


if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv))
