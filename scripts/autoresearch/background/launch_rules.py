"""Whether a background run may start here: the decision of `launch_gate`. Pure; the files were read elsewhere."""

from __future__ import annotations

from ..kernel.core.frozen import dataclass
from ..kernel.core.rulings import Ruling
from ..resuming import resume_rules

FRESH, RESUMABLE, HUMAN, BLOCKED = "fresh", "resumable", "needs_human", "blocked_start"


@dataclass(frozen=True)
class LaunchFacts:
    """What was found: the resume decision, and presence and soundness of manifest and runtime file."""

    resume: Ruling
    running: bool = False
    runtime_problem: str = ""
    runtime_present: bool = False
    manifest_problem: str = ""
    manifest_present: bool = False
    was_background: bool = False
    config_problem: str = ""


# What a reason means for who starts the run; for any other there is nothing to do but to ask.
STRATEGIES = {
    "already_running": "runtime_active",
    "resume_confirmation_required": "mini_resume",
    "launch_manifest_required": "mini_resume",
    "incomplete_state_config": "mini_resume",
    "fresh_start_required": "fresh_start",
    "confirmed_launch_without_artifacts": "launch_manifest_ready",
    "fresh_start": "cold_start",
    "results_without_state": "tsv_fallback",
    "tsv_fallback": "tsv_fallback",
    "full_resume": "full_resume",
}


def strategy(ruling: Ruling) -> str:
    """`resume_strategy` as in docs/artifacts.md, Reasons."""
    return STRATEGIES.get(ruling.reason, "none")


def decide(facts: LaunchFacts) -> Ruling:
    """The decision; what makes any start wrong comes first, then what an earlier run left."""
    if facts.running:
        return Ruling(BLOCKED, "already_running", "a controller or a launch is at work here")
    if facts.runtime_problem:
        return Ruling(HUMAN, "invalid_runtime_state", facts.runtime_problem)
    if facts.manifest_problem:
        return Ruling(HUMAN, "invalid_launch_manifest", facts.manifest_problem)
    found = facts.resume
    if found.reason == resume_rules.FRESH:
        return _without_artifacts(facts)
    if found.decision == resume_rules.WIZARD:
        if found.reason in (resume_rules.DIVERGED, resume_rules.NO_LOG):  # they do not fit together
            return Ruling(HUMAN, found.reason, found.detail, found.more)
        return Ruling(HUMAN, "resume_confirmation_required", found.detail, found.more)
    if found.decision == resume_rules.FRESH:
        return Ruling(HUMAN, "fresh_start_required", found.detail, found.more)
    return _with_artifacts(facts)


def _without_artifacts(facts: LaunchFacts) -> Ruling:
    if facts.manifest_present:
        why = "a launch is confirmed and no run is there yet: the start sets it up"
        return Ruling(FRESH, "confirmed_launch_without_artifacts", why)
    return Ruling(FRESH, "fresh_start", facts.resume.detail)


def _with_artifacts(facts: LaunchFacts) -> Ruling:
    found = facts.resume
    if found.decision == resume_rules.FALLBACK and not facts.manifest_present:
        why = "a background run needs a confirmed launch: confirm it and launch"
        return Ruling(HUMAN, "launch_manifest_required", found.detail, (*found.more, why))
    if facts.config_problem:
        return Ruling(HUMAN, "incomplete_state_config", facts.config_problem)
    if not facts.manifest_present and (facts.was_background or facts.runtime_present):
        why = "the run was a background run, but its launch manifest is gone: confirm it and launch again"
        return Ruling(HUMAN, "launch_manifest_required", why)
    if not facts.manifest_present:
        return Ruling(
            HUMAN,
            "fresh_start_required",
            "a foreground run is here, which was never launched: it goes on in its session",
        )
    if found.decision == resume_rules.FALLBACK:
        reason = "results_without_state" if found.reason == resume_rules.LOG_ALONE else "tsv_fallback"
        return Ruling(RESUMABLE, reason, found.detail, found.more)
    return Ruling(RESUMABLE, "full_resume", found.detail, found.more)
