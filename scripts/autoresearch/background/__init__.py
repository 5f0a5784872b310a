"""Unattended runs: manifest, launch gate, controller, prompt, stop."""

USES = ("cli", "codex", "health", "kernel", "modes", "notes", "report")
