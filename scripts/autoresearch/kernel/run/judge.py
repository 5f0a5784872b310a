"""The verdict on a committed candidate: verify, then what a would-be keep must still pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from .. import ports
from ..core import changes, decision, numbers, timelimit
from ..core.errors import Postponed
from ..core.frozen import Any, dataclass, field, replace
from ..core.text import listing
from ..core.timelimit import TimeLimit
from ..disk import bytecode, evidence
from ..system.git import Repo
from . import evaluator_lock, exact, measure
from .context import Run
from .intent import Intent
from .measure import Arms, Bench, Measurement

# A gain this many times the best one so far is measured again before it is believed, and flagged in the report.
UNLIKELY = 5
SIMPLIFY = "simplify"


@dataclass(frozen=True)
class Verdict:
    """Status and guard for the row, the reason, a note for the description, and the checks that were run.

    `failed` is what a discard failed by: screen, metric, require, guard, confirm or labels; `told` goes to event and
    answer.
    """

    status: str
    guard: str
    reason: str
    measurement: Measurement
    note: str = ""
    unlikely: bool = False
    checks: Mapping[str, str] = field(default_factory=dict)
    failed: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)


def judge(run: Run, bench: Bench, note: Intent, labels: Sequence[str]) -> Verdict:
    """Measure the committed candidate and decide; the tree holds the candidate's content afterwards."""
    sides = arms_of(note)
    turned = _turned_away(run, bench, sides)
    if turned:
        return Verdict("discard", "-", turned, Measurement(None, turned, ()), turned, failed="screen")
    try:
        measured = exact.rule().measured(bench, sides, run.state.current_metric, note.seed)
    except Postponed:
        sides.show_candidate()
        raise
    sides.show_candidate()
    moved = evaluator_lock.violated(run)
    if moved and not measured.problem:
        measured = replace(measured, value=None, problem=f"the evaluator changed during the run: {listing(moved, 3)}")
    if measured.value is None:
        return _crash(measured)
    outcome = decide(run, measured)
    simpler = not outcome.improved and _kept_as_simpler(run, note, measured, labels)
    if not outcome.improved and not simpler:
        said = decision.UNDECIDED if measured.outcome == decision.UNDECIDED else ""
        return Verdict("discard", "-", measured.reason or outcome.reason, measured, said, failed="metric")
    verdict = _survives(run, bench, measured, labels, measured.reason or outcome.reason)
    if simpler and verdict.status == "keep":
        verdict = replace(
            verdict, reason="kept by rule: metric equal, lines only deleted", note="equal metric, simpler"
        )
    return verdict


def _turned_away(run: Run, bench: Bench, arms: Arms) -> str:
    """Why the quick check spares the full one (the port `screening`), or ""; the candidate's content is shown after."""
    reasons = (spared(run, bench, arms) for spared in ports.asked("measure", "spared"))
    found: str = next((reason for reason in reasons if reason), "") if run.config.screen else ""
    arms.show_candidate()
    return found


def _crash(measured: Measurement, unlikely: bool = False) -> Verdict:
    said = f"crash: {measured.problem}"
    return Verdict("crash", "-", said, measured, said, unlikely)


def decide(run: Run, measured: Measurement) -> decision.TrialOutcome:
    """Whether the metric improved: the rule's word under noise, else by comparison and the smallest wanted gain."""
    current, config = run.state.current_metric, run.config
    if measured.improves is not None:
        better = (
            measured.improves
            and measured.value is not None
            and numbers.better(config.direction, measured.value, current)
        )
        return decision.TrialOutcome("keep" if better else "discard", better, measured.reason)
    outcome = decision.decide(config.direction, current, measured.value, "-", False)
    assert measured.value is not None
    if outcome.improved and numbers.gain(config.direction, measured.value, current) < config.min_delta:
        return decision.TrialOutcome("discard", False, f"gain below the wanted {numbers.plain(config.min_delta)}")
    return outcome


def arms_of(note: Intent) -> Arms:
    """Swap the trees between candidate and retained content; HEAD stays at the trial's commit."""
    return arms([(Repo(Path(place.tree)), place.base, place.trial) for place in note.places.values() if place.trial])


def arms(sides: Sequence[tuple[Repo, str, str]]) -> Arms:
    """Swap trees between two contents: each repository with the retained commit and the candidate, which it shows."""
    shown, turns = {"candidate": True}, bytecode.Turns()

    def show(candidate: bool) -> None:
        """Put the wanted content into every repository."""
        if shown["candidate"] != candidate:
            for repo, base, tip in sides:
                ends = (base, tip) if candidate else (tip, base)
                turns.leave(not candidate, repo.root, repo.changed_paths(*ends))
                repo.switch_content(*ends)
                turns.enter(candidate, repo.root)
            shown["candidate"] = candidate

    return Arms(lambda: show(True), lambda: show(False))


def _survives(run: Run, bench: Bench, measured: Measurement, labels: Sequence[str], reason: str) -> Verdict:
    """A would-be keep: repeat an unlikely gain, then requirements, guard, confirm, labels; one failure discards."""
    unlikely = is_unlikely(run, measured)
    if unlikely:
        measured = _again(run, bench, measured)
        if measured.value is None:
            return _crash(measured, True)
    missed = exact.rule().missed(run.config, measured)
    if missed:
        return Verdict("discard", "-", f"required: {missed}", measured, missed, unlikely, failed="require")
    guard, problem = guarded(run, bench)
    checks = {"guard": problem or guard}
    if guard == "fail":
        return Verdict("discard", guard, f"guard failed: {problem}", measured, "", unlikely, checks, "guard")
    if run.config.confirm and not _confirmed(run, bench):
        said = "confirm failed"
        return Verdict("discard", guard, said, measured, said, unlikely, {**checks, "confirm": "fail"}, "confirm")
    if run.config.confirm:
        checks["confirm"] = "pass"
    outcome = decision.gate_labels(decision.TrialOutcome("keep", True, reason), run.config.required_keep_labels, labels)
    note = outcome.reason if outcome.status == "discard" else ""
    return Verdict(outcome.status, guard, outcome.reason, measured, note, unlikely, checks, "labels" if note else "")


def _again(run: Run, bench: Bench, measured: Measurement) -> Measurement:
    """Run verify once more; pairs have repeated the gain already. What is not repeated is no number."""
    if len(measured.samples) > 1:
        return measured
    sample = measure.verify(bench, "verify-again")
    both = replace(measured, samples=(*measured.samples, sample))
    if sample.value is not None and _repeats(run, measured, sample.value):
        worse = max if run.config.direction == "lower" else min
        return replace(both, value=worse(s.value for s in both.samples if s.value is not None))
    seen = sample.problem if sample.value is None else numbers.plain(sample.value)
    return replace(both, value=None, problem=f"not repeatable: {seen} at the second run")


def _repeats(run: Run, measured: Measurement, value: Decimal) -> bool:
    if measured.improves is None:
        return value == measured.value
    least: Decimal = exact.rule().threshold(run.config)
    return numbers.gain(run.config.direction, value, run.state.current_metric) > least


def is_unlikely(run: Run, measured: Measurement) -> bool:
    """Whether the gain is out of proportion: several times the best gain so far, or most of what is left."""
    assert measured.value is not None
    current, direction = run.state.current_metric, run.config.direction
    gain = numbers.gain(direction, measured.value, current)
    kept = [row for row in run.log.rows if row.is_main and row.status == "keep"]
    earlier = [abs(Decimal(row.delta)) for row in kept if numbers.is_number(row.delta)]
    if earlier:
        return gain > UNLIKELY * max(earlier)
    return abs(gain) * 10 > abs(current) * 9 if current else False


def guarded(run: Run, bench: Bench) -> tuple[str, str]:
    """What the guard says of the tree, `pass`, `fail` or `-`, and why it failed."""
    if not run.config.guard:
        return "-", ""
    seconds = run.config.noise.get("guard_seconds")
    limit = TimeLimit(timelimit.hang(float(seconds))) if seconds is not None else bench.limit
    passed, problem, _ = measure.passes(replace(bench, limit=limit), run.config.guard, "guard")
    return ("pass" if passed else "fail"), problem


def _confirmed(run: Run, bench: Bench) -> bool:
    """Run the held-out check; nothing that it prints is kept, and nobody is told more than whether it passed."""
    return measure.passes(replace(bench, limit=TimeLimit(timelimit.FIRST)), run.config.confirm, "")[0]


def _kept_as_simpler(run: Run, note: Intent, measured: Measurement, labels: Sequence[str]) -> bool:
    """Equal exact metric, the label `simplify`, and a patch that only deletes lines."""
    if SIMPLIFY not in labels or measured.improves is not None or measured.value != run.state.current_metric:
        return False
    patches = [Repo(Path(p.tree)).patch(p.base, p.trial, evidence.PATCH_LIMIT) for p in note.places.values() if p.trial]
    return changes.only_deletes(b"\n".join(patches))
