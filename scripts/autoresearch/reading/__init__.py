"""The metric in what a check prints: METRIC lines, JSON, a pattern, a lone number; read as at the baseline."""

USES = ("kernel",)
