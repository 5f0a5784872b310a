"""What people see of a run: report, chart, screen."""

USES = ("background", "cli", "kernel", "notes")
