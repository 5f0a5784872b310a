"""Unattended runs: manifest, launch gate, controller, prompt, stop."""

USES = ("cli", "health", "kernel", "notes", "parallel")
