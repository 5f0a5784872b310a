"""What outlives a run or waits in it: lessons and ideas."""

USES = ("cli", "kernel")
