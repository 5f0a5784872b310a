"""The folders and logs of debug, fix, security and ship."""

USES = ("cli", "kernel", "muting")
