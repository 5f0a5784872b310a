"""What a run of verify itself costs: processor time, wall time, memory, instructions. It can be the metric."""

USES = ("kernel", "noise", "reading")
