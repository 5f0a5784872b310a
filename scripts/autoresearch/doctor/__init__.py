"""What keeps a run from working here, with the line that fixes it."""

USES = ("cli", "codex", "hooks", "kernel", "machine", "resuming")
