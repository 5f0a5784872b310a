"""What a set-up proves and warns of before the first experiment: the check, its shell text, the scope, the tree."""

USES = ("kernel",)
