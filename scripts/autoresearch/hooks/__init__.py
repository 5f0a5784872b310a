"""Codex hooks that keep a foreground run going."""

USES = ("cli", "codex", "guidance", "kernel", "supervisor", "waiting")
