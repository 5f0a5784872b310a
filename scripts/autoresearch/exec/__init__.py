"""Exec mode: a bounded run for pipelines."""

USES = ("background", "cli", "kernel", "setup", "supervisor")
