"""Resume decisions: every combination of log and snapshot."""

from __future__ import annotations

import pytest
from autoresearch.resuming import resume_rules
from autoresearch.resuming.resume_rules import Evidence


@pytest.mark.parametrize(
    ("found", "decision", "detail"),
    [
        (Evidence(False, False), "fresh_start", "fresh_start"),
        (Evidence(True, True, relation="equal"), "full_resume", "json_matches_tsv"),
        (Evidence(True, True, relation="older"), "full_resume", "rolled_forward"),
        (Evidence(True, True, relation="diverged"), "mini_wizard", "state_tsv_diverged"),
        (Evidence(True, True, state_problem="x"), "tsv_fallback", "invalid_state_json"),
        (Evidence(True, True, log_problem="x"), "mini_wizard", "state_without_reconstructable_tsv"),
        (Evidence(True, True, log_problem="x", state_problem="y"), "fresh_start", "unrecoverable_artifacts"),
        (Evidence(True, False), "tsv_fallback", "tsv_reconstruction_only"),
        (Evidence(True, False, log_problem="x"), "fresh_start", "unrecoverable_artifacts"),
        (Evidence(False, True), "mini_wizard", "state_without_results"),
        (Evidence(False, True, state_problem="x"), "fresh_start", "unrecoverable_artifacts"),
    ],
)
def test_decisions(found: Evidence, decision: str, detail: str):
    decided = resume_rules.decide(found)
    assert (decided.decision, decided.reason) == (decision, detail)
    assert decided.sentences
    for problem in filter(None, (found.log_problem, found.state_problem)):
        assert problem in " ".join(decided.sentences)
