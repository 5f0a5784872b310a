"""Rows that a person or an agent reports; measuring the retained state again."""

USES = ("agreement", "cli", "guidance", "kernel", "longlog", "machine", "setup")
