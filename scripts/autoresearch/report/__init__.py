"""What people see of a run: report, chart, screen."""

USES = ("background", "cli", "finalize", "guidance", "kernel", "notes", "search")
