"""Waiting on the real CLI: what a long check costs in requests, kills at random, a limit waited out, steering.

CI runs a few seconds of each. `tests/codex/waiting.py` runs the whole thing and writes its table, `waiting.md`.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from autoresearch.kernel.disk import journal
from autoresearch.kernel.system import process

from tests.codex import replies, scripts
from tests.codex.conftest import BOUNDED, FULL_ACCESS, Exec
from tests.codex.server import Server
from tests.codex.test_hooks import trust
from tests.conftest import HANG, Ran, Repo
from tests.lab import running_below
from tests.unattended import TRIAL, Background, kill, until

pytestmark = [pytest.mark.codex, pytest.mark.timeout(3000)]
VERIFY, TRIALS, RESET, ROUNDS = (
    int(os.environ.get(f"WAITING_{name}", usual))
    for name, usual in (("VERIFY", "1"), ("TRIALS", "2"), ("RESET", "2"), ("ROUNDS", "1"))
)
DICE = random.Random(int(os.environ.get("WAITING_SEED", "7")))
LONG = VERIFY > 20  # longer than one poll: what runs a trial is then chosen by its length
# Seconds of each poll of an agent that waits for the check itself; None for a check that nobody waits for.
WAYS = {"inline": 300, "background": None, "foreground": None, **({"inline, polls of 30 s": 30} if LONG else {})}
SLOW = f"sleep {VERIFY}; cat value"
SETUP = ("--goal", "g", "--scope", "value", "--metric-name", "value", "--direction", "lower", "--calibrate", 1)


@pytest.fixture
def valued(repo: Repo) -> Repo:
    """A repository with the number that is lowered."""
    repo.write("value", "1000\n")
    repo.commit("a number")
    return repo


@pytest.fixture
def background(valued: Repo, run_script: Callable[..., Ran], codex_bin: str) -> Iterator[Background]:
    """The controller with the real CLI."""
    made = Background(valued, run_script, ("--codex-bin", codex_bin, "--max-stagnation", "99"))
    yield made
    made.close()


def endless(flags: str) -> scripts.Script:
    """An agent that never stops: one lower number a turn, then the end of the turn."""
    numbers = itertools.count(1)

    def talk(_: replies.Request) -> scripts.Talk[None]:
        while True:
            # what a killed session left waiting is run first, as the refusal says
            left = f"{TRIAL.partition(' --description')[0]} --waiting"
            yield from scripts.run(f"echo {1000 - next(numbers)} > value; {TRIAL} {flags} || {left}")
            yield replies.say("the turn is over")

    return talk


def log_of(repo: Repo) -> journal.Log:
    """The log, which must fold."""
    log = journal.read(repo.path / "research-results.tsv")
    assert [row.iteration for row in log.rows] == list(range(log.state.iteration + 1))
    return log


def found(what: str, text: str) -> None:
    """Tell what a try found; a line for the table where one is made."""
    print(f"\n{what}: {text}")
    table = os.environ.get("WAITING_TABLE")
    if table:
        with open(table, "a", encoding="utf-8") as file:
            file.write(json.dumps([what, text]) + "\n")


def hooked(repo: Repo, run_script: Callable[..., Any], home: Path, *flags: object) -> None:
    """A foreground run whose hooks are installed and trusted."""
    ran = run_script("init_run", "--repo", repo.path, *SETUP, *flags, timeout=VERIFY + HANG)
    assert ran.code == 0, ran.err
    trust(home, repo.path, Path(run_script("hooks_ctl", "install", "--repo", repo.path).json["path"]))


@pytest.mark.parametrize("way", WAYS)
def test_requests_between_an_edit_and_its_answer(
    way: str,
    server: Server,
    background: Background,
    run_codex: Callable[..., Exec],
    run_script: Callable[..., Any],
    codex_home: Path,
) -> None:
    """While the check runs the model is asked nothing; inline each poll is a request."""
    poll = WAYS[way]
    flags = "--inline" if poll else "" if LONG else "--queue"

    def talk(_: replies.Request) -> scripts.Talk[None]:
        yield from scripts.run("echo 999 > value")
        # What is noted is answered at once, on a machine that is busy perhaps only after seconds.
        first = 250 if poll else replies.LONGEST_FIRST_WAIT_MS
        answer = yield from scripts.run(f"{TRIAL} {flags}", wait_ms=first, poll_ms=1000 * (poll or 300))
        if "queued" in answer:
            yield replies.say("It is being measured.")
        yield replies.say("over")

    server.play(talk)
    began = time.monotonic()
    if way == "background":
        background.timeout = VERIFY + HANG
        background.launch("--stop-condition", "<= 999", "--calibrate", 1, verify=SLOW)
        assert background.ended(VERIFY * 3 + HANG)["reason"] == "goal_reached"
    else:
        hooked(background.repo, run_script, codex_home, "--stop-condition", "<= 999", "--verify", SLOW)
        assert run_codex([*BOUNDED, *FULL_ACCESS], timeout=VERIFY * 2 + HANG).session.completed
    (one,) = [event for event in log_of(background.repo).events if event.get("kind") == "trial"]
    polls = sum("write_stdin" in json.dumps(request.body["input"][-2:]) for request in server.requests)
    took = f"check {one['seconds']:.0f} s, all {time.monotonic() - began:.0f} s with the baseline"
    found(f"a check of {VERIFY} s, {way}", f"{polls} requests while it ran, {len(server.requests)} in all; {took}")
    assert float(one["seconds"]) >= VERIFY and log_of(background.repo).state.keeps == 1
    assert (polls > 0) == bool(poll)
    assert poll or len(server.requests) == (3 if way == "background" else 4)  # edit, trial, end of turn; the answer


def test_kills_at_random_leave_every_row_and_no_stray_in_background(server: Server, background: Background) -> None:
    server.play(endless("--queue"))
    background.launch("--iterations", TRIALS, "--backoff-seconds", "0.1", verify="sleep 0.7; cat value")
    killed: Counter[str] = Counter()
    end = time.monotonic() + HANG + 25 * TRIALS
    while time.monotonic() < end:
        time.sleep(DICE.uniform(0.2, 2.5))
        record, now = background.record(), background.status()
        if now["status"] == "terminal":
            break
        session, target = record.get("session") or {}, DICE.choice(("controller", "session", "check", "nothing"))
        pids = {
            "controller": (int(record.get("pid") or 0),),
            "session": process.pids_with_mark(session["mark"])[:1] if session.get("mark") else (),
            "check": checks(background.repo.path),
        }.get(target, ())
        for pid in filter(None, pids):
            killed[target] += 1
            kill(pid, signal.SIGKILL)
        if target == "controller":
            until(lambda: background.status()["status"] != "running")
            started = background.ctl("start")
            assert started.code == 0 or "over" in started.err or "nothing to go on with" in started.err, started.err
    ended = background.status()
    log = log_of(background.repo)
    found(f"{TRIALS} trials in background, killed at random", tally(log, killed, server))
    assert ended["reason"] == "iteration_cap_reached" and len(log.rows) == TRIALS + 1, (ended, background.log())
    clean(background.repo)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_kills_at_random_leave_every_row_and_no_stray_in_the_foreground(
    server: Server, valued: Repo, codex_bin: str, run_script: Callable[..., Any], codex_home: Path
) -> None:
    server.play(endless("--queue"))
    hooked(valued, run_script, codex_home, "--iterations", TRIALS, "--verify", "sleep 0.7; cat value")
    killed: Counter[str] = Counter()
    end = time.monotonic() + HANG + 25 * TRIALS
    while len(log_of(valued).rows) <= TRIALS and time.monotonic() < end:
        resumed = ["resume", server.threads[-1]] if server.threads and DICE.random() < 0.5 else []
        command = [codex_bin, "exec", "--json", *BOUNDED, *FULL_ACCESS, *resumed, "go on"]
        none = subprocess.DEVNULL
        with subprocess.Popen(
            command, cwd=valued.path, stdin=none, stdout=none, stderr=none, start_new_session=True
        ) as child:
            while child.poll() is None and time.monotonic() < end:
                time.sleep(DICE.uniform(0.2, 2.5))
                target = DICE.choice(("hook", "session", "check", "nothing"))
                if target == "session" and DICE.random() < 0.5:
                    killed["session"] += 1
                    kill(-child.pid, DICE.choice((signal.SIGKILL, signal.SIGINT)))
                for pid in {"hook": hooks(valued.path), "check": checks(valued.path)}.get(target, ()):
                    killed[target] += 1
                    kill(pid, signal.SIGKILL)
                if len(log_of(valued).rows) > TRIALS and child.poll() is None:
                    until(lambda: child.poll() is not None, 5)
                    kill(-child.pid, signal.SIGKILL)
    log = log_of(valued)
    found(f"{TRIALS} trials in the foreground with hooks, killed at random", tally(log, killed, server))
    assert len(log.rows) == TRIALS + 1
    run_script("run_trial", "--repo", valued.path, "--waiting")  # whoever comes next clears what a kill left
    clean(valued)


def checks(folder: Path) -> tuple[int, ...]:
    """A process of the check that runs here."""
    try:
        mark = json.loads((folder / "autoresearch-evidence" / "intent.json").read_text())["mark"]
    except (OSError, ValueError, KeyError):
        return ()
    return process.pids_with_mark(mark)[:1]


def hooks(folder: Path) -> tuple[int, ...]:
    """Our Stop hook here and the trial that it runs, one of them first."""
    mine = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line, where = (entry / "cmdline").read_bytes(), os.readlink(entry / "cwd")
        except OSError:
            continue
        if where == str(folder) and (b"\0--event\0stop" in line or b"\0--waiting" in line):
            mine.append(int(entry.name))
    return tuple(DICE.sample(mine, min(1, len(mine))))


def tally(log: journal.Log, killed: Counter[str], server: Server) -> str:
    """What kills at random left."""
    rows = Counter(row.status for row in log.rows if row.status != "baseline")
    what = f"{sum(rows.values())} rows ({listed(rows)}), no stray, the log folds"
    return f"{what}; killed: {listed(killed)}; {len(server.threads)} threads"


def listed(counts: Mapping[str, int]) -> str:
    """Counts in words."""
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def clean(repo: Repo) -> None:
    """Nothing runs, nothing waits, and the tree is the retained one."""
    assert until(lambda: not running_below(repo.path)), running_below(repo.path)
    assert not (repo.path / "autoresearch-evidence" / "intent.json").exists()
    assert repo.status() in ("", " M value")  # an edit of a killed session that nobody tried


def test_a_limit_of_the_plan_is_waited_out(server: Server, background: Background) -> None:
    resets: list[int] = []  # counted from the first request, whenever the session gets there

    def talk(_: replies.Request) -> scripts.Talk[None]:
        resets.append(int(time.time()) + RESET)
        while len(resets) == 1 or time.time() < resets[0]:  # the first session in any case
            yield replies.usage_limit(resets[0])
        yield from scripts.run(f"echo 1 > value; {TRIAL}")
        yield replies.say("done")

    server.play(talk)
    ran = background.launch("--stop-condition", "<= 1", "--calibrate", 1)
    assert ran.code == 0, ran.err
    ended = background.ended(RESET + HANG)
    assert ended["reason"] == "goal_reached", (ended, background.log())
    later = time.time() - resets[0]
    text = f"the run ended by its goal {later:.0f} s after the reset, {len(server.requests)} requests in all"
    found(f"a plan's limit with a reset in {RESET} s", text)
    assert later > 0 and background.log().count("waiting until") == 1 and "usage_limit" in background.log()
    assert "0 tokens" in background.log()


def test_rounds_of_extend_tell_pause_and_take_back_in_mid_trial(server: Server, background: Background) -> None:
    server.play(endless("--queue"))
    background.launch("--iterations", 1, verify="sleep 0.5; cat value")
    did: Counter[str] = Counter()
    for number in range(ROUNDS):
        until(lambda: checks(background.repo.path) or background.record().get("status") != "running")
        did["tell"] += background.ctl("tell", f"word {number}").code == 0
        if DICE.random() < 0.5:
            did["pause"] += background.ctl("pause").code == 0
        status = background.ended()["status"]
        kept = [row.iteration for row in log_of(background.repo).rows if row.status == "keep"]
        gone = {event["of"] for event in log_of(background.repo).events if event.get("kind") == "taken_back"}
        newest = max(set(kept) - gone, default=0)
        if newest and DICE.random() < 0.5:
            did["take-back"] += background.ctl("take-back", newest, "--why", "try").code == 0
        more = ("--iterations", f"+{DICE.choice((1, 2))}")
        ran = background.ctl("start", *more)
        assert ran.code == 0, (status, ran.err)
        did["extend"] += 1
    background.ended()
    kinds = Counter(str(event.get("kind")) for event in log_of(background.repo).events)
    told = listed({**did, "row": log_of(background.repo).state.iteration})
    found(f"{ROUNDS} rounds of tell, pause, take-back and extend in mid-trial", f"{told}; each is an event of the log")
    assert (kinds["tell"], kinds["agreed"], kinds["taken_back"]) == (did["tell"], did["extend"], did["take-back"])
    clean(background.repo)
