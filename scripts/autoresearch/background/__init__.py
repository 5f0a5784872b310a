"""Unattended runs: manifest, launch gate, controller, prompt, stop."""

USES = (
    "agreement",
    "cli",
    "health",
    "isolation",
    "kernel",
    "notes",
    "parallel",
    "recording",
    "resuming",
    "setup",
    "supervisor",
)
