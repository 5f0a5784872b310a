"""Links and anchors of every document lead somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs import markdown


def place(page: Path, file: str) -> Path:
    """The file that a document's link names; the protocols name each other without their folder."""
    if not file:
        return page
    beside = (ROOT if file.startswith("references/") else page.parent) / file
    return beside if beside.exists() else markdown.REFERENCES / file


def broken(page: Path) -> list[str]:
    """The links of a document whose file or anchor is not there."""
    found = ((file, anchor, place(page, file)) for file, anchor in markdown.links(page))
    return [
        f"{file}#{anchor}"
        for file, anchor, target in found
        if not target.exists() or (anchor and anchor not in markdown.anchors(target))
    ]


@pytest.mark.parametrize("page", markdown.documents(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_anchors_resolve(page: Path):
    assert broken(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("# A night's run\n\n[a](#a-nights-run) [b](#no) [c](no.md) `[d](no)`\n\n```\n[e](no)\n# no\n```\n")
    assert broken(page) == ["#no", "no.md#"]


def test_a_heading_that_comes_again_is_numbered(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("# `--flag`, twice\n\n## Look\n\n## Look\n")
    assert markdown.anchors(page) == ["--flag-twice", "look", "look-1"]
