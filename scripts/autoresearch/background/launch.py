"""Starting a background run: manifest, isolation, baseline, and the detached controller, in one step."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..agreement import agreement
from ..cli import own_copy
from ..guidance import nextstep
from ..health import health
from ..isolation import checkouts
from ..kernel.core import choices, supervise
from ..kernel.core.config import BLANK
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.rulings import Ruling
from ..kernel.core.settings import SETTINGS, Config
from ..kernel.core.text import listing
from ..kernel.disk import locks
from ..kernel.disk.layout import SKILL_ROOT, Layout, script
from ..kernel.run import budget, context, tree
from ..kernel.system import interrupts, process
from ..kernel.system.git import Repo
from ..resuming import resume_rules
from ..resuming import resuming as reading
from ..setup import archives, archiving, init, skill_paths
from ..supervisor import supervisor
from ..waiting import waiting
from . import (
    agent,
    foreign,
    launch_facts,
    launch_rules,
    manifest_file,
    pausing,
    prompt_facts,
    runlog,
    runtime_file,
    stopping,
    taking,
)
from . import manifest as values
from .manifest import Manifest

PATIENCE = 10.0  # seconds in which a controller is up, or something is wrong


@dataclass(frozen=True)
class LaunchRequest:
    """What the user confirmed, and what may be replaced for it: the manifest, or the whole earlier run."""

    manifest: Manifest
    force: bool = False
    fresh_start: bool = False


@contextmanager
def locked(layout: Layout) -> Iterator[int]:
    """The controller's lock for the block, with what a dead controller left cleared away; raises `Refusal`."""
    handle = stopping.take(layout)
    if handle is None:
        raise Refusal(f"already_running: {runtime_file.BUSY}")
    try:
        if foreign.pid_of(layout):
            raise Refusal(f"already_running: {runtime_file.BUSY}")
        stopping.forget_request(layout)
        pausing.forget(layout)
        stopping.clear_dead(layout)
        yield handle
    finally:
        stopping.release(layout, handle)


def sandbox_problem(root: Path) -> str:
    """Why nothing can be launched from here: a sandbox cuts the network, ends our children or locks git; or ""."""
    if os.environ.get("CODEX_SANDBOX_NETWORK_DISABLED", "") not in ("", "0") or os.environ.get("CODEX_SANDBOX"):
        return "this is inside the Codex sandbox, where nothing detached survives"
    repo = Repo(root)
    if repo.is_git() and not os.access(repo.common_dir(), os.W_OK):
        return f"{repo.common_dir()} is not writable, as in the Codex sandbox"
    return ""


def create(layout: Layout, wish: LaunchRequest) -> dict[str, Any]:
    """Write the manifest alone; the answer of `create-launch`."""
    with locked(layout):
        _refuse_replacing(layout, wish)
        found = manifest_file.write(layout, wish.manifest)
    told = {"mode": found.mode, "goal": found.config.goal, "original_goal": found.original_goal}
    return {**layout.names("launch"), **told, "created_at": found.created_at, "config": found.config.to_dict()}


def _refuse_replacing(layout: Layout, wish: LaunchRequest) -> None:
    if layout.launch.exists() and not (wish.force or wish.fresh_start):
        raise Refusal(f"{layout.launch.name} exists, expected none; runtime_ctl start uses it, --force replaces it")


def launch(layout: Layout, wish: LaunchRequest) -> dict[str, Any]:
    """Set up and detach; the answer of `launch`. Raises `Refusal` with the repository as it was."""
    _refuse_idle_workers(wish.manifest)
    _find_agent(wish.manifest)
    with locked(layout) as handle:
        found = launch_facts.decide(layout, running=False)
        if wish.fresh_start or found.decision == launch_rules.FRESH:
            answer = _fresh(layout, wish)
        else:
            answer = _adopt(layout, wish, found)
        with interrupts.shielded():
            return {**answer, **_detach(layout, wish.manifest, handle)}


def _find_agent(found: Manifest) -> None:
    agent.named(found.controller.agent).find(found.controller.agent_bin)


def _refuse_idle_workers(found: Manifest) -> None:
    workers = found.controller.workers
    if workers < 1:
        raise Refusal(f"workers is {workers}, expected 1 or more; correct --workers")
    if workers > 1 and found.config.parallel_mode != "parallel":
        raise Refusal(f"--workers {workers} needs parallel work to be agreed; add --parallel-mode parallel")


def _fresh(layout: Layout, wish: LaunchRequest) -> dict[str, Any]:
    """A new run; what was there is archived once the baseline is measured."""
    if not wish.fresh_start:
        _refuse_replacing(layout, wish)
    found = wish.manifest
    _refuse_unfit(layout, found.config, layout.root, found.controller.min_free_mb)
    kept = checkouts.IsolationRequest(
        found.config.isolation, found.run_tag, found.controller.setup, found.controller.links
    )
    if kept.kind == "worktree" and not (found.baseline.measure or found.baseline.metric is not None):
        raise Refusal("--no-baseline and --isolation worktree do not go together; let launch measure the baseline")
    with checkouts.prepared(layout.root, kept) as place:
        found = replace(found, config=replace(found.config, worktree=place))
        skill_paths.lay(layout.root, Path(place or layout.root), found.config)
        before = [layout.results, layout.state]
        moved = [path for path in before if wish.fresh_start and path.exists()]
        answer = _begin(layout, found, wish.fresh_start)
        if wish.fresh_start:
            others = (layout.launch, runtime_file.logged_at(layout), layout.runtime)
            moved += [path for path in others if path.exists()]
            for path in others:
                archives.archive(path)
        layout.runtime.unlink(missing_ok=True)
        manifest_file.write(layout, found)
    return {
        **answer,
        **({"archived_paths": [str(archives.newest(path)) for path in moved]} if wish.fresh_start else {}),
    }


def _refuse_unfit(layout: Layout, config: Config, tree: Path, least: int) -> None:
    """Refuse what would end the controller at its first look, before anything is made or detached."""
    scopes = {str(tree): config.scope, **{repo.path: repo.scope for repo in config.companions}}
    blockers = health.surroundings(layout, config.verify, scopes, least).blockers
    if blockers:
        raise Refusal(f"blocked: {listing(blockers)}; settle it, then repeat the command")


def _begin(layout: Layout, found: Manifest, force: bool) -> dict[str, Any]:
    first = found.baseline
    if first.metric is None and not first.measure:
        if force:
            archiving.archive(layout)
            archiving.done(layout)
        return {"message": "the first session measures the baseline"}
    plan = init.Plan(
        mode=found.mode,
        config=found.config,
        run_tag=found.run_tag,
        environment=found.environment,
        metric=first.metric,
        commit=first.commit,
        description=first.description,
        repo_commits=first.repo_commits,
        force=force,
    )
    ready = init.start(layout, plan)
    supervisor.forget_stagnation(layout)
    answer = init.answer(ready)
    return {**answer, "baseline": init.sentence(ready.run.config, ready.first)} if first.metric is None else answer


# What a launch says anew of a run that it goes on with; all else must be what the run has.
_OWN = ("session_mode", "execution_policy", "measured", *agreement.EXTENDABLE)


def _adopt(layout: Layout, wish: LaunchRequest, found: Ruling) -> dict[str, Any]:
    """Go on with the run that is there, now in background; a different wish is a fresh start, but for more of it."""
    sound = found.reason in ("fresh_start_required", "launch_manifest_required", "full_resume", "tsv_fallback")
    if not sound or launch_facts.facts(layout, False).resume.decision == resume_rules.FRESH:
        raise Refusal(f"{found.reason}: {listing(found.sentences)}; ask the user, --fresh-start archives what is there")
    _refuse_replacing(layout, wish)
    known = context.load(layout)
    other = [*_other(wish.manifest, known), *_made_once(wish.manifest)]
    if other:
        raise Refusal(f"there is a run with another {listing(other)}; --fresh-start archives it, or leave that out")
    run = _resumable(layout, wish.manifest.controller.min_free_mb, _more(wish.manifest.config, known.config))
    config = replace(run.config, session_mode="background", execution_policy=wish.manifest.config.execution_policy)
    manifest_file.write(layout, replace(wish.manifest, mode=run.mode, run_tag=run.tag, config=config))
    return _taken_up(layout, config.execution_policy)


def _other(wish: Manifest, run: context.Run) -> list[str]:
    """What was wished and is not what the run has, by the names of its flags."""
    wanted, has = wish.config, run.config
    named = [row for row in SETTINGS if row.about and row.name not in _OWN]
    given = [row for row in named if getattr(wanted, row.name) != row.value()]
    found = [row.flag for row in given if getattr(wanted, row.name) != getattr(has, row.name)]
    usual = init.tag_of(init.Plan(wish.mode, wanted, ""))
    found += ["run-tag"] if wish.run_tag not in (usual, run.tag) else []
    return found + (["mode"] if wish.mode not in ("loop", run.mode) else [])


def _made_once(wish: Manifest) -> list[str]:
    """What only the start of a run uses: its worktree, its baseline."""
    given = (("setup", wish.controller.setup), ("link", wish.controller.links), ("baseline", wish.baseline.metric))
    return [name for name, value in given if value not in ("", (), None)]


def _more(wanted: Config, has: Config) -> dict[str, str]:
    """The budgets and ends of a launch as what a run that goes on is extended by."""
    names = [
        name for name in agreement.EXTENDABLE if getattr(wanted, name) not in (getattr(BLANK, name), getattr(has, name))
    ]
    return {name: str(getattr(wanted, name)) for name in names}


def _resumable(layout: Layout, least: int, more: Mapping[str, str]) -> context.Run:
    """The run that is there, its snapshot mended, its tree clean, extended by `more`; raises `Refusal` when it cannot
    go on, with nothing agreed."""
    found = reading.check(layout, write=True)
    if found["decision"] not in (resume_rules.FULL, resume_rules.FALLBACK):
        raise Refusal(f"{found['detail']}: {listing(found['reasons'])}; ask the user")
    run = context.load(layout)
    _refuse_unfit(layout, run.config, run.tree, least)
    primary = str(layout.root)
    edits = [path for item in tree.edits(run) for path in tree.named(item, item.inside, primary)]
    if edits and waiting.read(layout) is None:
        raise Refusal(f"uncommitted changes in the scope: {listing(edits)}; commit or stash them, then repeat")
    run = agreement.extend(layout, more) if more else run
    verdict = supervise.judge(run.config, run.mode, run.state, budget.spent(run))
    if verdict.decision != supervise.RELAUNCH:
        raise Refusal(
            f"{verdict.reason}: {verdict.detail}, so there is nothing to go on with; "
            "runtime_ctl start --iterations +20 (or more of what ended it) goes on, launch --fresh-start begins anew"
        )
    return run


def _taken_up(layout: Layout, policy: str) -> dict[str, Any]:
    supervisor.touch_session(layout, "background", policy)
    supervisor.forget_stagnation(layout)
    run = context.load(layout)
    return {
        "baseline_metric": run.state.baseline_metric,
        "retained_metric": run.state.current_metric,
        "iteration": run.state.iteration,
        "run_tag": run.tag,
        "left": nextstep.left(run.config, run.state, budget.spent(run)),
    }


def start(layout: Layout, changes: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, Any]:
    """Resume, or begin from a manifest that `create-launch` wrote; the answer of `start`.

    `more` is what the user agreed to beyond what the run has (`agreement.extend`).
    """
    with locked(layout) as handle:
        found = _with(manifest_file.require(layout), changes)
        _refuse_idle_workers(found)
        _find_agent(found)
        answer = _prepare(layout, found, more)
        with interrupts.shielded():
            return {**answer, **_detach(layout, found, handle)}


def _with(found: Manifest, changes: Mapping[str, Any]) -> Manifest:
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(found, controller=values.options({**vars(found.controller), **given}))


def _prepare(layout: Layout, found: Manifest, more: Mapping[str, str]) -> dict[str, Any]:
    decision = launch_facts.decide(layout, running=False)
    if decision.decision == launch_rules.FRESH and more:
        raise Refusal(f"there is no run yet, expected one for more {listing(more)}; start without, or launch anew")
    if decision.decision == launch_rules.FRESH:
        return _fresh(layout, LaunchRequest(found, force=True))
    if decision.decision != launch_rules.RESUMABLE:
        raise Refusal(f"{decision.reason}: {listing(decision.sentences)}; ask the user, then runtime_ctl launch")
    before = context.load(layout)
    known = launch_facts.confirmed(layout, before)
    if known is not before:  # the log tells no configuration, and there is no snapshot
        reading.check(layout, write=True)
        with context.writing(layout) as (run, held):
            context.save(replace(run, config=known.config), held.log)
    _resumable(layout, found.controller.min_free_mb, more)
    manifest_file.write(layout, found)
    return _taken_up(layout, found.config.execution_policy)


def prepare_run(layout: Layout, changes: Mapping[str, Any]) -> Manifest:
    """What `start` does before it detaches, for a controller in this very process that holds the lock."""
    found = _with(manifest_file.require(layout), changes)
    _prepare(layout, found, {})
    return manifest_file.require(layout)


def _detach(layout: Layout, found: Manifest, handle: int) -> dict[str, Any]:
    """Start the controller, hand it the lock, and wait until it has written its record."""
    log = runtime_file.log_path(layout, found.controller.log_path)
    script = str((own_copy.begin(layout.evidence) or SKILL_ROOT) / "scripts" / "autoresearch_runtime_ctl.py")
    argv = (prompt_facts.python(), script, "run", *taking.flags(layout), "--lock-fd", str(handle))
    streams = process.Streams(None, Path(os.devnull), log)
    runlog.write(log, "launch")
    child = process.start_detached(argv, layout.root, {}, streams, f"controller-{time.time_ns()}", keep=(handle,))
    if not _is_up(layout, child):
        raise Refusal(f"the controller did not start: {runlog.tail(log, 3)[0].strip()}; see {log}")
    now = manifest_file.require(layout)  # of a run that goes on it is the run's own
    return {"mode": now.mode, "goal": now.config.goal, **_started(layout, now.config, child, log)}


def _is_up(layout: Layout, child: process.Process) -> bool:
    """Whether the controller has written its record; a slow machine gets the benefit of the doubt."""
    deadline = time.monotonic() + PATIENCE
    while True:
        gone = child.poll() is not None or time.monotonic() > deadline
        record = runtime_file.tolerant(layout)
        if gone or (record is not None and record.pid == child.pid):
            return child.poll() is None or (record is not None and record.pid == child.pid)
        time.sleep(0.02)


def _started(layout: Layout, config: Config, child: process.Process, log: Path) -> dict[str, Any]:
    policy = config.execution_policy
    where = Repo(Path(config.worktree or layout.root))
    may = (
        "may do anything this user may do"
        if policy == choices.POLICY
        else "write only to the repository and to temporary folders"
    )
    return {
        "status": "running",
        "reason": "runtime_active",
        "pid": child.pid,
        "pgid": child.pid,
        "execution_policy": policy,
        "isolation": config.isolation,
        **({"branch": where.branch()} if where.is_git() else {}),
        **layout.names("results", "state", "launch", "runtime"),
        "log_path": str(log),
        "message": f"started in background; sessions run with {policy}: they {may}. "
        f"Look with {_line('status')}, end with {_line('stop')}",
    }


def _line(command: str) -> str:
    """A command as the user types it, from anywhere in the repository."""
    return f"python3 {script('runtime_ctl')} {command}"


def adopt_lock(layout: Layout, handle: int) -> None:
    """Take over the lock that our parent holds; raises `Refusal` when the descriptor is not that lock."""
    try:
        os.set_inheritable(handle, False)
        locks.confirm(handle, runtime_file.lock_path(layout))
    except OSError:
        raise Refusal("--lock-fd is no held controller lock; leave it out, launch passes it itself") from None
