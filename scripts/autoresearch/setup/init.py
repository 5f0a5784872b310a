"""Setting up a run: the checks before it, the measured baseline, the log's first row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..agreement import validity
from ..cli import own_copy
from ..findings import changed_places, places
from ..gauges import gauge
from ..guidance import units
from ..kernel.core import config, log_events, numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field, replace
from ..kernel.core.rows import Row
from ..kernel.core.settings import Config
from ..kernel.core.stop_rules import Condition
from ..kernel.core.text import block, listing, one_line
from ..kernel.disk import evidence, journal, locks
from ..kernel.disk.layout import EXEC_RUNTIME, Layout
from ..kernel.run import context, exact, intent, tempfolder
from ..kernel.run.context import Run
from ..kernel.system import interrupts
from ..kernel.system.git import Repo
from ..profiles import run_profile
from . import archiving, baseline, draft, duration, leaving_out, opening, sealing, traces

# Locked files that an answer names; the log has them all.
PROTECTED_SHOWN = 4
# Bytes at the end of the check's output that a dry run shows: what was counted is looked at before it is agreed.
PRINTED_SHOWN = 800


@dataclass(frozen=True)
class Plan:
    """What is to be set up. `metric` set means a reported baseline, else it is measured here."""

    mode: str
    config: Config
    run_tag: str = ""
    environment: str = ""
    metric: Decimal | None = None
    commit: str = ""
    description: str = ""
    repo_commits: Mapping[str, str] = field(default_factory=dict)
    force: bool = False


@dataclass(frozen=True)
class Ready:
    """A run that was set up: what the answer needs."""

    run: Run
    first: baseline.Baseline


def tag_of(plan: Plan) -> str:
    """The run's name: as given, else from the goal."""
    words = re.findall(r"[a-z0-9]+", (plan.run_tag or plan.config.goal or plan.config.metric or "run").lower())
    return "-".join(words[:6])[:48] or "run"


def start(layout: Layout, plan: Plan) -> Ready:
    """Set up a run; raises `Refusal` with nothing half-written. An old run is archived only once all is well."""
    asked = config.with_policy(plan.config, plan.mode)
    plan = replace(plan, config=replace(asked, measured=plan.metric is None))
    validity.validate(plan.config, plan.mode)
    refuse_existing(layout, plan)
    existed = layout.evidence.exists()
    try:
        with intent.alone(layout):
            return _set_up(layout, plan)
    except BaseException:
        if not existed and not layout.results.exists():
            import shutil

            shutil.rmtree(layout.evidence, ignore_errors=True)
        raise


def _set_up(layout: Layout, plan: Plan) -> Ready:
    if plan.metric is not None:
        if plan.config.side_lines:
            raise Refusal("--side-lines needs a measured run, expected no --baseline-metric; leave one of them out")
        if plan.mode == "exec" and Repo(layout.root).is_git():
            baseline.refuse_dirty(baseline.uncommitted(layout, plan.mode, plan.config))
        return _write(layout, plan, baseline.reported(plan.metric, _commit(layout, plan), plan.config))
    first = baseline.measured(layout, plan.mode, plan.config, layout.evidence / "baseline.tmp")
    return _write(layout, replace(plan, config=first.config), first)


def refuse_existing(layout: Layout, plan: Plan) -> None:
    """An existing run is not overwritten unless asked; exec mode archives it by itself. An open batch is in the way."""
    if evidence.batch_path(layout.evidence).exists():
        raise Refusal("a batch of the earlier run is open, expected none; autoresearch_run_batch.py abort drops it")
    if plan.force or plan.mode == "exec":
        return
    for path in (layout.results, layout.state):
        if path.exists():
            raise Refusal(
                f"there is already a run here ({path.name}), expected none; "
                "resume it (autoresearch_resume_check.py) or archive it with --force"
            )


def _commit(layout: Layout, plan: Plan) -> str:
    if plan.commit:
        return plan.commit
    repo = Repo(layout.root)
    head = repo.head() if repo.is_git() else ""
    return repo.short(head) if head else "-"


def _write(layout: Layout, plan: Plan, first: baseline.Baseline) -> Ready:
    """Archive what was there, then write log and snapshot; a recorder of the old run waits and sees the new one."""
    import shutil

    place = context.located(layout, plan.mode)
    with interrupts.shielded(), locks.held_if_there(layout.results):
        moved: archiving.Moves | None = None
        try:
            archiving.mend(layout)
            moved = archiving.archive(layout, keep_log=True)  # also where the new mode keeps its snapshot elsewhere
            run = _create(place, plan, first)
        except BaseException:
            if first.staging is not None:
                shutil.rmtree(first.staging, ignore_errors=True)
            if moved is not None:
                _clear(place, keep_log=any(source == layout.results for source, _ in moved))
                archiving.put_back(layout, moved)
            raise
        archiving.done(layout)
    return Ready(run, first)


def _clear(layout: Layout, keep_log: bool) -> None:
    """Remove what this start wrote; an earlier run's log comes back over the new one."""
    import shutil

    shutil.rmtree(layout.evidence / "0000", ignore_errors=True)
    for path in (layout.state, *(() if keep_log else (layout.results,))):
        path.unlink(missing_ok=True)


def _create(layout: Layout, plan: Plan, first: baseline.Baseline) -> Run:
    if plan.mode == "exec":
        layout.state.parent.mkdir(parents=True, exist_ok=True)
        # The record of a killed script is not that of this run; its own controller writes a new one.
        layout.state.with_name(EXEC_RUNTIME).unlink(missing_ok=True)
    head = opening.header(plan.config, plan.mode, tag_of(plan), one_line(plan.environment, 300))
    description = plan.description or f"initial {plan.config.metric}".strip()
    row = Row(0, "", first.commit, first.metric, "0", first.guard, "baseline", (), one_line(description))
    events = [log_events.make("start", at=context.now()), *first.events]
    commits = {**first.repo_commits, **plan.repo_commits}
    events += [log_events.make("repos", iteration=0, repo_commits=commits)] if commits else []
    first.keep_evidence(layout.evidence)
    own_copy.begin(layout.evidence)
    layout.state.unlink(missing_ok=True)
    log = opening.create(layout.results, head, events, row)
    with journal.locked(layout.results) as held:
        return context.save(Run(layout, held.log, plan.config, None), log)


def rehearse(layout: Layout, plan: Plan) -> dict[str, Any]:
    """Measure as `start` would and report, for the wizard; leaves nothing behind. A dirty tree is said, not refused."""
    from contextlib import nullcontext

    plan = replace(plan, config=replace(plan.config, measured=True))
    validity.validate(plan.config, plan.mode)
    busy = locks.held(evidence.lock_path(layout.evidence), intent.BUSY) if layout.evidence.is_dir() else nullcontext()
    with busy, traces.swept(Path(plan.config.worktree or layout.root)), tempfolder.folder("rehearsal") as folder:
        first = baseline.measured(layout, plan.mode, plan.config, folder / "baseline", strict=False)
        printed = _end_of(folder / "baseline" / "verify-1.out")
        size = _size(first, folder / "baseline")
        failed = _failed_guard(folder / "baseline") if first.guard == "fail" else {}
    found = {"existing_run": layout.results.exists(), "dirty": list(first.dirty)}
    told = figures(first)
    told["warnings"] += first.advice  # a matter before "go": the answer of a start says no more of it
    goal = plan.config.stop_at(plan.mode)
    told["warnings"][:0] = [*draft.cautions(plan.config.verify, printed), *_reached(first, goal), *_steadier(first)]
    if first.dirty:
        told["warnings"].insert(
            0,
            f"uncommitted changes inside the scope: {listing(first.dirty, 3)}; the start is refused until they are "
            "committed or put away, unless a background run takes its own worktree",
        )
    sealed = any(sealing.sealed(Path(repo.path)) for repo in plan.config.repos)
    refused = first.dirty or "fail" in (first.guard, first.confirm) or sealed
    # Output of a run is data; its lines are a list, so that none of them passes for a line of the answer.
    lines = block(printed, PRINTED_SHOWN).strip("\n").split("\n")
    told = {**told, **failed, **found, "startable": not refused, "check_printed": lines}
    tree = Path(plan.config.worktree or layout.root)
    told = {**told, **_cost(first, tree), "message": sentence(plan.config, first), "size": size}
    told.update(run_profile.rehearsed(plan.config, tree))
    return {**told, "draft": draft.lines(replace(first.config, stop_condition=str(goal or "")), told["message"], told)}


def _failed_guard(folder: Path) -> dict[str, Any]:
    """What a guard that fails today said, and for pytest the flags that leave those tests out."""
    lines = sorted(changed_places.telling(folder, "guard"), key=lambda line: not line.startswith(("FAILED", "ERROR")))
    names = leaving_out.named(folder, "guard")
    lines = lines or [line for line in _end_of(folder / "guard.out").splitlines() if line.strip()][-4:]
    said: dict[str, Any] = {"guard_said": lines[:8], "guard_fails": names} if lines or names else {}
    few = 0 < len(names) <= 8
    return {**said, "guard_without_them": f"add to its pytest: {leaving_out.flags(names)}"} if few else said


def _reached(first: baseline.Baseline, goal: Condition | None) -> list[str]:
    """What is said of a run whose end, or a count's least value, is there before it starts."""
    if goal is not None and goal.holds(first.metric):
        end = f"the end of the run ({goal}) is reached before it starts"
    elif first.metric == 0 and first.config.direction == "lower" and first.config.noise["kind"] == "exact":
        end = "the number is 0 before the run starts"
    else:
        return []
    return [
        f"{end}: either there is nothing to do, or the check does not see what fails; compare its number with the "
        "output it counts"
    ]


def rehearse_guard(layout: Layout, plan: Plan) -> dict[str, Any]:
    """The guard alone on the tree as it is, while it is being chosen; nothing else is run or noted."""
    with traces.swept(layout.root), tempfolder.folder("rehearsal") as folder:
        state, problem, seconds = baseline.guard_alone(layout, plan.config, folder / "guard")
        printed = _end_of(folder / "guard" / "guard.out")
    text = block(printed, PRINTED_SHOWN).strip("\n")
    lines = text.split("\n") if text else []
    told = f"the guard passes on the tree as it is, in {_told(seconds)}" if state == "pass" else problem
    return {"guard": state, "guard_seconds": round(seconds, 3), "guard_printed": lines, "message": told}


def _cost(first: baseline.Baseline, tree: Path) -> dict[str, str]:
    """What a run of verify itself costs, with the spread of each measure; of no use for a shipped check, which counts
    or times by itself."""
    told = "" if draft.is_shipped(first.config.verify) else gauge.told(first.config, tree, _samples(first))
    return {"cost": told} if told else {}


def _steadier(first: baseline.Baseline) -> list[str]:
    """Advice to count processor time; none for a shipped check, which counts it by itself."""
    said = "" if draft.is_shipped(first.config.verify) else gauge.steadier(first.config, _samples(first))
    return [said] if said else []


def _samples(first: baseline.Baseline) -> list[dict[str, Any]]:
    return list(next(event["samples"] for event in first.events if event.get("kind") == "samples"))


def _size(first: baseline.Baseline, folder: Path) -> str:
    """How large one experiment is to be, by the noise and by the findings that the check shows."""
    return draft.size(first.config.noise["kind"] == "exact", len(places.found(_printed(folder))))


def _printed(folder: Path) -> str:
    """What the first run of verify printed."""
    path = folder / "verify-1.out"
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def figures(first: baseline.Baseline) -> dict[str, Any]:
    """What a measured baseline tells, as the answer carries it."""
    shown = ("samples", "spread", "smallest_detectable") if first.config.noise["kind"] == "noisy" else ()
    noise = {key: first.config.noise[key] for key in ("kind", *shown)}
    samples = _samples(first)
    return {
        "baseline_metric": first.metric,
        "others": dict(list(samples[0]["others"].items())[:20]),
        "baseline_commit": first.commit,
        "guard": first.guard,
        **({"confirm": first.confirm} if first.config.confirm else {}),
        "trial": duration.told(first.config, baseline.limit_of(first).hard),
        "seconds_per_run": first.config.noise["seconds"],
        **({"guard_seconds": first.config.noise["guard_seconds"]} if first.config.guard else {}),
        "limits": baseline.limit_of(first).told(),
        "noise": noise,
        **({"taken_over": first.taken_over} if first.taken_over else {}),
        "protected": list(first.protected[:PROTECTED_SHOWN]),
        "protected_count": len(first.protected),
        "warnings": list(first.warnings),
    }


def sentence(wanted: Config, first: baseline.Baseline) -> str:
    """The calibration in one plain sentence for the user."""
    noise = first.config.noise
    each = f"one run takes {_told(noise['seconds'])}"
    each += f", the guard {_told(noise['guard_seconds'])} more" if first.config.guard else ""
    others = dict(_samples(first)[0]["others"])
    way = units.way(first.config, first.metric, first.metric, others)
    now = "" if way.direct else f" ({units.short(way.now)} {way.unit} now, that of the reference being 100 %)"
    return f"{wanted.metric or 'the metric'} {exact.rule().sentence(first.config, first.metric, each)}{now}"


def _told(seconds: object) -> str:
    """Two digits, and whole seconds from ten on."""
    spent = float(str(seconds))
    return f"{spent:.0f} s" if spent >= 10 else f"{numbers.plain(Decimal(f'{spent:.2g}'))} s"


def _named(run: Run, command: str) -> str:
    """A command of the loop: in the run's own copy of the skill by its path, which stays where an update moves ours."""
    place = own_copy.of_run(run.layout.evidence)
    name = f"autoresearch_{command}.py"
    return f"{place}/scripts/{name} (the skill as this run began with it: <skill-root> of the pages)" if place else name


def answer(ready: Ready) -> dict[str, Any]:
    """The JSON answer of `init_run`."""
    run, first = ready.run, ready.first
    out = {
        "baseline_metric": run.state.baseline_metric,
        "baseline_commit": run.state.last_commit,
        **run.layout.names("results", "state"),
        "session_mode": run.config.session_mode,
        "parallel_mode": run.config.parallel_mode,
        "run_tag": run.tag,
    }
    if not run.config.measured:
        return {**out, "message": f"reported run: record every iteration with {_named(run, 'record_iteration')}"}
    message = f"{sentence(run.config, first)}; edit one thing in scope, then {_named(run, 'run_trial')}; "
    message += f"what the check printed is in {run.layout.evidence.name}/0000/verify-1.out"
    size = _size(first, run.layout.evidence / "0000")
    out.update(figures(first), **context.answered(run, run.log.rows[0], {}))
    return {**out, "size": f"one experiment is {size}", "message": message}


def _end_of(path: Path) -> str:
    """What was printed last."""
    return path.read_bytes()[-PRINTED_SHOWN:].decode("utf-8", "replace") if path.is_file() else ""
