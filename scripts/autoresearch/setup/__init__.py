"""Setting a run up: the baseline, the dry run, and what both prove and warn of before the first experiment."""

USES = ("agreement", "cli", "findings", "gauges", "guidance", "kernel", "machine", "profiles")
