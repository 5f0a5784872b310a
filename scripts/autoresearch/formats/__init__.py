"""Outputs of the trade's tools (benchmarks, tests, coverage, linters) as sources of the metric: `--metric-from`."""

USES = ("kernel", "reading")
