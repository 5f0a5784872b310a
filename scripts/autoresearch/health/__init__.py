"""Health of a run's surroundings, and the gate before commits and rollbacks."""

USES = ("cli", "kernel", "machine", "resuming", "setup")
