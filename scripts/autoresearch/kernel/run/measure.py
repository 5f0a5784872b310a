"""Measuring: one check run to its sample, and a candidate against the retained tree under noise."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

from .. import ports
from ..core import metric, timelimit
from ..core.choices import EXECUTOR, NOTHING
from ..core.errors import Postponed, Refusal
from ..core.frozen import Any, dataclass, field, replace
from ..core.numbers import median, plain
from ..core.settings import Config
from ..core.text import listing, one_line
from ..core.timelimit import TimeLimit
from ..disk import evidence, hashes
from ..system import process
from . import evaluator_lock
from .tree import Guarded

Start = Callable[[str], tuple[process.Finished, str]]  # runs a command: how it ended, what it deleted
Rest = Callable[[], "VerifyRun"]

# What says why a check failed: an error, but no stack frame, no banner, nor `make: *** [bench] Error 2`.
_TELLING = re.compile(r"(?!\s*at |=|make|.*Warning).*(?:Error|error:|failed|FAILED|assert)")
_WORDED = re.compile(r"(?!make|.*Warning).*\w")
_TAIL = 1 << 16
# A build of everything takes longer than a check; nothing waits for ever (seconds).
PREPARE_LIMIT = 7200.0


@dataclass(frozen=True)
class Sample:
    """One run of a check: its metric or why there is none, its other numbers, and seconds.

    `form` is how a usable number was printed, also by a run that failed otherwise; "" without one. `late` is set when
    the hard limit ended it; `load` is how busy the machine was (`machine.busy`); `cost` what the run itself cost
    (seconds, bytes, by the names of the setting `measure`).
    """

    value: Decimal | None
    problem: str
    seconds: float
    exit_code: int | None
    others: Mapping[str, Decimal] = field(default_factory=dict)
    form: Mapping[str, Any] = field(default_factory=dict)
    late: bool = False
    load: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Decimal] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The sample as evidence keeps it."""
        return {
            "value": self.value,
            "problem": self.problem,
            "seconds": Decimal(f"{self.seconds:.4f}"),
            "exit_code": self.exit_code,
            "others": dict(self.others),
            **({"load": dict(self.load)} if self.load else {}),
            **({"cost": dict(self.cost)} if self.cost else {}),
        }


@dataclass(frozen=True)
class Bench:
    """Where checks run and what bounds them: checkout, evidence folder, time limit, a mark for their processes, and
    the evaluator's digests, which are compared after each run."""

    tree: Path
    folder: Path
    config: Config
    limit: TimeLimit
    mark: str
    lock: Mapping[str, str] = field(default_factory=dict)
    within: tuple[str, ...] = ()  # the command line of the sandbox that checks run in
    results: tuple[str, ...] = ()  # files that every run of verify writes: one that is older is no result of this run
    guarded: Guarded = Guarded()  # what no check may take away; it is put back
    until: float = float("inf")  # on the monotonic clock: what runs then is ended


def limit_of(config: Config, seconds: float | None, slowest: float | None = None) -> TimeLimit:
    """How long a run of verify may take, given what one usually takes and the slowest run so far (seconds)."""
    return timelimit.limit(None if config.verify_timeout is None else float(config.verify_timeout), seconds, slowest)


@dataclass(frozen=True)
class VerifyRun:
    """One run of verify as it was read: how it ended, what it deleted, and what of a `Sample` is known by then."""

    done: process.Finished
    cleaned: str
    value: Decimal | None
    problem: str = ""
    others: Mapping[str, Decimal] = field(default_factory=dict)
    form: Mapping[str, Any] = field(default_factory=dict)
    load: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Decimal] = field(default_factory=dict)


def verify(bench: Bench, name: str, keep: int = evidence.OUTPUT_LIMIT) -> Sample:
    """Run verify once; its output goes to the evidence folder under `name`."""
    unready = prepared(bench, name)
    if unready:
        return Sample(None, unready, 0.0, None)
    file = bench.config.metric_from.partition(":")[2]
    bench = replace(bench, results=tuple(dict.fromkeys((*bench.results, *filter(None, [file])))))
    stamps = hashes.stamps(bench.tree, bench.results)
    ran = _read(bench, lambda command: _run(bench, command, name, keep))
    done = ran.done
    problem = ran.cleaned or _tampered(bench) or _failure(done, bench.config.verify_exit == "any", bench.limit.hard)
    problem = problem or _stale(bench, stamps)
    if done.timed_out and ran.value is not None:
        problem += f"; it had printed its number ({plain(ran.value)}) and then hung: let the check end by itself"
    problem = problem or ran.problem
    form = {} if ran.value is None else ran.form
    value = None if problem else ran.value
    known = done.duration, done.exit_code, ran.others, form, done.timed_out, ran.load, ran.cost
    return Sample(value, problem, *known)


def _read(bench: Bench, start: Start) -> VerifyRun:
    """Run verify and read its number: each that stands around it is asked before those behind it."""
    rest = partial(_lines, bench, start)
    for around in reversed(list(ports.asked("measure", "around"))):
        rest = partial(around, bench, start, rest)
    return rest()


def _lines(bench: Bench, start: Start) -> VerifyRun:
    """What the kernel reads by itself: METRIC lines."""
    config = bench.config
    asked = next((flag for flag in ("metric_from", "metric_pattern") if getattr(config, flag)), "")
    asked = "measure" if config.measure != NOTHING else asked
    if asked:
        raise Refusal(f"--{asked.replace('_', '-')} has nobody who knows it here, expected its feature; install again")
    done, cleaned = start(config.verify)
    read = metric.read(done.stdout.decode("utf-8", "replace"), config.metric_key or config.metric)
    return VerifyRun(done, cleaned, *read, {"kind": "METRIC line"})


def prepared(bench: Bench, name: str) -> str:
    """Run the preparation, outside the limit and the time of verify; why it failed, or ""."""
    if not bench.config.prepare:
        return ""
    ready = replace(bench, limit=TimeLimit(max(PREPARE_LIMIT, bench.limit.hard)))
    done, cleaned = _run(ready, bench.config.prepare, f"{name}-prepare" if name else "", evidence.OUTPUT_LIMIT)
    problem = cleaned or _tampered(bench) or _failure(done, False, ready.limit.hard)
    return f"the preparation failed: {problem}" if problem else ""


def _stale(bench: Bench, before: Mapping[str, tuple[int, ...]]) -> str:
    """The result files that this run did not write, though every run of the baseline did."""
    after = hashes.stamps(bench.tree, bench.results)
    old = [name for name in bench.results if after[name] and after[name] == before[name]]
    return f"{listing(old, 2)} was written before this run, so its number is not of this run" if old else ""


def passes(bench: Bench, command: str, name: str) -> tuple[bool, str, float]:
    """Run a pass-or-fail check (guard, confirm): whether it passed, why not, and its seconds.

    Parts that are joined by `&&` run one by one, so that the reason names the one that failed; evidence keeps what
    that one printed, else what all did. Without a `name` nothing that it prints is written anywhere.
    """
    parts, seconds, said = _parts(command), 0.0, [b"", b""]
    for label, text in parts:
        done, cleaned = _guarded(bench, text, max(1.0, bench.limit.hard - seconds))
        seconds += done.duration
        said = [earlier + now for earlier, now in zip(said, (done.stdout, done.stderr))]
        problem = cleaned or _tampered(bench) or _failure(done, False, bench.limit.hard)
        if problem:
            problem = f"{label}: {problem}" if len(parts) > 1 else problem
            said = [done.stdout, done.stderr]
            break
    if name:
        for stream, data in zip(("out", "err"), said):
            evidence.write_bytes(bench.folder / f"{name}.{stream}", data, evidence.OUTPUT_LIMIT)
    return not problem, problem, seconds


def _parts(command: str) -> list[tuple[str, str]]:
    ask = ports.first("measure", "parts")
    return [(part.label, part.command) for part in ask(command)] if ask else [("", command)]


def _run(bench: Bench, command: str, name: str, keep: int) -> tuple[process.Finished, str]:
    done, cleaned = _guarded(bench, command, bench.limit.hard)
    if name:
        evidence.write_bytes(bench.folder / f"{name}.out", done.stdout, keep)
        evidence.write_bytes(bench.folder / f"{name}.err", done.stderr, keep)
    return done, cleaned


def _guarded(bench: Bench, command: str, limit: float) -> tuple[process.Finished, str]:
    """How a command ended, and what it deleted that was not its own, "" for nothing."""
    known = [kept(bench.guarded) for kept in ports.asked("measure", "kept")]
    try:
        done = _started(bench, command, limit)
    except BaseException:
        for put_back in known:
            put_back()
        raise
    return done, " and ".join(filter(None, (put_back() for put_back in known)))


def _started(bench: Bench, command: str, limit: float) -> process.Finished:
    """Run it here, or where the run's executor says."""
    limit = max(0.1, min(limit, bench.until - time.monotonic()))
    if bench.config.executor == EXECUTOR:
        return process.run_shell(command, bench.tree, limit, {}, bench.mark, process.Limits(within=bench.within))
    for run in ports.asked("measure", "run"):
        done: process.Finished = run(bench, command, limit)
        return done
    raise Refusal(
        f"the executor {one_line(bench.config.executor, 60)} is not there, expected local; correct --executor"
    )


def _tampered(bench: Bench) -> str:
    moved = evaluator_lock.changed(bench.tree, bench.lock)
    return f"the evaluator changed during the run: {listing(moved, 3)}" if moved else ""


def _failure(done: process.Finished, any_exit: bool, limit: float) -> str:
    if done.timed_out:
        return (
            f"took longer than {limit:.0f} s and was ended; a build of what was edited belongs into --prepare, "
            "a longer check needs --verify-timeout"
        )
    if done.overflowed:
        return "printed more than 64 MiB and was ended"
    if done.signal:
        return f"ended by signal {done.signal}"
    if done.exit_code != 0 and not any_exit:
        last = _cause(done)
        return f"exit code {done.exit_code}" + (f": {last}" if last else "")
    return f"left processes behind: {listing(done.leftovers, 2)}" if done.leftovers else ""


def _cause(done: process.Finished) -> str:
    """The last line that names an error, of stderr before stdout; else the last one with a word in it."""
    streams = [out[-_TAIL:].decode("utf-8", "replace").splitlines()[::-1] for out in (done.stderr, done.stdout)]
    wanted = (_TELLING, _WORDED, re.compile(r".*\w"))
    found = (line for pattern in wanted for lines in streams for line in lines if pattern.match(line))
    return one_line(next(found, ""), 160)


@dataclass(frozen=True)
class Measurement:
    """What a candidate measured: its estimate (or the problem), all samples, and the rule's verdict under noise.

    `improves` is None when one run decides by itself (exact metrics); `outcome` tells of a discard under noise whether
    a gain worth having is excluded ("no gain") or not ("undecided"); `wait` why the machine is too busy to judge it;
    `busy` how busy it was for most of the runs."""

    value: Decimal | None
    problem: str
    samples: tuple[Sample, ...]
    retained: tuple[Sample, ...] = ()
    improves: bool | None = None
    reason: str = ""
    interval: tuple[Decimal, Decimal] | None = None
    outcome: str = ""
    wait: str = ""
    busy: str = ""

    @property
    def runs(self) -> int:
        """Runs of verify, both arms."""
        return len(self.samples) + len(self.retained)

    @property
    def others(self) -> Mapping[str, Decimal]:
        """The candidate's other numbers."""
        return others(self.samples)

    @property
    def seconds(self) -> float:
        """Seconds spent in verify."""
        return sum(sample.seconds for sample in (*self.samples, *self.retained))


def others(samples: Sequence[Sample]) -> Mapping[str, Decimal]:
    """The other numbers that every one of these runs printed, each with its median."""
    shown = [sample.others for sample in samples]
    keys = [key for key in shown[0] if all(key in one for one in shown)] if shown else []
    return {key: median([one[key] for one in shown]) for key in keys}


@dataclass(frozen=True)
class Arms:
    """How to put the candidate's or the retained content into the tree, between runs."""

    show_candidate: Callable[[], None]
    show_retained: Callable[[], None]


def exact(bench: Bench, arms: Arms) -> Measurement:
    """One run decides; one that takes long is compared with the retained code before its time is held against it."""
    sample = verify(bench, "verify-1")
    if sample.late:
        retained(bench, arms, 1)
    if sample.problem or sample.seconds <= (bench.limit.soft or sample.seconds):
        return Measurement(sample.value, sample.problem, (sample,))
    return _compared(bench, arms, sample)


def _compared(bench: Bench, arms: Arms, first: Sample) -> Measurement:
    """Candidate and retained code in turns, until the candidate was quick enough once, or too slow in every round."""
    mine, theirs = [first], [retained(bench, arms, 1)]
    while too_slow(mine, theirs) and len(theirs) < timelimit.ROUNDS:
        arms.show_candidate()
        mine.append(verify(bench, f"verify-{len(mine) + 1}"))
        theirs.append(retained(bench, arms, len(mine)))
    problem = next((sample.problem for sample in mine if sample.problem), "") or too_slow(mine, theirs)
    return Measurement(None if problem else first.value, problem, tuple(mine), tuple(theirs))


def retained(bench: Bench, arms: Arms, number: int, keep: int = evidence.OUTPUT_LIMIT) -> Sample:
    """Run verify on the retained content; raises `Postponed` where even that was ended at the hard limit."""
    arms.show_retained()
    return in_time(verify(bench, f"retained-{number}", keep))


def in_time(sample: Sample) -> Sample:
    """A run of the retained code; raises `Postponed` where even that was ended at the hard limit, for that says nothing
    of the edit."""
    if sample.late:
        raise Postponed(
            f"postponed: the retained code did not end within {sample.seconds:.0f} s either, so the machine or the "
            "check is to blame, not the edit; nothing was recorded and the edit stays, repeat the command later"
        )
    return sample


def too_slow(mine: Sequence[Sample], theirs: Sequence[Sample]) -> str:
    """What is wrong with a candidate that was too slow beside the retained code in every round, else ""; a run that
    failed is no time to compare with."""
    both = seconds_of(mine), seconds_of([sample for sample in theirs if not sample.problem])
    return timelimit.too_slow(*both) if both[1] and timelimit.slower(*both, crowd(mine)) else ""


def seconds_of(samples: Sequence[Sample]) -> list[float]:
    """What each of them took."""
    return [sample.seconds for sample in samples]


def crowd(samples: Sequence[Sample]) -> float:
    """Processes that wanted each core while these ran, at the most, by the load of the machine; 1 at least."""
    return max(1.0, *(float(run.load.get("load") or 0) / float(run.load.get("cores") or 1) for run in samples))


def failed(samples: Sequence[Sample], retained: Sequence[Sample]) -> Measurement:
    """The measurement ends with the problem of the sample that gave no number, and says in which state it was run."""
    problem = next((s.problem for s in samples if s.problem), "")
    problem = problem or "the retained state: " + next((s.problem for s in retained if s.problem), "no sample")
    return Measurement(None, problem, tuple(samples), tuple(retained))
