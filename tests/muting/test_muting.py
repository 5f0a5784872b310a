"""Which patches mute a signal."""

from __future__ import annotations

import pytest
from autoresearch.muting.muting import muted_signals


def patch(*lines: str, path: str = "src/app.py") -> str:
    """A diff of one file whose hunk begins at line 10 and holds these lines."""
    old, new = (sum(not line.startswith(sign) for line in lines) for sign in "+-")
    head = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -10,{old} +10,{new} @@\n"
    return head + "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    "line",
    [
        "x = f()  # type: ignore",
        "x = f()  # type: ignore[arg-type]",
        "import os  # noqa: F401",
        "@pytest.mark.skip(reason='later')",
        "    pytest.skip('later')",
        "@unittest.skipIf(True, 'later')",
        "    x()  # pragma: no cover",
        "// eslint-disable-next-line no-console",
        "/* eslint-disable */",
        "// @ts-ignore",
        "const x = y as any;",
        "it.skip('works', () => {})",
        "xit('works', () => {})",
        "x := f() //nolint:errcheck",
        "	t.Skip()",
        "#[allow(dead_code)]",
        "#[ignore]",
        '@SuppressWarnings("all")',
        "pytest || true",
        "    continue-on-error: true",
    ],
)
def test_a_muted_signal_is_named_with_its_line(line: str):
    (found,) = muted_signals(patch(" before", "+" + line))
    assert found.startswith("src/app.py:11: ")


@pytest.mark.parametrize(
    "line",
    [
        "model.fit(x, y)",
        "the same as any other",
        "skip = True",
        "x = a or True",
        "class Ignore: pass",
        "it('works', () => {})",
        "def test_more():",
    ],
)
def test_plain_code_mutes_nothing(line: str):
    assert muted_signals(patch("+" + line)) == ()


def test_a_marker_that_moved_or_went_mutes_nothing():
    assert muted_signals(patch("-x()  # noqa", "+    x()  # noqa")) == ()
    assert muted_signals(patch("-x()  # noqa", "+x()")) == ()
    assert len(muted_signals(patch("-x()  # noqa", "+x()  # noqa", "+y()  # noqa"))) == 1


def test_a_removed_test_is_a_muted_signal():
    assert muted_signals(patch("-def test_login():", "-    assert f()")) == ("src/app.py: removed test_login",)
    assert muted_signals(patch("-def test_login():", "+async def test_login():")) == ()


def test_prose_may_speak_of_markers():
    assert muted_signals(patch("+Never write # type: ignore", path="GUIDE.md")) == ()


def test_lines_that_look_like_file_heads_are_lines():
    text = patch("--- a comment", "+++ x()  # noqa") + patch("+y()  # noqa", path="b.py")
    assert muted_signals(text) == ("src/app.py:10: # noqa", "b.py:10: # noqa")


def test_a_deleted_file_is_named():
    text = "diff --git a/t.py b/t.py\n--- a/t.py\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-def test_a():\n-    pass\n"
    assert muted_signals(text) == ("t.py: removed test_a",)
