"""Whether a background run may start here: the decision of `launch_gate`. Pure; the files were read elsewhere."""

from __future__ import annotations

from ..kernel.core.frozen import dataclass
from ..resuming import resume_rules

FRESH, RESUMABLE, HUMAN, BLOCKED = "fresh", "resumable", "needs_human", "blocked_start"


@dataclass(frozen=True)
class Facts:
    """What was found: the resume decision, and presence and soundness of manifest and runtime file."""

    resume: resume_rules.Decision
    running: bool = False
    runtime_problem: str = ""
    runtime_present: bool = False
    manifest_problem: str = ""
    manifest_present: bool = False
    was_background: bool = False
    config_problem: str = ""


@dataclass(frozen=True)
class Gate:
    """`decision`, `reason` and `resume_strategy` as in docs/artifacts.md, Reasons, with reasons for people."""

    decision: str
    reason: str
    resume_strategy: str
    reasons: tuple[str, ...] = ()


def decide(facts: Facts) -> Gate:
    """The decision; what makes any start wrong comes first, then what an earlier run left."""
    if facts.running:
        return Gate(BLOCKED, "already_running", "runtime_active", ("a controller or a launch is at work here",))
    if facts.runtime_problem:
        return Gate(HUMAN, "invalid_runtime_state", "none", (facts.runtime_problem,))
    if facts.manifest_problem:
        return Gate(HUMAN, "invalid_launch_manifest", "none", (facts.manifest_problem,))
    found = facts.resume
    if found.detail == "fresh_start":
        return _without_artifacts(facts)
    if found.decision == resume_rules.WIZARD:
        if found.detail in ("state_tsv_diverged", "state_without_results"):  # they do not fit together
            return Gate(HUMAN, found.detail, "none", found.reasons)
        return Gate(HUMAN, "resume_confirmation_required", "mini_resume", found.reasons)
    if found.decision == resume_rules.FRESH:
        return Gate(HUMAN, "fresh_start_required", "fresh_start", found.reasons)
    return _with_artifacts(facts)


def _without_artifacts(facts: Facts) -> Gate:
    if facts.manifest_present:
        why = "a launch is confirmed and no run is there yet: the start sets it up"
        return Gate(FRESH, "confirmed_launch_without_artifacts", "launch_manifest_ready", (why,))
    return Gate(FRESH, "fresh_start", "cold_start", facts.resume.reasons)


def _with_artifacts(facts: Facts) -> Gate:
    found = facts.resume
    if found.decision == resume_rules.FALLBACK and not facts.manifest_present:
        why = "a background run needs a confirmed launch: confirm it and launch"
        return Gate(HUMAN, "launch_manifest_required", "mini_resume", (*found.reasons, why))
    if facts.config_problem:
        return Gate(HUMAN, "incomplete_state_config", "mini_resume", (facts.config_problem,))
    if not facts.manifest_present and (facts.was_background or facts.runtime_present):
        why = "the run was a background run, but its launch manifest is gone: confirm it and launch again"
        return Gate(HUMAN, "launch_manifest_required", "mini_resume", (why,))
    if not facts.manifest_present:
        return Gate(
            HUMAN, "fresh_start_required", "fresh_start", ("there is a run that was never launched: launch it",)
        )
    if found.decision == resume_rules.FALLBACK:
        reason = "results_without_state" if found.detail == "tsv_reconstruction_only" else "tsv_fallback"
        return Gate(RESUMABLE, reason, "tsv_fallback", found.reasons)
    return Gate(RESUMABLE, "full_resume", "full_resume", found.reasons)
