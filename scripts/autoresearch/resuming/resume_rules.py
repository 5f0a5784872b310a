"""Resume decisions: what the log and the snapshot together allow. Pure; the files were read elsewhere."""

from __future__ import annotations

from ..kernel.core.frozen import dataclass, replace
from ..kernel.core.rulings import Ruling

FULL, WIZARD, FALLBACK, FRESH = "full_resume", "mini_wizard", "tsv_fallback", "fresh_start"
# Reasons that others ask for; the rest stand where they are given.
BROKEN, DIVERGED, NO_LOG, LOG_ALONE = (
    *("unrecoverable_artifacts", "state_tsv_diverged"),
    *("state_without_results", "tsv_reconstruction_only"),
)


@dataclass(frozen=True)
class Evidence:
    """What was found on disk: presence, readability, and how the snapshot relates to the log."""

    has_results: bool
    has_state: bool
    log_problem: str = ""  # why the log cannot be folded
    state_problem: str = ""  # why the snapshot cannot be read
    relation: str = ""  # "equal", "older" or "diverged" when both are readable
    differences: tuple[str, ...] = ()  # each field that differs, with both values


_BOTH = {
    "equal": Ruling(FULL, "json_matches_tsv", "the snapshot equals the fold of the log"),
    "older": Ruling(FULL, "rolled_forward", "the snapshot was older than the log and is rolled forward"),
    "diverged": Ruling(
        WIZARD,
        DIVERGED,
        "the snapshot equals no prefix of the log, so one of them was edited: trust the log, or start fresh?",
    ),
}


def decide(found: Evidence) -> Ruling:
    """The decision as in docs/artifacts.md, Reasons."""
    if found.has_results and found.has_state:
        return _with_both(found)
    if found.has_results:
        if found.log_problem:
            return Ruling(FRESH, BROKEN, f"the log cannot be read: {found.log_problem}")
        return Ruling(FALLBACK, LOG_ALONE, "there is no snapshot; the log alone rebuilds it")
    if found.has_state:
        if found.state_problem:
            return Ruling(FRESH, BROKEN, f"only a broken snapshot is left: {found.state_problem}")
        return Ruling(WIZARD, NO_LOG, "there is a snapshot but no log: the history of the run is missing")
    return Ruling(FRESH, FRESH, "no earlier run")


def _with_both(found: Evidence) -> Ruling:
    if found.log_problem and found.state_problem:
        return Ruling(FRESH, BROKEN, found.log_problem, (found.state_problem,))
    if found.log_problem:
        return Ruling(WIZARD, "state_without_reconstructable_tsv", f"the log cannot be read: {found.log_problem}")
    if found.state_problem:
        return Ruling(FALLBACK, "invalid_state_json", f"the snapshot cannot be read: {found.state_problem}")
    known = _BOTH[found.relation]
    return replace(known, more=found.differences)
