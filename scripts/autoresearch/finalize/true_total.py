"""The true total: the baseline against the final state in turns, beside the sum of the estimates in the log.

Each keep was measured against the state before it, at another hour. Their sum is a chain of estimates; this measures
both of its ends in the same minutes, in scratch worktrees.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.numbers import median
from ..kernel.core.settings import Config
from ..kernel.disk import evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context, intent, measure
from ..kernel.run.context import Run
from ..kernel.run.measure import Arms, Bench, Sample
from ..noise import calm, outliers, paired, rule, sequential, signrank
from . import recheck
from .final_plan import starts
from .githistory import History
from .recheck import Ends, Needs

Say = Callable[[str], None]
PAIRS = 20  # of runs at the two ends, where the run's --max-runs allows as many
ALIKE = 5  # pairs that are enough where each gives the same two numbers
SECONDS = 300.0  # that the pairs of one command take, where nobody asked otherwise and five pairs fit into it
LEVEL = 0.05  # of the interval on either side
FOLDER = "total"  # of the captured output, in the evidence


@dataclass(frozen=True)
class Total:
    """One command at both ends: the middle values, the gain (positive is better) with its limits, and the runs; the
    `unit` that it prints, "" for none."""

    command: str
    before: Decimal
    after: Decimal
    gain: Decimal
    interval: tuple[Decimal, Decimal] | None
    runs: int
    unit: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The object of answers and evidence."""
        told = dict(vars(self), interval=list(self.interval) if self.interval else None)
        return told if self.unit else {name: value for name, value in told.items() if name != "unit"}


@dataclass(frozen=True)
class Unmeasured:
    """The user's own command where it gives no number, and why: the total of the check stands all the same."""

    command: str
    problem: str

    def to_dict(self) -> dict[str, Any]:
        """The object of answers and evidence."""
        return dict(vars(self))


def total(layout: Layout, needs: Needs, say: Say) -> dict[str, Any]:
    """Measure the true total and note it as evidence. Raises `Refusal` where it cannot be measured."""
    _refuse_nothing(context.load(layout))
    with intent.alone(layout):
        return noted(context.load(layout), needs, say)


def noted(run: Run, needs: Needs, say: Say) -> dict[str, Any]:
    """The same by a caller who sees to it that no trial runs."""
    _refuse_nothing(run)
    found = _measured(run, needs, say)
    answer = {**_answer(run, found), "iteration": run.state.iteration, "run_tag": run.tag, "at": context.now()}
    said = sentence(answer)
    evidence.write_json(run.layout.evidence / evidence.TOTAL, {**answer, "told": said, "message": said})
    return {**answer, "message": said}


def _refuse_nothing(run: Run) -> None:
    named = recheck.checkout_named(run)
    if run.state.line:
        raise Refusal(f"the side line {run.state.line} is open, expected the main one; go on until it is ended")
    if not run.config.measured or not run.state.keeps:
        raise Refusal("nothing was kept by a measured run here, expected a gain to measure; run trials first")
    if named:
        raise Refusal(
            f"a check names the run's own checkout ({named}), expected paths relative to it, as both ends are measured "
            "in other checkouts; leave the total out, and agree such a check for the next run"
        )


def _measured(run: Run, needs: Needs, say: Say) -> list[Total | Unmeasured]:
    ends = _ends(run)
    with recheck.checkouts(run, ends, say) as trees:
        work = trees[str(run.layout.root)]
        recheck.furnish(run, work, needs, say)
        arms = recheck.arms_of(ends, trees)
        folder = run.layout.evidence / FOLDER
        found: list[Total | Unmeasured] = []
        for number, config in enumerate(_commands(run.config)):
            most = bound(config, needs)
            known = f", about {seconds(config, needs):.0f} s at most" if not number else f", {most:.0f} s at most"
            say(f"measuring the baseline and the final state in turns{known}: {config.verify[:40]}")
            limit = measure.limit_of(config, None)
            bench = Bench(work, folder / str(number), config, limit, f"total-{os.getpid()}")
            try:
                total = _in_turns(bench, arms, run.tag, time.monotonic() + most)
                if not number:
                    _refuse_elsewhere(run, total)
                found.append(total)
            except Refusal as refusal:
                if not found:
                    raise
                found.append(Unmeasured(config.verify, str(refusal)))
        return found


_ROUNDED = Decimal("1e-6")  # of a number; a row holds fewer digits than a check may print


def _refuse_elsewhere(run: Run, found: Total) -> None:
    """Refuse a total whose start is not the run's own: the check sees something that a checkout does not have."""
    began, drifted = run.state.baseline_metric, any(row.status == "drift" for row in run.log.rows)
    if rule.is_noisy(run.config) or drifted or abs(found.before - began) <= abs(began) * _ROUNDED:
        return
    raise Refusal(
        f"the start gives {numbers.plain(found.before)} in a clean checkout and {numbers.plain(began)} in the run's, "
        "expected the same; name what git does not have with --link PATH (packages/a/node_modules) or --setup CMD"
    )


def _commands(config: Config) -> list[Config]:
    """The check, and the user's own command where the check stands in for it."""
    if not config.own_check:
        return [config]
    own = replace(
        config, verify=config.own_check, metric="", metric_key="", metric_pattern="", metric_from="", metric_form={}
    )
    # Its own noise is not known: no spread, so that no pair is set aside, and as many runs as an hour allows.
    return [config, replace(own, max_runs=None, noise={"kind": "noisy"})]


def _ends(run: Run) -> Mapping[str, Ends]:
    first = starts(run.log.events)
    places = {name: History(where) for name, (where, _) in run.trees().items() if name in first}
    return {name: Ends(history, first[name], history.head()) for name, history in places.items()}


def _in_turns(bench: Bench, arms: Arms, seed: str, end: float) -> Total:
    """Once each where the number repeats exactly, else some pairs in random order, none begun after `end`."""
    pairs: list[outliers.Pair] = []
    patience, slowest = calm.Patience(), 0.0
    while len(pairs) < _wanted(bench.config, pairs, slowest) and not (pairs and time.monotonic() > end):
        number = len(pairs) + 1
        first = sequential.order(int.from_bytes(seed.encode()[:8], "big"), number)
        if rule.is_noisy(bench.config):
            patience.wait()
        found = {}
        for candidate in (first, not first):
            found[candidate] = _run(bench, arms, candidate, number)
            bench = _read_alike(bench, found[candidate])
        slowest = max(slowest, *(sample.seconds for sample in found.values()))
        pairs.append((_value(found[True], True), _value(found[False], False)))
    return of_pairs(pairs, bench.config)


def _read_alike(bench: Bench, sample: Sample) -> Bench:
    """The bench for the runs after the first: the user's own command too is read the same way each time, so that
    `1.2 s` and `316 ms` are not compared as they stand."""
    if bench.config.metric_form or not sample.form:
        return bench
    return replace(bench, config=replace(bench.config, metric_form=sample.form))


def _wanted(config: Config, pairs: Sequence[outliers.Pair], slowest: float) -> int:
    """Pairs to run: one where the number repeats exactly, fewer where the same comes out again and again."""
    if not rule.is_noisy(config):
        return 1
    wanted = max(1, min(PAIRS, paired.cap(config, slowest) // 2))
    return min(wanted, ALIKE) if len(set(pairs)) == 1 else wanted


def seconds(config: Config, needs: Needs) -> float:
    """Seconds that the check's total takes at most, by a run of it as it was at the baseline."""
    one = float(config.noise.get("seconds", 0))
    pairs = max(1, min(PAIRS, paired.cap(config, one) // 2)) if rule.is_noisy(config) else 1
    return max(min(2 * pairs * one, bound(config, needs)), 2 * one)


def bound(config: Config, needs: Needs) -> float:
    """Seconds after which no further pair of a command begins: as asked, else enough for five."""
    return needs.seconds or max(SECONDS, 2 * ALIKE * float(config.noise.get("seconds", 0)))


def _run(bench: Bench, arms: Arms, final: bool, number: int) -> Sample:
    (arms.show_candidate if final else arms.show_retained)()
    return measure.verify(bench, f"{'final' if final else 'baseline'}-{number}")


def _value(sample: Sample, final: bool) -> Decimal:
    if sample.value is None:
        state = "final state" if final else "baseline"
        raise Refusal(
            f"the {state} gives no number in a clean checkout ({sample.problem}), expected one; "
            "say what a checkout needs with --link or --setup"
        )
    return sample.value


def of_pairs(pairs: Sequence[outliers.Pair], config: Config) -> Total:
    """What pairs of (final, baseline) tell; pairs that something else disturbed are left out as in a trial."""
    kept = outliers.counted(pairs, paired.rule_of(config).steady) or list(pairs)
    gains = [numbers.gain(config.direction, mine, theirs) for mine, theirs in kept]
    level = signrank.attainable(len(gains), LEVEL) if len(gains) > math.log2(1 / LEVEL) else 0.0
    return Total(
        command=config.verify,
        before=median([theirs for _, theirs in kept]),
        after=median([mine for mine, _ in kept]),
        gain=signrank.estimate(gains),
        interval=signrank.interval(gains, level) if level else None,
        runs=2 * len(pairs),
        unit=str(config.metric_form.get("unit", "")),
    )


def _answer(run: Run, found: Sequence[Total | Unmeasured]) -> dict[str, Any]:
    state, true = run.state, found[0]
    assert isinstance(true, Total)
    claimed = numbers.gain(run.config.direction, state.claimed, state.baseline_metric)
    out: dict[str, Any] = {"claimed": {"before": state.baseline_metric, "after": state.claimed, "gain": claimed}}
    out["true"] = true.to_dict()
    if len(found) > 1:
        out["own"] = found[1].to_dict()
    ratio = _ratio(claimed, state.baseline_metric, true)
    return {**out, **({"claimed_to_true": ratio} if ratio is not None else {})}


def _ratio(claimed: Decimal, baseline: Decimal, true: Total) -> Decimal | None:
    """The gain that the log claims to the true one, each as a share of its own baseline."""
    if not baseline or not true.before or not true.gain:
        return None
    share = float(claimed) / float(baseline) / (float(true.gain) / float(true.before))
    return Decimal(f"{share:.3f}")


def sentence(answer: Mapping[str, Any]) -> str:
    """The total in words: what the log claims, what is true, and the user's own command."""
    claimed, true, own = answer["claimed"], answer["true"], answer.get("own")
    text = f"the log claims {_moved(claimed)}; measured in turns it is {_moved(true)}{_limits(true)}"
    if not own:
        return text
    told = f"no number ({own['problem']})" if "problem" in own else f"{_moved(own)}{_limits(own)}"
    return f"{text}; `{own['command']}` as you run it: {told}"


def _moved(ends: Mapping[str, Any]) -> str:
    before, after = Decimal(str(ends["before"])), Decimal(str(ends["after"]))
    share = f" ({float((after - before) / abs(before)):+.1%})" if before else ""
    unit = f" {ends['unit']}" if ends.get("unit") else ""
    return f"{numbers.plain(before)} → {numbers.plain(after)}{unit}{share}"


def _limits(found: Mapping[str, Any]) -> str:
    ends = found.get("interval")
    if not ends:
        return ""
    low, high = (numbers.plain(Decimal(f"{Decimal(str(end)):.4g}")) for end in ends)
    return f", gain between {low} and {high}"
