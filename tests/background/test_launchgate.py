from __future__ import annotations

import pytest
from autoresearch.background import launch_rules
from autoresearch.background.launch_rules import LaunchFacts
from autoresearch.kernel.core.rulings import Ruling
from autoresearch.resuming import resume_rules

FULL = Ruling(resume_rules.FULL, "json_matches_tsv")
NONE = Ruling(resume_rules.FRESH, "fresh_start")


def wizard(detail: str) -> Ruling:
    return Ruling(resume_rules.WIZARD, detail, "why")


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (
            LaunchFacts(FULL, running=True, manifest_present=True),
            ("blocked_start", "already_running", "runtime_active"),
        ),
        (LaunchFacts(FULL, runtime_problem="broken"), ("needs_human", "invalid_runtime_state", "none")),
        (LaunchFacts(NONE, manifest_problem="broken"), ("needs_human", "invalid_launch_manifest", "none")),
        (LaunchFacts(NONE), ("fresh", "fresh_start", "cold_start")),
        (
            LaunchFacts(NONE, manifest_present=True),
            ("fresh", "confirmed_launch_without_artifacts", "launch_manifest_ready"),
        ),
        (LaunchFacts(FULL, manifest_present=True), ("resumable", "full_resume", "full_resume")),
        (LaunchFacts(FULL), ("needs_human", "fresh_start_required", "fresh_start")),
        (LaunchFacts(FULL, was_background=True), ("needs_human", "launch_manifest_required", "mini_resume")),
        (LaunchFacts(FULL, runtime_present=True), ("needs_human", "launch_manifest_required", "mini_resume")),
        (
            LaunchFacts(FULL, manifest_present=True, config_problem="no verify"),
            ("needs_human", "incomplete_state_config", "mini_resume"),
        ),
        (
            LaunchFacts(Ruling(resume_rules.FALLBACK, "tsv_reconstruction_only"), manifest_present=True),
            ("resumable", "results_without_state", "tsv_fallback"),
        ),
        (
            LaunchFacts(Ruling(resume_rules.FALLBACK, "invalid_state_json"), manifest_present=True),
            ("resumable", "tsv_fallback", "tsv_fallback"),
        ),
        (
            LaunchFacts(Ruling(resume_rules.FALLBACK, "tsv_reconstruction_only"), config_problem="no verify"),
            ("needs_human", "launch_manifest_required", "mini_resume"),
        ),
        (
            LaunchFacts(wizard("state_tsv_diverged"), manifest_present=True),
            ("needs_human", "state_tsv_diverged", "none"),
        ),
        (LaunchFacts(wizard("state_without_results")), ("needs_human", "state_without_results", "none")),
        (
            LaunchFacts(wizard("state_without_reconstructable_tsv")),
            ("needs_human", "resume_confirmation_required", "mini_resume"),
        ),
        (
            LaunchFacts(Ruling(resume_rules.FRESH, "unrecoverable_artifacts", "why"), manifest_present=True),
            ("needs_human", "fresh_start_required", "fresh_start"),
        ),
    ],
)
def test_the_gate(facts: LaunchFacts, told: tuple[str, str, str]):
    found = launch_rules.decide(facts)
    assert (found.decision, found.reason, launch_rules.strategy(found)) == told
