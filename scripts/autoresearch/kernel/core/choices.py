"""The values that flags and configuration allow. Apart from everything else, so that `--help` loads nothing more."""

MODES = ("loop", "plan", "debug", "fix", "security", "ship", "exec")
DIRECTIONS = ("lower", "higher")
SESSION_MODES = ("foreground", "background")
POLICIES = POLICY, SANDBOXED = ("danger_full_access", "workspace_write")  # the first where none was given
ROLLBACKS = ("revert", "reset")
PARALLEL = ("serial", "parallel")
SEARCH = ("enabled", "disabled")
ISOLATION = ("none", "branch", "worktree")
GUARDS = ("pass", "fail", "-")
OUTCOMES = ("keep", "discard", "crash", "pivot", "summary")
IDEAS = ("open", "tried", "kept", "dropped")
SEVERITIES = ("critical", "high", "medium", "low")
PHASES = ("prelaunch", "precommit", "prebatch", "rollback")
MAX_STAGNATION = 3
# The ladder since the last keep: failures until a refine, experiments until a pivot, pivots until a search and a human.
REFINE_AT, PIVOT_AT, SEARCH_AFTER, HAND_OVER_AT = 3, 5, 2, 3
MIN_FREE_MB = 500
HOOK_SCOPES = ("project", "user")
HOOK_EVENTS = ("stop", "session_start", "interrupt")
AUTO, INLINE, QUEUE = "auto", "inline", "queue"  # how a trial is waited for: by its length, here, later
FILES = {
    "results": "research-results.tsv",
    "state": "autoresearch-state.json",
    "launch": "autoresearch-launch.json",
    "runtime": "autoresearch-runtime.json",
}
EXECUTOR = "local"  # where checks run
NOTHING = "none"  # of the setting `measure`: the metric is printed
