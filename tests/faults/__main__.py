"""Every kind of fault from one command: `python3 -m tests.faults KIND FOLDER [TRIES [FIRST]]`, in a fast folder.

KIND is `damage`, `hostile`, `sizes`, `recorders`, `launches`, `signals`, or `steps` or `disk`, for which TRIES is
"each how manyth" and `ONLY=name,name` in the environment chooses cases. What did not hold is printed as it is
found, and at the end one line with the counts. Results: README.md.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from tests.faults import damage, signals, smalldisk, steps  # noqa: E402


def main(kind: str, folder: str, count: int = 100, first: int = 0) -> int:
    """Try, and return 1 where something did not hold."""
    if kind == "steps":
        return int(bool(steps.main(folder, count, first, os.environ.get("ONLY", ""))))
    if kind == "disk":
        ends = Counter[bool]()
        for told in smalldisk.tries(Path(folder), count, first, os.environ.get("ONLY", "")):
            ends[":" in told] += 1
            print(told, flush=True)
        print(f"disk: {sum(ends.values())} tries, {ends[True]} did not hold")
        return int(ends[True] > 0)
    if kind == "signals":
        found = signals.main(count, first, folder)
    else:
        found = []
        for problem in damage.tries(kind, Path(folder), count, first):
            print(problem, flush=True)
            found.append(problem)
    print(f"{kind}: {count} tries, {len(found)} did not hold", flush=True)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
