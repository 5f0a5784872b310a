"""The kernel stays small: what is not one experiment belongs in a feature."""

from __future__ import annotations

import ast

from tests.house.source import lines_of_code, modules

LIMIT = 5000


def test_docstrings_comments_and_blank_lines_are_no_code():
    text = '"""One.\n\nTwo."""\n\n# three\nA = 1  # four\n\n\ndef b():\n    """Five."""\n    return """six\n"""\n'
    assert lines_of_code(text, ast.parse(text)) == 4


def test_the_kernel_is_small():
    kernel = [module for module in modules() if module.room == "kernel"]
    assert len(kernel) > 40
    assert sum(lines_of_code(module.path.read_text(encoding="utf-8"), module.tree) for module in kernel) <= LIMIT
