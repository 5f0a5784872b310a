"""Side lines: of a run that is stalled, trials grow from an earlier kept state; a tip that is better is adopted."""

USES = ("cli", "guidance", "kernel", "search")
