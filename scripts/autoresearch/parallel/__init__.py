"""Several experiments at once, each in a worktree of its own."""

USES = ("cli", "findings", "health", "isolation", "kernel", "machine", "noise", "recording", "setup")
