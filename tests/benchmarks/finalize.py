"""Finalize random histories and count how they end: `python -m tests.benchmarks.finalize [COUNT] [FIRST_SEED]`.

Each is a real run in real repositories (see `tests/finalize/histories.py`); a wrong branch ends this with a traceback.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]


def one(seed: int) -> str:
    """Make and judge one history; returns how it ended."""
    from tests.finalize import histories

    with tempfile.TemporaryDirectory(prefix="histories-") as folder:
        home = Path(folder)
        (home / ".gitconfig").write_text("[user]\nname = Test Person\nemail = person@example.invalid\n")
        os.environ.update(HOME=folder, GIT_CONFIG_GLOBAL=str(home / ".gitconfig"), GIT_CONFIG_NOSYSTEM="1")
        made = histories.make(home / "histories", seed)
        side = " with a companion" if len(made.repos) > 1 else ""
        return histories.judge(made) + side


def main(count: int, first: int) -> None:
    """Print a table of the endings."""
    start = time.monotonic()
    with ProcessPoolExecutor(2) as pool:
        endings = Counter(pool.map(one, range(first, first + count), chunksize=4))
    print(f"{count} histories, seeds {first} to {first + count - 1}, {time.monotonic() - start:.0f} s\n")
    print("| ending | histories |\n|---|--:|")
    for ending, number in sorted(endings.items()):
        print(f"| {ending} | {number} |")
    print("| wrong branch | 0 |")


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["200"])[0]), int((sys.argv[2:] or ["1000"])[0]))
