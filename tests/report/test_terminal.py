"""The screen as a pure function: what it says, and that it never outgrows the terminal."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from autoresearch.kernel.core import supervise
from autoresearch.report import page
from autoresearch.report.account_model import Account, ControllerState, OpenTrial
from autoresearch.report.terminal import Terminal, screen, width
from hypothesis import given
from hypothesis import strategies as st

from tests.report.conftest import account_at
from tests.report.synthetic import Synthetic

NOW = 1_774_500_000.0


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """A run of 40 experiments."""
    return account_at(Synthetic(tmp_path_factory.mktemp("run") / "run", 40, seed=5).write())


def test_it_says_where_the_run_stands(account: Account):
    text = screen(account, Terminal())
    state = account.state
    assert "Goal  Parse the corpus in less time" in text
    assert re.search(r"^time 400 → 3\d\d\.\d ms \(−\d+\.\d %\)   \d+ experiments, \d+ kept, \d crashed", text, re.M)
    assert f"40 of {account.config.iterations} iterations; ends in about 20 min, at " in text
    assert "±2.5 a run; gains from about 4 on are seen" in text
    assert "no trial in progress" in text
    assert re.search(rf"^   40 {state.last_status} ", text, re.M)
    assert "●" in text


@given(st.integers(1, 250), st.integers(1, 70), st.booleans(), st.sampled_from(["", "q quits"]))
def test_it_never_outgrows_the_terminal(account: Account, columns: int, rows: int, unicode: bool, note: str):
    lines = screen(account, Terminal(columns, rows, unicode), note).split("\n")
    assert len(lines) <= rows
    assert max(map(width, lines)) <= columns
    assert unicode or "".join(lines).isascii()
    if note and columns > 10:
        assert lines[-1] == note
        assert len(lines) == rows


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
def test_common_sizes_are_used(account: Account, columns: int, rows: int):
    lines = screen(account, Terminal(columns, rows)).split("\n")
    assert len(lines) >= rows - 2
    assert max(map(width, lines)) > columns * 0.9
    assert sum("│" in line or "┤" in line for line in lines) >= rows // 4
    assert sum(bool(re.match(r" +\d+ (keep|discard|crash|refine|pivot) ", line)) for line in lines) >= 4


def test_colours_change_no_text(account: Account):
    coloured = screen(account, Terminal(colour=True))
    assert "\x1b[32m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == screen(account, Terminal())


def test_a_long_description_hides_no_failed_guard(account: Account):
    last = account.experiments[-1]
    row = last.row._replace(status="discard", guard="fail", description="a long description " * 20)
    shown = screen(replace(account, experiments=(*account.experiments[:-1], replace(last, row=row))), Terminal())
    assert re.search(r"^   40 discard .* guard failed · a long description", shown, re.M)


def test_the_trial_in_progress_with_its_time(account: Account):
    alive = replace(account, trial=OpenTrial(41, NOW - 25, True), clock=NOW)
    assert "measuring iteration 41 for 25 s, usually about 6.2 s" in screen(alive, Terminal())
    dead = replace(account, trial=OpenTrial(41, NOW - 25, False), clock=NOW)
    assert "iteration 41 was interrupted; the next command finishes or undoes it" in screen(dead, Terminal(100))


def test_what_the_controller_waits_for(account: Account):
    waiting = ControllerState("running", detail="rate limit", waiting_until=NOW + 600)
    text = screen(replace(account, controller=waiting, clock=NOW), Terminal())
    assert re.search(r"^Control running; waits until \d\d:\d\d, 10 min from now; rate limit$", text, re.M)
    lost = ControllerState("stopped", "controller_lost", "the controller ended without a word")
    assert "Control stopped; controller lost; the controller ended without" in screen(
        replace(account, controller=lost), Terminal()
    )


def test_a_human_is_called(account: Account):
    asked = replace(account, next_action=("needs_human", "soft_blocked: 3 pivots without a keep"))
    assert "Next    needs human: soft_blocked: 3 pivots without a keep" in screen(asked, Terminal())


def test_the_budget_that_ends_first_tells_the_end(account: Account):
    config = replace(account.config, session_mode="background", max_tokens=1000)
    spent = supervise.Spent(minutes=20, tokens=800)
    text = screen(replace(account, config=config, spent=spent), Terminal(120))
    assert "40 of 60 iterations, 800 of 1,000 tokens; ends in about 5 min" in text


def test_a_workers_proposal_reads_as_any_other(tmp_path: Path):
    account = account_at(Synthetic(tmp_path / "run", 8, description="[PARALLEL worker-b] sort the keys once").write())
    text = screen(account, Terminal(100, 32))
    assert "worker b · sort the keys once" in text and "PARALLEL" not in text
    assert (
        "worker b · sort the keys once" in page.html(account, tmp_path)
        and "PARALLEL" in account.experiments[1].row.description
    )


def test_wide_characters_take_two_columns(tmp_path: Path):
    root = Synthetic(tmp_path / "run", 8, wanted={"goal": "速く" * 60}, description="測定する" * 30).write()
    lines = screen(account_at(root), Terminal(61, 30)).split("\n")
    assert max(map(width, lines)) <= 61
    assert lines[1].endswith("…")


def test_a_run_that_has_only_begun(tmp_path: Path):
    text = screen(account_at(Synthetic(tmp_path / "run", 0).write()), Terminal())
    assert "time 400 ms, no gain yet   0 experiments, none kept" in text


def test_the_controllers_record_is_read_with_its_lock(tmp_path: Path):
    root = Synthetic(tmp_path / "run", 3).write()
    record = {"version": 1, "status": "running", "session": {"number": 1, "command": "pytest -q"}, "spent": {}}
    (root / "autoresearch-runtime.json").write_text(json.dumps(record))
    lost = account_at(root).controller
    assert lost is not None
    assert (lost.status, lost.reason, lost.command) == ("stopped", "controller_lost", "pytest -q")
    (root / "autoresearch-runtime.json").write_text('{"version": 9}')
    unusable = account_at(root).controller
    assert unusable is not None
    assert (unusable.status, unusable.reason) == ("needs_human", "invalid_runtime_state")
