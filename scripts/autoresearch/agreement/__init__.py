"""What the user says to a run that exists: more of a budget, another end, a word to whoever works on it."""

USES = ("cli", "kernel", "reading")
