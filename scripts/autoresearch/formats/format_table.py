"""The formats of `--metric-from`: one row each. A new one is a function, a row here and a test on a real output."""

from __future__ import annotations

import importlib

from ..kernel.core.errors import Refusal

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from collections.abc import Callable

    from .contents import Number

# The function takes the text and returns its numbers, the one that is usually meant first, or raises `Refusal`.
# Where the first one is not what is meant for certain (several benchmarks), `--metric-key` must name one: "each".
FORMATS = {
    "pytest-benchmark": ("benchmark_files:pytest_benchmark", "each"),
    "hyperfine": ("benchmark_files:hyperfine", "each"),
    "google-benchmark": ("benchmark_files:google_benchmark", "each"),
    "criterion": ("criterion:criterion", "each"),
    "libtest": ("benchmark_lines:libtest", "each"),
    "go": ("benchmark_lines:go", "each"),
    "junit": ("test_results:junit", "first"),
    "jest": ("test_results:jest", "first"),
    "vitest": ("test_results:jest", "first"),
    "coverage-json": ("coverage_results:coverage_json", "first"),
    "coverage-xml": ("coverage_results:coverage_xml", "first"),
    "lcov": ("coverage_results:lcov", "first"),
    "eslint": ("linter_results:eslint", "first"),
    "ruff": ("linter_results:ruff", "first"),
    "sarif": ("linter_results:sarif", "first"),
    "size-limit": ("size_results:size_limit", "each"),
    "lighthouse": ("lighthouse:lighthouse", "each"),
}


def known(name: str) -> None:
    """Raise `Refusal` for a format that is not in the table."""
    if name not in FORMATS:
        raise Refusal(f"metric-from is {name[:40]!r}, expected one of {', '.join(FORMATS)}; correct the flag")


def read(name: str, text: str) -> tuple[list[Number], bool]:
    """The numbers of an output in this format, and whether the first is the one that is usually meant."""
    place, choice = FORMATS[name]
    module, _, function = place.partition(":")
    reader: Callable[[str], list[Number]] = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    found = reader(text)
    if not found:
        raise Refusal("it has no numbers")
    return found, choice == "first" or len(found) == 1
