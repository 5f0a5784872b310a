"""Long logs: the snapshot notes how the log's beginning folds, so that questions and rows parse the rest alone."""

USES = ("kernel",)
