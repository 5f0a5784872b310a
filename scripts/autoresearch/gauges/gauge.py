"""What one run of verify cost, and that cost as the metric: the port `measure`.

cpu           processor seconds, user and system, of the shell and of each process below it that was waited for; on
              Linux also of those that were left without a parent (wait4(2))
wall          seconds until the shell had ended
rss           peak resident memory in MB of the largest single process among these, not their sum (`ru_maxrss` of
              getrusage(2))
instructions  instructions in user mode, as `perf stat` counts them, children included
callgrind     instructions of all processes as valgrind's callgrind counts them
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from ..kernel.core.choices import EXECUTOR, NOTHING
from ..kernel.core.frozen import replace
from ..kernel.core.numbers import median, plain
from ..kernel.core.settings import Config
from ..kernel.run.measure import VerifyRun
from ..kernel.system import process
from ..kernel.system.git import Repo
from ..reading import printed, screen
from ..reading.form import MEASURE, Form
from ..reading.printed import Reading

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

    from ..kernel.run.measure import Bench, Rest, Start


UNITS = {"wall": "s", "cpu": "s", "rss": "MB", "instructions": "", "callgrind": ""}
_COUNTED = ("instructions", "callgrind")
_QUICK = 60.0  # seconds a run may take that a dry run repeats to count its instructions
_TIMES = ("wall", "cpu", *_COUNTED)  # what means the same to somebody who wants it faster


def around(bench: Bench, start: Start, rest: Rest) -> VerifyRun:
    """Run verify: its cost beside its number, or as its number. Raises `Refusal` where that is not counted."""
    config = bench.config
    if config.measure == NOTHING or config.metric_from:
        ran = rest()
        return replace(ran, cost=cost(config, ran.done))
    done, cleaned, spent = run(config, start)
    found = reading(config, done, spent)
    return VerifyRun(done, cleaned, found.value, found.problem, found.others, found.form.to_dict(), cost=spent)


def run(config: Config, start: Start) -> tuple[process.Finished, str, Mapping[str, Decimal]]:
    """Run verify by `start`: how it ended, what it deleted, its cost. Raises `Refusal` where that is not counted."""
    if config.measure not in _COUNTED:
        done, cleaned = start(config.verify)
        return done, cleaned, cost(config, done)
    from . import perf

    with perf.counting(config.verify, config.measure) as counted:
        done, cleaned = start(counted.command)
        found = counted.instructions()
    return done, cleaned, {**cost(config, done), **({} if found is None else {config.measure: found})}


def cost(config: Config, done: process.Finished) -> Mapping[str, Decimal]:
    """The cost of a run in the units of `UNITS`; without what the system does not tell, nothing for a run elsewhere."""
    if config.executor != EXECUTOR:
        return {}
    known = {"wall": Decimal(f"{done.duration:.4f}"), "cpu": Decimal(f"{done.cpu:.6f}")}
    return {**known, "rss": Decimal(done.rss) / 10**6} if done.rss > done.floor else known


def reading(config: Config, done: process.Finished, spent: Mapping[str, Decimal]) -> Reading:
    """The cost that is the metric, in one form for all runs; METRIC lines of the check are its other numbers."""
    name = config.measure
    if done.timed_out:
        return Reading(None, "")
    if name not in spent:
        return Reading(None, _unknown(name, done))
    form = Form(MEASURE, name, UNITS[name])
    return Reading(spent[name], "", printed.named(screen.decode(done.stdout)), form)


def _unknown(name: str, done: process.Finished) -> str:
    if name == "rss":
        least = f"{done.floor / 10**6:.0f} MB"
        return f"its largest process needs less than {least}, below which this system does not tell the peak of a child"
    return f"{'callgrind' if name == 'callgrind' else 'perf stat'} counted no instructions of this run"


def counted(config: Config, tree: Path, seconds: Decimal) -> list[Decimal]:
    """The instructions of two more runs of verify in `tree`, [] where nothing counts them or a run takes long.

    Tracked files that these write are put back.
    """
    from . import perf

    if seconds > _QUICK or not perf.counts():
        return []
    repo, found = Repo(tree), list[Decimal]()
    before = {change.path for change in repo.changes()}
    for _ in range(2):
        with perf.counting(config.verify) as one:
            process.run_shell(one.command, tree, 10 * float(seconds) + 10, {}, f"counted-{os.getpid()}")
            count = one.instructions()
        found += [] if count is None else [count]
    repo.restore([change.path for change in repo.changes() if change.path not in before and change.code != "?"])
    return found if len(found) == 2 else []


def told(config: Config, tree: Path, samples: Sequence[Mapping[str, Any]]) -> str:
    """One line for a dry run: each measure with its spread, and which measure of the time is the steadiest."""
    costs = [sample.get("cost", {}) for sample in samples]
    known = {name: [one[name] for one in costs] for name in UNITS if costs and all(name in one for one in costs)}
    if not known:
        return ""
    counts = [] if "instructions" in known else counted(config, tree, max(known["wall"]))
    known.update({"instructions": counts} if counts else {})
    line = ", ".join(f"{name} {_shown(values, UNITS[name])} {_spread(values)}" for name, values in known.items())
    times = {name: _share(known[name]) for name in _TIMES if name in known and len(costs) > 1}
    best = min(times, key=lambda name: times[name], default="")
    return f"{line}; of the time {best} is the steadiest (--measure {best})" if best else line


_CLOCK = re.compile(
    r"\b(?:m?s|ns|[µu]s|m?secs?|(?:milli|micro|nano)?(?:seconds?|sekunden?)|times?|latenc\w*|duration|speed|p\d\d\w*|fast\w*"
    r"|slow\w*|quick\w*|schnell\w*|langsam\w*|dauer|zeit|laufzeit|rapid\w*|lent\w*|temps|tiempo)\b", re.I
)  # fmt: skip
_APART = 3.0  # times less spread from which on another measure is worth telling
_CALM = 0.05  # spread of the number, as a share, below which nothing is said


def steadier(config: Config, samples: Sequence[Mapping[str, Any]]) -> str:
    """What to do about a time by the clock that varies far more than processor time does in the same runs, else ""."""
    values = [Decimal(str(sample["value"])) for sample in samples if sample.get("value") is not None]
    spent = [sample["cost"]["cpu"] for sample in samples if "cpu" in sample.get("cost", {})]
    named = f"{config.metric} {config.metric_key} {config.goal}".replace("_", " ")
    if config.measure not in (NOTHING, "wall") or len(spent) < 3 or not _CLOCK.search(named):
        return ""
    mine, cpu = _share(values), _share(spent)
    if mine < _CALM or cpu * _APART > mine:
        return ""
    return (
        f"by the clock it varies by {100 * mine:.0f} % from run to run, processor time of the same runs by "
        f"{100 * cpu:.0f} %: --measure cpu counts that instead (the whole command, no waiting) and sees smaller gains"
    )


def _shown(values: Sequence[Decimal], unit: str) -> str:
    middle = median(list(values))
    large = middle >= 10**6
    digits = plain(Decimal(f"{middle / 10**6 if large else middle:.3g}"))
    return f"{digits} {'million' if large else unit}".strip()


def _spread(values: Sequence[Decimal]) -> str:
    if len(values) < 2:
        return "in one run"
    if len(set(values)) == 1:
        return "exact"
    share = 100 * _share(values)
    return f"± {share:.0f} %" if share >= 10 else f"± {plain(Decimal(f'{share:.1g}'))} %"


def _share(values: Sequence[Decimal]) -> float:
    """The standard deviation of one run, robust, as a share of the middle."""
    from ..noise import calibration

    middle = median(list(values))
    return float(calibration.robust_spread(list(values)) / middle) if middle else 0.0
