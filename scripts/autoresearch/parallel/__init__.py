"""Several experiments at once, each in a worktree of its own."""

USES = ("cli", "health", "kernel", "machine", "setup")
