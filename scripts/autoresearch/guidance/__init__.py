"""What an answer says to do next: go on, refine, pivot, search, stop, or tell a human."""

USES = ("kernel",)
