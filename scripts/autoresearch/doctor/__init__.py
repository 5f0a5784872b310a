"""What keeps a run from working here, with the line that fixes it."""

USES = ("cli", "codex", "kernel", "machine")
