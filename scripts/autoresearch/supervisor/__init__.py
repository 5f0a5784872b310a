"""Whether a run goes on after a session, with what is counted between sessions."""

USES = ("cli", "kernel", "longlog", "resuming")
