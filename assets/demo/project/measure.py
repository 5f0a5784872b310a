"""What one report costs: the lines of Python it executes on sources of the standard library.

Counted lines instead of milliseconds make the number exact: the same on every run, on a busy machine as
on an idle one, so one run decides whether a change is better. They stand for real work: the program runs
from start to end on real input, and every executed line counts, also in the library functions it calls.
What the count leaves out is the cost of a single line: work moved into C is free. It depends on the
Python version, so compare within one.

Run it with `python3 -B`: a stale compiled file would be measured in place of the last edit.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from types import FrameType
from typing import Any, Callable

from concord.report import summary

MODULES = ("bisect", "colorsys", "fnmatch", "heapq", "sched", "shlex", "stat", "textwrap")


def corpus() -> list[str]:
    """Paths of the measured sources, always the same ones in the same order."""
    folder = sysconfig.get_path("stdlib")
    paths = [os.path.join(folder, f"{module}.py") for module in MODULES]
    missing = [path for path in paths if not os.path.exists(path)]
    if missing:
        sys.exit(f"the standard library's sources are not installed: {', '.join(missing)}")
    return paths


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python `work` executes, all functions it calls included."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        if event == "line":
            count += 1
        return trace

    sys.settrace(trace)
    try:
        work()
        if sys.gettrace() is not trace:
            sys.exit("the program switched the counter off")
    finally:
        sys.settrace(None)
    return count


if __name__ == "__main__":
    paths = corpus()
    print(f"METRIC lines_run={lines_run(lambda: summary(paths))}")
