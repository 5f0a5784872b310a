"""What of a failed edit can be kept: the largest part of it that passes."""

USES = ("kernel", "search")
