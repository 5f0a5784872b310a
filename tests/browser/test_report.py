"""The report in headless Chromium: readable, quiet, usable without a mouse and without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from autoresearch.report import page as view
from playwright import sync_api

from tests.conftest import require
from tests.report.conftest import account_at
from tests.report.synthetic import Synthetic

pytestmark = pytest.mark.browser

LIGHT, DARK = "light", "dark"
# A page may not be wider than the window; what scrolls sideways does so within itself.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Contrast of every visible text against what is painted behind it, by the formula of WCAG 2.1, worst first.
CONTRAST = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.map(v => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.getClientRects().length) continue;
    if (e.closest('title,style,.skip,legend')) continue;
    const style = getComputedStyle(e), ink = parse(e.closest('svg') ? style.fill : style.color).slice(0, 3);
    const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
    found.push([(a + .05) / (b + .05), e.tagName + ': ' + walker.currentNode.data.trim().slice(0, 40)]);
  }
  return found.sort((x, y) => x[0] - y[0]).slice(0, 3);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return a headless Chromium for the tests of this file."""
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=require("chromium"), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a noisy run of 60 experiments."""
    return written(Synthetic(tmp_path_factory.mktemp("run") / "run", 60, seed=5).write())


def written(root: Path) -> Path:
    """Write the report of a run and return its path."""
    path = root / "report.html"
    path.write_text(view.html(account_at(root), root / "autoresearch-evidence"), encoding="utf-8")
    return path


class Shown:
    """A report in a window, with everything the browser said and asked for."""

    def __init__(self, browser: Any, path: Path, width: int = 1100, scheme: str = LIGHT, script: bool = True) -> None:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=script
        )
        self.page = context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
@pytest.mark.parametrize("width", [375, 1100])
def test_it_fits_is_quiet_and_asks_for_nothing(browser: Any, report: Path, width: int, scheme: str):
    shown = Shown(browser, report, width, scheme)
    shown.page.evaluate("document.querySelectorAll('details').forEach(entry => entry.open = true)")
    assert shown.page.evaluate(OVERFLOW) == 0
    worst = shown.page.evaluate(CONTRAST)
    assert worst[0][0] >= 4.5, worst
    assert shown.said == []
    assert [url for url in shown.asked if url != "data:,"] == [report.as_uri()]


def test_dark_is_dark(browser: Any, report: Path):
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = (Shown(browser, report, scheme=scheme).page.evaluate(background) for scheme in (LIGHT, DARK))
    assert light == "rgb(246, 247, 249)"
    assert dark == "rgb(15, 18, 22)"


def test_it_is_used_with_the_keyboard_alone(browser: Any, report: Path):
    keys = Shown(browser, report).page
    press = keys.keyboard.press
    focus = "document.activeElement"
    press("Tab")
    assert keys.evaluate(f"{focus}.className") == "skip"
    press("Enter")
    press("Tab")
    assert keys.evaluate(f"{focus}.id") == "f-all"
    press("ArrowRight")
    assert keys.evaluate(f"{focus}.id") == "f-keep"
    assert keys.evaluate("[...document.querySelectorAll('.e')].filter(e => e.offsetParent).length") == account_keeps(
        keys
    )
    press("Tab")
    assert keys.evaluate(f"{focus}.tagName") == "SUMMARY"
    assert keys.evaluate(f"getComputedStyle({focus}).outlineStyle") == "solid"
    press("Enter")
    assert keys.evaluate(f"{focus}.parentElement.open") is True
    press("Tab")
    assert keys.evaluate(f"{focus}.tagName") == "PRE"


def account_keeps(page: Any) -> int:
    """How many kept experiments the button counts."""
    return int(page.text_content("label:has(#f-keep) span").split()[-1])


def test_a_mark_opens_its_experiment(browser: Any, report: Path):
    page = Shown(browser, report).page
    name = page.get_attribute(".plot a.keep", "href")
    assert page.text_content(f".plot a[href='{name}'] title").startswith(f"{name[2:]} keep · ")
    page.click(f".plot a[href='{name}'] use >> nth=0")
    assert page.is_visible(name)
    assert page.evaluate(f"document.querySelector('{name}').closest('details').open") is True


def test_marks_stand_within_the_drawing(browser: Any, report: Path):
    page = Shown(browser, report, 375).page
    figure = page.query_selector("figure").bounding_box()
    for mark in page.query_selector_all(".plot a"):
        box = mark.bounding_box()
        assert figure["x"] - 1 <= box["x"]
        assert box["x"] + box["width"] <= figure["x"] + figure["width"] + 16
        assert figure["y"] - 1 <= box["y"]


def test_it_needs_no_script(browser: Any, report: Path):
    page = Shown(browser, report, script=False).page
    page.click("summary >> nth=2")
    assert page.is_visible("details[open] .patch")
    page.click("label:has(#f-crash)")
    assert not page.is_visible(".s-keep")


def test_text_from_a_run_runs_nothing(browser: Any, tmp_path: Path):
    hostile = '</pre></details><img src=x onerror="document.title=1"><script>document.title=2</script>'
    shown = Shown(browser, written(Synthetic(tmp_path / "run", 12, description=hostile).write()))
    assert shown.page.title().startswith("parse-faster: time 400")
    assert shown.page.query_selector("img, script, iframe") is None
    assert shown.said == []


def test_of_a_thousand_experiments_only_the_near_ones_are_laid_out(browser: Any, tmp_path: Path):
    path = written(Synthetic(tmp_path / "run", 1000).write())
    shown = Shown(browser, path)
    # Laid out is only what is near the window, wherever one scrolls to.
    near = """[...document.querySelectorAll('.e > summary > :first-child')].filter(
      e => e.checkVisibility({contentVisibilityAuto: true})).length"""
    for place in (0, 5000, 15000):
        shown.page.evaluate(f"scrollTo(0, {place})")
        assert 0 < shown.page.evaluate(near) < 200
    shown.page.click("label:has(#f-keep)")
    assert not shown.page.is_visible(".s-discard")
    assert shown.said == []
