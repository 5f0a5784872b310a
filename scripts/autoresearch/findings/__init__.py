"""What an experiment changed among the findings of its check, and the telling lines of what failed."""

USES = ("kernel", "reading")
