"""A clean branch of the kept experiments, proven equal and measured again."""

USES = ("cli", "kernel", "noise", "search", "setup")
