"""Run the mutants: each put into a copy of the project, with the tests that should notice.

    python3 -m tests.mutants.run [WORDS…]

runs all, or those whose name or module holds one of the words, and writes the table of README.md where all were run.
Exits 1 when a mutant could not be put in, or more survive than the page explains.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.mutants.table import TABLE, Mutant

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = Path(__file__).with_name("README.md")
PARTS = ("scripts", "tests", "docs", "references", "agents", "pyproject.toml", "SKILL.md", "GUIDE.md", "README.md")
PATIENCE = 400.0  # seconds after which tests hang: a mutant that makes them hang is noticed
ALL = 3600.0  # the same for all of these tests together, without a mutant
ALLOWED = 3  # survivors, each explained in the page
BEGIN, END = "<!-- the table -->\n", "<!-- end of the table -->\n"


class Misfit(Exception):
    """A mutant that does not fit the code any more."""


def module_of(mutant: Mutant, scripts: Path) -> Path:
    """The file that a mutant names; raises `Misfit` where there is none, or more than one that holds its text."""
    found = [path for path in scripts.rglob(f"{mutant.module}.py") if mutant.old in path.read_text("utf-8")]
    if len(found) != 1:
        where = ", ".join(str(path.relative_to(scripts)) for path in found) or "nowhere"
        raise Misfit(f"its text stands in {where}, expected one module {mutant.module}.py: {mutant.old!r}")
    if found[0].read_text("utf-8").count(mutant.old) != 1:
        raise Misfit(f"its text stands more than once in {found[0].name}, expected once: {mutant.old!r}")
    return found[0]


def test_at(name: str, place: Path) -> str:
    """A test by its path; raises `Misfit` where there is none of its name, or more than one."""
    file, _, test = name.partition("::")
    found = [path for path in (place / "tests").rglob(Path(file).name) if path.as_posix().endswith("/" + file)]
    if len(found) != 1 or (test and f"def {test}(" not in found[0].read_text("utf-8")):
        raise Misfit(f"its test is not there, expected one {name}")
    return str(found[0].relative_to(place)) + name[len(file) :]


def passes(place: Path, tests: Iterable[str], patience: float = PATIENCE) -> tuple[bool, str]:
    """Whether these tests pass in a copy, and the first line that says why not."""
    names = [test_at(name, place) for name in tests]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *names]
    with subprocess.Popen(
        command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as child:
        try:
            out, _ = child.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            return False, "it hangs"
    if child.returncode not in (0, 1):
        found = re.search(r"^(?:ERROR|E ).*", out, re.MULTILINE)
        return False, f"no test could be run: {found[0] if found else out[-200:]}"
    failed = re.search(r"^FAILED tests/\S+::(\S+)", out, re.MULTILINE)
    return child.returncode == 0, failed[1] if failed else ""


def struck(mutant: Mutant, place: Path) -> tuple[bool, str]:
    """Whether a mutant was noticed, and by which test; the copy is as it was afterwards."""
    path = module_of(mutant, place / "scripts")
    text = path.read_text("utf-8")
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        passed, why = passes(place, mutant.tests)
        return not passed, why
    finally:
        path.write_text(text, "utf-8")


def copied(place: Path) -> Path:
    """A copy of the project."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, place / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, place / part)
    return place


def line(mutant: Mutant, noticed: bool, why: str) -> str:
    """A mutant's row of the table."""
    return f"| {mutant.name} | `{mutant.module}` | {f'`{why}`' if noticed else '**survived**'} |"


def main(words: Sequence[str]) -> int:
    """Run the mutants that are asked for and return the exit code."""
    chosen = [m for m in TABLE if not words or any(word in m.name or word == m.module for word in words)]
    rows, survived, misfits, began = [], 0, 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        place = copied(Path(folder))
        tests = dict.fromkeys(name for mutant in chosen for name in mutant.tests)
        try:
            whole, why = passes(place, tests, ALL)
        except Misfit as misfit:
            print(f"error: {misfit}; correct tests/mutants/table.py", file=sys.stderr)
            return 1
        if not whole:
            print(f"error: without a mutant {why} fails, expected a pass; mend that first", file=sys.stderr)
            return 1
        for number, mutant in enumerate(chosen, 1):
            try:
                noticed, why = struck(mutant, place)
            except Misfit as misfit:
                misfits += 1
                print(f"{number}/{len(chosen)} MISFIT {mutant.name}: {misfit}", flush=True)
                continue
            survived += not noticed
            rows.append(line(mutant, noticed, why))
            print(f"{number}/{len(chosen)} {'noticed' if noticed else 'SURVIVED'} {mutant.name}: {why}", flush=True)
    said = f"{len(rows)} mutants, {survived} survived, {misfits} fit no more, {time.monotonic() - began:.0f} s"
    print(said)
    if len(rows) == len(TABLE):
        head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        table = "\n".join(["| Fault | Module | Noticed by |", "|---|---|---|", *rows])
        PAGE.write_text(f"{head}{BEGIN}\n{table}\n\n{END}{rest.partition(END)[2]}", "utf-8")
    return 1 if misfits or survived > ALLOWED else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
