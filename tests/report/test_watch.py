"""`watch` in a real terminal, in tmux; and as plain text where there is none."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Callable

import pytest
from autoresearch.kernel.disk.layout import standard
from autoresearch.report import live
from autoresearch.report.terminal import Terminal

from tests.conftest import HANG, SCRIPTS, Ran, require
from tests.lab import Lab, refused
from tests.report.conftest import Calls
from tests.report.synthetic import Synthetic

WATCH = SCRIPTS / "autoresearch_watch.py"


@dataclass
class Tmux:
    """One pane of a tmux server of its own."""

    program: str
    socket: str

    def __call__(self, *arguments: str) -> str:
        """Run one tmux command and return its output."""
        command = [self.program, "-L", self.socket, "-f", os.devnull, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def screen(self) -> str:
        """What stands in the pane."""
        return self("capture-pane", "-p")

    def wait(self, *words: str) -> str:
        """Wait until all words stand in the pane, and return the screen."""
        end = time.monotonic() + HANG
        while time.monotonic() < end:
            text = self.screen()
            if all(word in text for word in words):
                return text
            time.sleep(0.05)
        raise AssertionError(f"{words} did not come: {self.screen()}")

    def watch(self, root: Path, columns: int, rows: int) -> str:
        """Open a shell of this size, start the watch in it, and return its first screen."""
        self("new-session", "-d", "-x", str(columns), "-y", str(rows), "sh")
        self("send-keys", f"stty -g > {root}.before; {sys.executable} {WATCH} --repo {root}; echo ended $?", "Enter")
        return self.wait("q quits")

    def pid(self) -> int:
        """The process of the watch."""
        shell = self("display-message", "-p", "#{pane_pid}").strip()
        return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """Return a tmux server that ends with the test."""
    server = Tmux(require("tmux"), f"autoresearch-{os.getpid()}-{tmp_path.name}"[:60])
    yield server
    subprocess.run([server.program, "-L", server.socket, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of a run of 30 experiments."""
    return Synthetic(tmp_path / "run", 30, seed=5).write()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
def test_it_fills_the_terminal(tmux: Tmux, root: Path, columns: int, rows: int):
    lines = tmux.watch(root, columns, rows).rstrip("\n").split("\n")
    assert len(lines) == rows
    assert lines[0].startswith("autoresearch parse-faster")
    assert lines[-1].startswith("q quits")
    assert any("┤" in line for line in lines)
    assert any(line.startswith("Budget  30 of 50 iterations") for line in lines)
    assert any(line.startswith("   30 ") for line in lines)


def test_it_follows_the_run_and_the_terminals_size(tmux: Tmux, lab: Lab):
    lab.init()
    tmux.watch(lab.path, 80, 24)
    lab.trial(7, description="take seven")
    tmux.wait("take seven", "cost 10 → 7 (−30.0 %)")
    tmux("resize-window", "-x", "120", "-y", "40")
    tmux.wait("take seven")
    end, lines = time.monotonic() + HANG, [""]
    while (len(lines), lines[-1]) != (40, "q quits") and time.monotonic() < end:
        time.sleep(0.05)
        lines = tmux.screen().rstrip("\n").split("\n")
    assert (len(lines), lines[-1]) == (40, "q quits")


def test_a_trial_in_progress_is_shown_with_its_time(tmux: Tmux, lab: Lab):
    lab.init(verify=f"test -e {lab.path}.go && sleep 600; cat src/value", guard="")
    tmux.watch(lab.path, 100, 24)
    Path(f"{lab.path}.go").touch()
    lab.value(3)
    trial = [sys.executable, str(SCRIPTS / "autoresearch_run_trial.py"), "--description", "slow"]
    with subprocess.Popen(trial, cwd=lab.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            first = shown(tmux.wait("measuring iteration 1 for "))
            while shown(tmux.screen()) <= first:  # the test's own limit ends it
                time.sleep(0.05)
        finally:
            child.send_signal(signal.SIGTERM)
    tmux.wait("iteration 1 was interrupted")


def shown(screen: str) -> float:
    """The seconds that a screen tells of a trial in progress."""
    found = re.search(r"measuring iteration 1 for ([\d.]+)", screen)
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize("way", ["q", "C-c", "TERM"])
def test_it_leaves_the_terminal_as_it_was(tmux: Tmux, root: Path, way: str):
    tmux.watch(root, 80, 24)
    if way == "TERM":
        os.kill(tmux.pid(), signal.SIGTERM)
    else:
        tmux("send-keys", way)
    text = tmux.wait("ended 0")
    assert "q quits" not in text
    assert "stty -g" in text  # what stood there before is back
    assert tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").strip() == "0 1"
    tmux("send-keys", f"stty -g > {root}.after; echo compared", "Enter")
    tmux.wait("\ncompared")
    assert Path(f"{root}.after").read_text() == Path(f"{root}.before").read_text()


def test_it_idles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A second passes between two looks; one at a run that stands still calls too little for a hundredth of it."""
    calls = Calls()
    looks: list[tuple[float, int]] = []

    def pause(listen: object, _w: object, _x: object, seconds: float) -> tuple[list[int], list[int], list[int]]:
        looks.append((seconds, calls.taken()))
        if len(looks) == 6:
            raise KeyboardInterrupt
        return [], [], []

    written: list[str] = []
    monkeypatch.setattr(live, "_write", lambda output, text: written.append(text))
    monkeypatch.setattr(live, "select", SimpleNamespace(select=pause))
    monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((80, 24)))
    root = Synthetic(tmp_path / "long", 1000).write()
    with calls, pytest.raises(KeyboardInterrupt):
        live.follow(live.LiveView(standard(root), Terminal()), None, 1)
    (_, first), *others = looks
    assert [seconds for seconds, _ in looks] == [1.0] * 6
    assert first > 100_000 and all(cost < 8_000 for _, cost in others), looks
    assert len(written) < 2 + 6  # the other screen and back, and a screen where the minute has changed


def test_a_log_that_breaks_keeps_the_last_screen(tmux: Tmux, root: Path):
    tmux.watch(root, 120, 30)
    with open(root / "research-results.tsv", "a") as log:
        log.write("nonsense\n")
    assert "Parse the corpus" in tmux.wait("q quits   research-results.tsv cannot be read")


def test_without_a_terminal_it_is_one_screen_of_text(root: Path, run_script: Callable[..., Ran]):
    ran = run_script("watch", "--repo", root, env={"COLUMNS": "100", "LINES": "30"})
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "q quits" not in ran.out
    assert 26 <= len(ran.out.split("\n")) <= 31
    assert "┤" in ran.out


def test_a_terminal_without_unicode_gets_ascii(root: Path, run_script: Callable[..., Ran]):
    ran = run_script("watch", "--repo", root, env={"PYTHONIOENCODING": "ascii"})
    assert ran.code == 0
    assert ran.out.isascii()
    assert "time 400 -> " in ran.out


def test_json_for_programs(root: Path, run_script: Callable[..., Ran]):
    assert run_script("watch", "--repo", root, "--format", "json").json["iteration"] == 30


def test_no_run_is_refused(tmp_path: Path, run_script: Callable[..., Ran]):
    refused(run_script("watch", "--repo", tmp_path), "no run here")
