"""The demo: a scratch repository, a real background run, a scripted agent."""

USES = ("background", "cli", "kernel")
