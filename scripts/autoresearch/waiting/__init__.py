"""A trial that no model waits for: noted by the session, run by whoever takes over once its turn has ended."""

USES = ("kernel",)
