"""The values that flags and configuration allow. Apart from everything else, so that `--help` loads nothing more."""

MODES = ("loop", "plan", "debug", "fix", "security", "ship", "exec")
DIRECTIONS = ("lower", "higher")
SESSION_MODES = ("foreground", "background")
POLICIES = ("danger_full_access", "workspace_write")
POLICY = POLICIES[0]  # where none was given
ROLLBACKS = ("revert", "reset")
PARALLEL = ("serial", "parallel")
SEARCH = ("enabled", "disabled")
ISOLATION = ("none", "branch", "worktree")
GUARDS = ("pass", "fail", "-")
OUTCOMES = ("keep", "discard", "crash", "pivot", "summary")
IDEAS = ("open", "tried", "kept", "dropped")
PHASES = ("prelaunch", "precommit", "prebatch", "rollback")
MAX_STAGNATION = 3
# The ladder since the last keep: failures until a refine, experiments until a pivot, pivots until a search and a human.
REFINE_AT, PIVOT_AT, SEARCH_AFTER, HAND_OVER_AT = 3, 5, 2, 3
MIN_FREE_MB = 500
HOOK_SCOPES = ("project", "user")
HOOK_EVENTS = ("stop", "session_start", "interrupt")
FILES = {
    "results": "research-results.tsv",
    "state": "autoresearch-state.json",
    "launch": "autoresearch-launch.json",
    "runtime": "autoresearch-runtime.json",
}
EXECUTOR = "local"  # where checks run
NOTHING = "none"  # of the setting `measure`: the metric is printed
