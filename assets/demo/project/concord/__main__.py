"""Print the concordance of the files named on the command line."""

from __future__ import annotations

import sys

from concord.report import summary

print(summary(sys.argv[1:]))
