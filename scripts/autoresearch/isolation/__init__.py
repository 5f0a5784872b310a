"""The branch or worktree of its own that a run is kept on: made, furnished, taken back."""

USES = ("kernel",)
