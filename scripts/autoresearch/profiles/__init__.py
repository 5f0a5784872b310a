"""Where the time goes: profiles of the retained code at the start, after a keep and at a pivot, and how they differ."""

USES = ("checks", "cli", "kernel", "search")
