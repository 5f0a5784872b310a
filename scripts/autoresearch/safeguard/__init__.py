"""What a check must leave: the run's files, the user's own work, a git that works. All is put back after it."""

USES = ("kernel",)
