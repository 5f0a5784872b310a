"""The gallery holds a real run: its log still folds to what its report says, and it can be shown anywhere."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path

import pytest
from autoresearch.report import headline

from tests.conftest import ROOT
from tests.report.conftest import account_at

ASSETS = ROOT / "assets"
GALLERY = ASSETS / "gallery"
RUN_AT = "/tmp/gallery/tabulate"  # the log names the repository's place; it was chosen to say nothing of a machine
PICTURE = re.compile(r'(?:src|srcset)="([^"]+)"|!\[[^]]*\]\(([^)\s]+)')
FILES = sorted(path for path in GALLERY.iterdir() if path.is_file())
PAGES = [ROOT / "README.md", GALLERY / "README.md"]


def test_the_log_folds_to_the_reports_headline(tmp_path: Path):
    shutil.copy(GALLERY / "research-results.tsv", tmp_path)
    account = account_at(tmp_path)
    told = headline.sentence(account)
    assert account.state.keeps >= 5
    assert {"keep", "discard", "crash", "refine"} <= {experiment.row.status for experiment in account.experiments}
    assert told in re.sub(r"<[^>]+>", "", unescape((GALLERY / "report.html").read_text())).replace("\xa0", " ")
    assert told in (GALLERY / "report.md").read_text().replace("\\", "")
    assert f"{account.state.current_metric}".rstrip("0") in (GALLERY / "pull-request.md").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_a_machine(path: Path):
    text = path.read_text().replace(RUN_AT, "")
    assert not re.findall(r"(?<![\w.<>-])/(?:tmp|work|root|home|Users|opt|srv|usr|var)/\S*", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pictures_and_links_resolve(page: Path):
    text = page.read_text()
    found = [one or other for one, other in PICTURE.findall(text)] + re.findall(r"\]\(([^)#\s]+)\)", text)
    missing = [name for name in found if "://" not in name and not (page.parent / name).exists()]
    assert not missing


def test_it_stays_small_and_is_no_skill():
    assert sum(path.stat().st_size for path in FILES) < 1_500_000
    pictures = list(ASSETS.glob("*.png"))
    assert pictures
    assert all(path.stat().st_size < 300_000 for path in pictures)
    assert not [path for path in ASSETS.rglob("*") if path.name.lower() == "skill.md"]
