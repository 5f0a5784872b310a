"""Unattended runs: manifest, launch gate, controller, prompt, stop."""

USES = (
    "agreement",
    "cli",
    "guidance",
    "health",
    "isolation",
    "kernel",
    "lines",
    "notes",
    "parallel",
    "recording",
    "resuming",
    "safeguard",
    "search",
    "setup",
    "supervisor",
    "waiting",
)
