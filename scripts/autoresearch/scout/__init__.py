"""The first look: what this project is, what is installed, and the two or three checks that fit the goal."""

USES = ("checks", "cli", "kernel", "machine", "notes", "profiles", "reading", "resuming", "setup")
