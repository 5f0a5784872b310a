"""Set up a run: measure the baseline (or take a reported one) and write the results log and the snapshot."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from ..cli import Outcome, arguments, fail_json
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from . import start_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from ..kernel.disk.layout import Layout
    from .init import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    start_flags.add_flags(parser)
    add = parser.add_argument
    add("--extend", action="store_true", help="go on with the run that is there; budgets are added to what was used")
    add("--force", action="store_true", help="archive an existing run first")
    add("--dry-run", action="store_true", help="measure and report only; nothing in the repository changes")
    add("--guard-only", action="store_true", help="with --dry-run: run the guard alone")


def run(args: argparse.Namespace) -> Mapping[str, Any] | Outcome:
    """Set the run up and answer with its baseline; what stops exec mode is said as JSON with exit code 2."""
    try:
        return _set_up(args)
    except Refusal as refusal:
        if args.mode != "exec":
            raise
        return Outcome({}, fail_json(str(refusal)), text="")


def _set_up(args: argparse.Namespace) -> Mapping[str, Any]:
    from . import init

    layout = arguments.layout_of(args)
    if args.extend or (args.force and not args.dry_run):
        _refuse_controlled(layout)
    if args.extend:
        return _extended(args, layout)
    start_flags.take_over(args, layout.root)
    plan = init.Plan(
        mode=args.mode or "loop",
        config=arguments.config_of(args, layout.root),
        run_tag=args.run_tag or "",
        environment="" if args.dry_run else start_flags.environment_of(args, layout.root),
        metric=arguments.number_of(args.baseline_metric, "baseline metric"),
        commit=args.baseline_commit,
        description=args.baseline_description,
        repo_commits=arguments.commits_of(args.repo_commit, layout.root),
        force=args.force,
    )
    if args.guard_only:
        if not args.dry_run:
            raise Refusal("--guard-only belongs to --dry-run, expected both; a start measures everything")
        return init.rehearse_guard(layout, plan)
    if args.dry_run:
        answer = _rehearsed(args, layout, plan)
        answer = {**answer, "warnings": [*answer["warnings"], *_no_agent(args), *_dropped(args)]}
        archived = "; --force (in background --fresh-start) archives the earlier run" if answer["existing_run"] else ""
        return {**answer, "next": _noted(args, layout.root, bool(answer["startable"])) + archived}
    return init.answer(init.start(layout, plan))


def _rehearsed(args: argparse.Namespace, layout: Layout, plan: Plan) -> dict[str, Any]:
    """The dry run, with tests that fail today left out; a refusal says how to repeat it with one flag mended."""
    from ..cli import guards
    from . import init, leaving_out

    def again(trimmed: Sequence[str]) -> dict[str, Any]:
        """The dry run with other guards."""
        args.guard = list(trimmed)
        return init.rehearse(layout, replace(plan, config=arguments.config_of(args, layout.root)))

    given = guards.listed(args.guard)
    try:
        found: Mapping[str, Any] = init.rehearse(layout, plan)
        if found["guard"] == "fail":
            args.guard, found = leaving_out.settled(given, found, again)
        return {name: value for name, value in found.items() if name != "guard_fails"}
    except Refusal as refusal:
        raise start_flags.mended(refusal, args, layout.root) from None


def _refuse_controlled(layout: Layout) -> None:
    """The agreement of a run that a controller works on is the user's to change, between two of its experiments."""
    from ..kernel import ports

    if layout.results.exists() and any(is_running(layout) for is_running in ports.asked("session", "is_running")):
        raise Refusal(
            "a controller works on this run, expected none; runtime_ctl pause ends it after the experiment under way, "
            "then runtime_ctl start --iterations +20 extends it, and launch --fresh-start archives it"
        )


def _extended(args: argparse.Namespace, layout: Layout) -> Mapping[str, Any]:
    """More of what was agreed; the answer says what is left of it."""
    from ..agreement import agreement
    from ..guidance import nextstep
    from ..kernel.core.text import listing
    from ..kernel.run import budget

    unknown = sorted(start_flags.flags(args).keys() - set(agreement.EXTENDABLE))
    other = [f"--{name.replace('_', '-')}" for name in unknown]
    if other:
        raise Refusal(
            f"--extend does not change {listing(other)}, expected budgets and ends alone; leave it out, or begin a new "
            "run with it (--force)"
        )
    given = {name: getattr(args, name) for name in agreement.EXTENDABLE}
    wish = {name: str(value) for name, value in given.items() if value is not None}
    added = {name: text if name in agreement.TEXTS else f"+{text}" for name, text in wish.items()}
    run = agreement.extend(layout, added)
    left = nextstep.left(run.config, run.state, budget.spent(run))
    return {
        "run_tag": run.tag,
        "iteration": run.state.iteration,
        "stop_condition": run.config.stop_condition or None,
        "left": left,
        "results_path": str(run.layout.results),
        "state_path": str(run.layout.state),
    }


def _no_agent(args: argparse.Namespace) -> list[str]:
    """What a launch would be refused for, told where sessions may be started: in background, in exec mode, in Codex."""
    import os

    from ..kernel import ports

    nested = args.mode == "exec" or args.session_mode == "background"
    usual = ports.first("session", "agent")
    if usual is None or not (nested or (args.session_mode is None and "CODEX_THREAD_ID" in os.environ)):
        return []
    try:
        usual.find("")
    except Refusal as refusal:
        return [f"background and exec runs are refused from here, foreground works: {refusal}"]
    return []


def _dropped(args: argparse.Namespace) -> list[str]:
    """Values that a later one of the same flag took the place of: patterns of a scope are easily given so."""
    from ..kernel.core.text import one_line

    return [
        f"{one_line(given, 120)} does not count, for the flag was given again; expected once (patterns of a scope "
        "stand in one value, separated by blanks)"
        for given in getattr(args, "dropped", [])
    ]


def _noted(args: argparse.Namespace, root: Path, startable: bool) -> str:
    """How the run is started from this dry run, whose flags are kept for that, also for a later session."""
    from . import rehearsal

    try:
        rehearsal.settled(root, start_flags.flags(args))
    except Refusal as refusal:
        return f"after go start with all these flags: they could not be noted ({refusal})"
    before = "once the user has named foreground or background and said go"
    if not startable:
        before = f"not yet: warnings say what fails, and what a start is refused for; settle it, and {before}"
    return f"{before} start with --as-rehearsed, which takes these flags, and with what was settled since"
