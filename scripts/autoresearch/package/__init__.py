"""The two forms in which the skill is handed on: a plain bundle, and a plugin of Codex with its marketplace file."""

USES = ("cli", "hooks", "kernel")
