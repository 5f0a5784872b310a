"""The Codex CLI: command line, events, errors, settings on disk."""

USES = ("background", "kernel")
