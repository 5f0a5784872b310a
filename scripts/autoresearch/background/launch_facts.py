"""The launch gate on disk: the facts behind its decision."""

from __future__ import annotations

from typing import Any

from ..guidance.following import advice
from ..kernel.core.choices import MAX_STAGNATION
from ..kernel.core.config import merge
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.core.rulings import Ruling
from ..kernel.core.settings import Config
from ..kernel.core.supervise import OVER
from ..kernel.disk.layout import Layout, script
from ..kernel.run import context
from ..kernel.run.context import Run
from ..resuming import resuming as reading
from ..supervisor import supervisor
from . import launch_rules, manifest_file, runtime_file
from .launch_rules import LaunchFacts


def facts(layout: Layout, running: bool) -> LaunchFacts:
    """What is on disk; `running` says whether a controller other than the caller is at work."""
    seen = reading.examine(layout)
    config = _config(layout) if seen.log is not None else None
    return LaunchFacts(
        resume=seen.decision,
        running=running,
        runtime_present=layout.runtime.exists(),
        runtime_problem=_problem(runtime_file.read, layout),
        manifest_present=layout.launch.exists(),
        manifest_problem=_problem(manifest_file.read, layout),
        was_background=config is not None and config.session_mode == "background",
        config_problem=_missing(config),
    )


def _problem(read: Any, layout: Layout) -> str:
    try:
        read(layout)
    except ValueError as error:
        return str(error)
    return ""


def _config(layout: Layout) -> Config | None:
    try:
        return confirmed(layout, context.load(layout)).config
    except (Refusal, ValueError):
        return None


def confirmed(layout: Layout, run: Run) -> Run:
    """The run; where only its log is left and tells no configuration, with the one of its launch manifest.

    Raises `ValueError` for a manifest that is wrong.
    """
    if run.snapshot or "config_json" in run.log.header:
        return run
    found = manifest_file.read(layout)
    return replace(run, config=merge(run.config, found.config, False)) if found else run


def _missing(config: Config | None) -> str:
    if config is None:
        return ""
    names = [name for name in ("metric", "verify") if not getattr(config, name)]
    # A measured run has a check by construction, and may leave its metric without a name.
    return f"the run's configuration has no {' and no '.join(names)}" if names and not config.measured else ""


def decide(layout: Layout, running: bool | None = None) -> Ruling:
    """The decision."""
    return launch_rules.decide(facts(layout, runtime_file.is_running(layout) if running is None else running))


def standing(layout: Layout) -> dict[str, Any]:
    """What `status` tells where no controller ever ran: the gate's decision, and the supervisor's of a run."""
    gate = answer(layout)
    out: dict[str, Any] = {"reason": gate["reason"], "launch_context": gate}
    if layout.results.exists() or layout.state.exists():
        out["supervisor"] = supervisor.status(layout, MAX_STAGNATION, after_run=False, write=False)
    return out


def foreground(layout: Layout, stopping: bool = False) -> dict[str, Any]:
    """What `status` and `stop` tell of a run that no controller works on and that was begun in a session: it is open,
    and the command that comes next; {} for none."""
    try:
        run = context.load(layout)
    except (Refusal, ValueError):
        return {}
    if run.config.session_mode == "background" or layout.launch.exists():
        return {}
    ruling = supervisor.status(layout, MAX_STAGNATION, after_run=False, write=False)
    if stopping or ruling["decision"] in OVER:
        also = f"{told} (it says first how long it takes, --seconds bounds it) ; then " if (told := advice(run)) else ""
        state = "is over" if ruling["decision"] in OVER else "ends by the user's word in its session"
        return {"detail": f"nothing runs in background; the foreground run {state}", "do": f"{also}the closing summary"}
    return {
        "detail": f"nothing runs in background; a foreground run is open, trial {run.state.iteration} was the last",
        "do": f"python3 {script('resume_prompt')} --repo . goes on with it; launch it only where the user wants that",
    }


def answer(layout: Layout) -> dict[str, Any]:
    """The answer of `launch_gate`."""
    running = runtime_file.is_running(layout)
    found = decide(layout, running)
    return {
        "decision": found.decision,
        "reason": found.reason,
        "resume_strategy": launch_rules.strategy(found),
        "launch_manifest_present": layout.launch.exists(),
        "runtime_present": layout.runtime.exists(),
        "runtime_running": running,
        **reading.examine(layout).layout.names("results", "state", "launch", "runtime"),
        "reasons": list(found.sentences),
    }
