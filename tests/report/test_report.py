"""The report's two files: what they say, that they say it safely, and that they stay small."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from autoresearch.report import markdown, page

from tests.conftest import Ran
from tests.lab import Lab, refused
from tests.report.conftest import NOISY, Calls, account_at
from tests.report.synthetic import Synthetic

HOSTILE = (
    "</pre></details><script>alert(1)</script><img src=x onerror=alert(2)> & \"quoted\" 'single' "
    "`````` </details> @somebody #12 [x](javascript:alert(3)) | a | b | https://example.invalid/ \x1b[31mred\u202e "
)
VOID = {"meta", "link", "input", "br"}
# What the page is made of; whatever else turns up came out of the text of a run.
TAGS = set(
    """a b body circle code dd defs del details div dl dt em fieldset figcaption figure footer g h1 h2 h4 head header
    html i input ins label legend li line link main meta ol p path pre progress rect section small span strong style
    summary svg text title ul use""".split()
)


class Page(HTMLParser):
    """Tags in order, attributes by name, and the text; fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.parts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.parts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.parts)


def written(ran: Ran) -> tuple[str, str]:
    """Both files of an answer."""
    assert ran.code == 0, ran.err
    return Path(ran.json["html"]).read_text(), Path(ran.json["markdown"]).read_text()


def test_it_tells_the_whole_run(measured: Lab):
    ran = measured.call("report")
    html, text = written(ran)
    assert ran.json["headline"].startswith("cost 10 → 6 (−40.0 %), exact, 5 experiments, 2 kept, ")
    assert (ran.json["retained_metric"], ran.json["refused"], ran.json["notes"]) == (6, 1, [])
    for document in (Page(html).text, text):
        for told in ("cut the cost", "take seven", "seven is less than ten", "abandon words", "exact", "README", "-10"):
            assert told in document.replace("\\", "")
    assert "+7" in Page(html).text
    assert "guard failed" in html
    # In the drawing, beside the entry, in the legend: a better value that a check refused.
    assert html.count('href="#m-barred"') == 3
    assert f"git switch --detach {measured.rows()[0].commit}\ncat src/value" in html
    assert "--verify &#x27;cat src/value&#x27;" in html or "--verify 'cat src/value'" in html
    assert re.findall(r'id="e(\d+)"', html) == [str(row.iteration) for row in measured.rows()]


def test_it_is_owned_and_harmless_to_the_run(measured: Lab):
    written(measured.call("report"))
    assert measured.repo.status() == ""
    measured.trial(4)


def test_every_mark_leads_to_an_entry(measured: Lab):
    html, _ = written(measured.call("report"))
    page = Page(html)
    targets = [value[1:] for name, value in page.attributes if name == "href" and value.startswith("#")]
    assert set(targets) <= {value for name, value in page.attributes if name == "id"}
    assert len(targets) > 7


def test_noise_is_shown_with_samples_and_intervals(lab: Lab):
    lab.repo.write("bench.py", NOISY)
    lab.repo.commit("a noisy check")
    lab.init("--max-runs", 12, verify="python3 bench.py", guard="")
    lab.trial(4, description="take four")
    html, text = written(lab.call("report"))
    assert 'class="band"' in html
    assert 'class="whisker"' in html
    assert 'class="strip"' in html
    assert "Candidate, in the order they were run: 4" in text
    assert "noise ±" in text


def test_a_reported_run_says_so(lab: Lab):
    lab.report()
    lab.recorded("keep", "--metric", 7, "--commit", "abc1234", "--description", "seven")
    _, text = written(lab.call("report"))
    assert "cost 10 → 7 (−30.0 %), as reported, 1 experiment, 1 kept" in text.replace("\\", "")


def test_without_a_gain_it_says_so(lab: Lab):
    lab.init()
    assert lab.call("report").json["headline"].startswith("cost 10, no gain yet, exact, 0 experiments, none kept")


def test_what_is_remarkable_is_marked(tmp_path: Path):
    account = account_at(Synthetic(tmp_path / "run", 40, seed=5).write())
    kept = next(experiment for experiment in account.experiments if experiment.row.status == "keep")
    changed = [replace(e, unlikely=True) if e is kept else e for e in account.experiments]
    account = replace(account, experiments=tuple(changed))
    html = page.html(account, tmp_path)
    (mark,) = re.findall(rf'<a href="#e{kept.name}".*?</a>', html)
    assert re.findall(r'href="#m-(\w+)"', mark) == ["dot", "ring", "flag"]
    assert "unlikely gain · confirmed · " in mark
    assert "unlikely gain, measured again</li>" in html
    assert "*unlikely gain*" in markdown.markdown(account, tmp_path)


def test_the_tokens_that_a_background_run_cost(tmp_path: Path):
    root = Synthetic(tmp_path / "run", 5, wanted={"session_mode": "background"}).write()
    runtime = {"version": 1, "status": "running", "spent": {"minutes": 7, "tokens": 1234567, "sessions": 3}}
    (root / "autoresearch-runtime.json").write_text(json.dumps(runtime))
    assert "1,234,567<small>in 3 sessions" in page.html(account_at(root), root / "autoresearch-evidence")


def test_no_run_is_refused(lab: Lab):
    refused(lab.call("report"), "no run here")


def test_a_damaged_log_is_refused(measured: Lab):
    with open(measured.path / "research-results.tsv", "a") as log:
        log.write("nonsense\n")
    refused(measured.call("report"), "cannot be read")
    assert not measured.evidence("report.html").exists()


def test_other_places_may_be_named(measured: Lab, tmp_path: Path):
    ran = measured.call("report", "--html", "out.html", "--markdown", measured.path / "notes.md", "--format", "text")
    assert (tmp_path / "out.html").exists()
    assert (measured.path / "notes.md").exists()
    assert f"HTML      {tmp_path / 'out.html'}" in ran.out
    assert "note: notes.md lies inside the repository" in ran.out


def test_text_from_a_run_stays_text(tmp_path: Path):
    root = Synthetic(tmp_path / "run", 30, description=HOSTILE, wanted={"goal": HOSTILE, "verify": HOSTILE}).write()
    account = account_at(root)
    html = page.html(account, root / "autoresearch-evidence")
    parsed = Page(html)
    assert parsed.tags <= TAGS
    assert "<script>alert(1)</script>" in parsed.text
    assert {name for name, _ in parsed.attributes if name.startswith("on")} == set()
    outside = [value for name, value in parsed.attributes if name in ("href", "src") and not value.startswith("#")]
    assert outside == ["data:,"]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", html)


def test_markdown_from_a_run_stays_text(tmp_path: Path):
    root = Synthetic(tmp_path / "run", 30, description=HOSTILE, wanted={"goal": HOSTILE, "verify": HOSTILE}).write()
    text = markdown.markdown(account_at(root), root / "autoresearch-evidence")
    fences = re.findall(r"^(`{3,})(\w*)$", text, re.M)
    assert len(fences) % 2 == 0
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.M | re.S)
    assert "<script" not in outside
    assert "<img" not in outside
    assert not re.search(r"[@#]\w", outside)
    assert "https://example" not in outside
    assert not re.search(r"(?<!\\)\]\(", outside)
    rows = [line for line in outside.split("\n") if re.match(r"\| \d", line)]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


@pytest.mark.parametrize("description", ["", "&" * 1000], ids=["usual", "hostile"])
def test_a_thousand_experiments_stay_small_and_cost_ten_times_a_hundred(tmp_path: Path, description: str):
    calls = Calls()
    for number in (100, 1000):
        root = Synthetic(tmp_path / f"run-{number}", number, description=description).write()
        before = calls.taken()
        with calls:
            account = account_at(root)
            html = page.html(account, root / "autoresearch-evidence")
            text = markdown.markdown(account, root / "autoresearch-evidence")
    assert calls.taken() < 12 * before
    assert len(html.encode()) < 3_000_000
    assert len(text) < 65_536
    assert html.count("<details") == 1001
    Page(html)


def test_what_is_left_out_is_named_and_the_kept_come_first(tmp_path: Path):
    root = Synthetic(tmp_path / "run", 300, seed=5).write()
    for patch in root.glob("autoresearch-evidence/*/patch.diff"):
        patch.write_text("+" + "x" * 40_000)
    html = page.html(account_at(root), root / "autoresearch-evidence")
    entries = re.findall(r'<details class="e \w+ s-(keep|discard)">(.*?)</details>', html, re.S)
    left_out = "Left out to keep this file small: <code>autoresearch-evidence/"
    assert {status for status, body in entries if left_out in body} == {"discard"}
    assert all("[… 23,617 bytes more in autoresearch-evidence/" in body for status, body in entries if status == "keep")


def test_evidence_that_is_no_file_is_not_opened(measured: Lab):
    (measured.evidence("0001") / "patch.diff").unlink()
    os.mkfifo(measured.evidence("0001") / "patch.diff")
    (measured.evidence("0002") / "patch.diff").unlink()
    secret = measured.path.parent / "secret"
    secret.write_text("do not show this")
    (measured.evidence("0002") / "patch.diff").symlink_to(secret)
    html, text = written(measured.call("report"))
    assert "do not show this" not in html + text


@pytest.mark.parametrize("value", [7, "x", None, [1], {"a": "b"}, True, 1e300])
def test_events_of_the_wrong_form_are_passed_over(tmp_path: Path, value: object):
    root = Synthetic(tmp_path / "run", 3).write()
    log = root / "research-results.tsv"
    keys = ("at", "why", "hypothesis", "runs", "seconds", "interval", "others", "unlikely", "samples", "paths", "what")
    lines = log.read_text().split("\n")
    for kind in ("trial", "samples", "refused", "evaluator"):
        event = {"kind": kind, "iteration": 1, "files": value, **dict.fromkeys(keys, value)}
        lines.insert(-2, "# event: " + json.dumps(event))
    log.write_text("\n".join(lines))
    account = account_at(root)
    assert len(account.experiments) == 4
    Page(page.html(account, root / "autoresearch-evidence"))
