"""The run's state in the footer of the interactive Codex: a status line provider. Experimental, off by default."""

USES = ("cli", "kernel", "report")
