"""Any text and any object to each parser for as long as asked: `python3 -m tests.faults.fuzz MINUTES`.

The generators and parsers are those of `test_parsers.py`, of which CI runs a few examples each.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from tests.faults import test_parsers as parsers  # noqa: E402

ROUND = 400


def strategies() -> dict[str, tuple[Callable[[Any], Any], st.SearchStrategy[Any]]]:
    """Each parser with what it is given."""
    found: dict[str, tuple[Callable[[Any], Any], st.SearchStrategy[Any]]] = {
        name: (parser, parsers.TEXT) for name, parser in parsers.TEXTS.items()
    }
    for name, parser in parsers.OBJECTS.items():
        found[f"{name} object"] = (parser, parsers.objects(name))
    return found


def rounds(parser: Callable[[Any], Any], strategy: st.SearchStrategy[Any]) -> int:
    """One round of one parser; how many values it was given. Raises whatever it does beside declining."""
    tried: list[None] = []

    @settings(max_examples=ROUND, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(strategy)
    def run(value: Any) -> None:
        tried.append(None)
        try:
            parser(value)
        except parsers.DECLINED:
            pass

    run()
    return len(tried)


def main(minutes: float) -> int:
    """Run rounds until the time is over; returns 1 where a parser neither answered nor declined."""
    end, tried, failed = time.monotonic() + 60 * minutes, Counter[str](), 0
    while time.monotonic() < end:
        for name, (parser, strategy) in strategies().items():
            try:
                tried[name] += rounds(parser, strategy)
            except Exception as error:
                failed += 1
                print(f"{name}: {type(error).__name__}: {str(error)[:500]}", flush=True)
    print(f"{sum(tried.values())} tries, {failed or 'none'} failed; {dict(tried)}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
