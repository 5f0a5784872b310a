"""Benchmarks whose tool writes JSON. A benchmark's number is the median of its samples where it has them.

The samples of one run share that run's luck, so they make its number steadier; how runs differ is what the decision
rule sees, and it takes one number a run.
"""

from __future__ import annotations

from decimal import Decimal

from ..kernel.core.errors import Refusal
from .contents import Number, count, decimal, document, get, middle

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any


def pytest_benchmark(text: str) -> list[Number]:
    """`pytest --benchmark-json` (version 3 to 5): seconds by `fullname`."""
    data = document(text)
    get(data, "version", str)
    return [_pytest_one(item) for item in get(data, "benchmarks", list)]


def _pytest_one(item: Any) -> Number:
    name = get(item, "fullname", str)
    samples = get(item, "stats", dict).get("data")
    if isinstance(samples, list) and len(samples) != count(get(item, "stats/rounds"), "rounds"):
        raise Refusal(f"{name!r} has {len(samples)} samples of {get(item, 'stats/rounds')} rounds")
    value = middle(samples, name) if isinstance(samples, list) else middle([get(item, "stats/median")], name)
    return Number(name, value, "s")


def hyperfine(text: str) -> list[Number]:
    """`hyperfine --export-json`: seconds by command; a command that failed in any run has no number."""
    return [_hyperfine_one(item) for item in get(document(text), "results", list)]


def _hyperfine_one(item: Any) -> Number:
    name = get(item, "command", str)
    failed = [code for code in item.get("exit_codes") or [] if code != 0]
    if failed:
        raise Refusal(f"{name!r} failed with exit code {failed[0]}")
    times = [decimal(time, name) for time in get(item, "times", list)]
    mean = decimal(get(item, "mean"), name)
    if not times or abs(sum(times, Decimal(0)) / len(times) - mean) > mean / 10**6:
        raise Refusal(f"the times of {name!r} do not have its mean")
    return Number(name, middle(times, name), "s")


def google_benchmark(text: str) -> list[Number]:
    """Google Benchmark, `--benchmark_format=json`: CPU time by name, the median over repetitions."""
    data = document(text)
    get(data, "context", dict)
    found: dict[str, list[tuple[Decimal, str]]] = {}
    for item in get(data, "benchmarks", list):
        name = get(item, "name", str)
        if item.get("error_occurred"):
            raise Refusal(f"{name!r} failed: {item.get('error_message')}")
        if item.get("run_type", "iteration") == "iteration":
            found.setdefault(name, []).append((decimal(get(item, "cpu_time"), name), get(item, "time_unit", str)))
    for name, runs in found.items():
        if len({unit for _, unit in runs}) > 1:
            raise Refusal(f"{name!r} has several units")
    return [Number(name, middle([value for value, _ in runs], name), runs[0][1]) for name, runs in found.items()]
