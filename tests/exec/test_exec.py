"""Exec mode as a pipeline calls it, with scripted sessions: lines, verdicts, errors, signals, what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from autoresearch.kernel.disk.layout import exec_state_path

from tests.background.conftest import Scripted
from tests.conftest import HANG, SCRIPTS, Ran, Repo
from tests.unattended import TRIAL, until

RECORD = f"python3 {SCRIPTS}/autoresearch_record_iteration.py --repo ."
SETTINGS = {
    "GOAL": "a small value",
    "SCOPE": "value",
    "METRIC": "value",
    "DIRECTION": "lower",
    "VERIFY": "cat value",
    "ITERATIONS": "2",
}
FLAGS = {"METRIC": "--metric-name"}


def step(value: object) -> list[str]:
    """One experiment."""
    return [f"echo {value} > value", TRIAL]


class Exec(Scripted):
    """Exec mode in one repository, all settings from the environment unless a test says otherwise."""

    def __init__(self, repo: Repo, run_script: Callable[..., Ran], home: Path) -> None:
        super().__init__(repo, run_script, home)
        self.script = run_script
        self.env.update({f"AUTORESEARCH_{name}": value for name, value in SETTINGS.items()})

    def run(self, *flags: object, **env: str | None) -> Ran:
        """Run it to the end; afterwards nothing may be left but log, evidence and kept commits."""
        ran = self.script("exec", "--repo", self.repo.path, *self.agent, *flags, env={**self.env, **env})
        assert self.repo.status() == ""
        assert not exec_state_path(self.repo.path).parent.exists()
        assert not [path for path in self.repo.path.glob("autoresearch-*") if path.is_file()]
        return ran

    @contextmanager
    def start(self, *flags: object) -> Iterator[subprocess.Popen[str]]:
        """Begin a run, which is ended at the latest when the block ends."""
        command = [sys.executable, str(SCRIPTS / "autoresearch_exec.py"), "--repo", str(self.repo.path)]
        pipe, env = subprocess.PIPE, {**os.environ, **self.env}
        command += [*self.agent, *map(str, flags)]
        with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True) as child:
            try:
                yield child
            finally:
                if child.poll() is None:
                    child.terminate()
                    child.wait(HANG)


@pytest.fixture
def ci(repo: Repo, run_script: Callable[..., Ran], tmp_path: Path) -> Exec:
    """Return exec mode in a repository with a file `value` that holds 10."""
    repo.write("value", "10\n")
    repo.commit("value")
    home = tmp_path / "stand-in"
    home.mkdir()
    return Exec(repo, run_script, home)


def lines(ran: Ran) -> list[dict[str, Any]]:
    """The JSON lines of a run."""
    return [json.loads(line) for line in ran.out.splitlines()]


def error(ran: Ran) -> str:
    """The one JSON object on stderr of a run that was blocked."""
    found = json.loads(ran.err)
    assert (ran.code, found.keys(), found["exit_code"]) == (2, {"error", "exit_code"}, 2)
    return str(found["error"])


def test_an_improvement_is_exit_code_0(ci: Exec):
    ci.plan(step("8.5"), step(11))
    ran = ci.run()
    assert (ran.code, ran.err) == (0, "")
    first, second, last = lines(ran)
    assert list(first) == ["iteration", "commit", "metric", "delta", "guard", "status", "description"]
    assert [first[name] for name in ("iteration", "metric", "delta", "guard", "status")] == [1, 8.5, -1.5, "-", "keep"]
    assert (second["delta"], second["status"], second["description"]) == (2.5, "discard", "step")
    assert ci.repo.git("log", "-1", "--format=%s", first["commit"]) == "experiment: step"
    true = last.pop("true_total")
    assert (true["before"], true["after"], true["runs"]) == (10, 8.5, 2)
    assert last == {
        "status": "completed",
        "baseline": 10,
        "best": 8.5,
        "best_iteration": 1,
        "total_iterations": 2,
        "keeps": 1,
        "discards": 1,
        "crashes": 0,
        "improved": True,
        "exit_code": 0,
        "reason": "exec_mode_completed",
    }
    assert ci.repo.read("value") == "8.5\n"


def test_no_improvement_is_exit_code_1(ci: Exec):
    ci.plan(step(12) + step("nonsense"))
    ran = ci.run()
    assert ran.code == 1
    *rows, last = lines(ran)
    assert [(row["metric"], row["status"]) for row in rows] == [(12, "discard"), (10, "crash")]
    assert (last["improved"], last["exit_code"], last["crashes"], last["best"]) == (False, 1, 1, 10)


def test_the_goal_may_be_reached_early(ci: Exec):
    ci.plan(step(3))
    ran = ci.run("--stop-condition", "<= 5", "--iterations", 50)
    assert (ran.code, lines(ran)[-1]["reason"], lines(ran)[-1]["total_iterations"]) == (0, "goal_reached", 1)


def test_flags_win_over_the_environment(ci: Exec):
    ci.plan(step(9))
    ran = ci.run("--direction", "higher", "--iterations", 1, AUTORESEARCH_MODE="exec")
    assert (ran.code, [row["status"] for row in lines(ran)]) == (1, ["discard", "completed"])


def test_a_session_is_told_what_it_needs(ci: Exec):
    ci.plan(step(9))
    ci.run("--iterations", 1, "--execution-policy", "workspace_write", "--codex-arg=-c", "--codex-arg=model=x")
    (prompt,) = ci.prompts()
    assert ci.argv() == ["-c", "model=x"]
    assert "loop-workflow.md" in prompt and "the single word done" in prompt and "a small value" in prompt


def test_a_line_comes_as_its_row_is_written(ci: Exec):
    ci.plan([*step(9), {"silent": 300}])
    with ci.start() as child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["status"] == "keep"
        assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=HANG)


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_missing_is_named(ci: Exec, name: str):
    flag = FLAGS.get(name, f"--{name.lower()}")
    said = error(ci.run(**{f"AUTORESEARCH_{name}": None}))
    assert f"{flag} (AUTORESEARCH_{name})" in said and said.count("AUTORESEARCH_") == 1
    assert not ci.prompts() and not (ci.repo.path / "autoresearch-evidence").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--no-such-flag",), "unrecognized arguments: --no-such-flag"),
        (("--iterations", "many"), "invalid int value: 'many'"),
        (("--iterations", "0"), "iterations is 0, expected more than 0"),
        (("--mode", "loop"), "mode is 'loop', expected exec"),
        (("--parallel-mode", "parallel"), "parallel-mode is 'parallel', expected serial"),
        (("--web-search", "enabled"), "web-search is 'enabled', expected disabled"),
        (("--session-mode", "background"), "session-mode is 'background', expected foreground"),
        (("--verify", "echo none"), "no number"),
        (("--codex-bin", "no-such-codex"), "codex_exec_unavailable: no-such-codex is not on PATH"),
    ],
)
def test_what_cannot_run_is_one_json_error(ci: Exec, flags: tuple[str, ...], said: str):
    ran = ci.run(*flags)
    assert said in error(ran) and ran.out == ""
    assert not ci.prompts() and not (ci.repo.path / "autoresearch-evidence").exists()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ITERATIONS", "many", "AUTORESEARCH_ITERATIONS is 'many', expected a whole number"),
        ("DIRECTION", "down", "direction is 'down', expected one of lower, higher"),
        ("EXECUTION_POLICY", "root", "execution-policy is 'root'"),
        ("MODE", "fix", "mode is 'fix', expected exec"),
    ],
)
def test_the_environment_is_checked_too(ci: Exec, name: str, value: str, said: str):
    assert said in error(ci.run(**{f"AUTORESEARCH_{name}": value}))


def test_a_dirty_tree_is_refused(ci: Exec):
    ci.repo.write("other", "mine\n")
    ran = ci.script("exec", "--repo", ci.repo.path, *ci.agent, env=ci.env)
    assert "uncommitted changes in other" in error(ran)
    assert ci.repo.status() == "?? other"


def test_an_old_run_is_archived_with_its_launch(ci: Exec):
    base = ("--repo", ci.repo.path, "--environment-summary", "x", "--metric-name", "old", "--baseline-metric", 3)
    assert ci.script("init_run", *base).code == 0
    old = ci.repo.read("research-results.tsv")
    ci.repo.write("autoresearch-launch.json", "{}\n")
    ci.plan(step(9))
    ci.script("exec", "--repo", ci.repo.path, *ci.agent, "--iterations", 1, env=ci.env)
    assert ci.repo.read("research-results.prev.tsv") == old
    assert not (ci.repo.path / "autoresearch-launch.json").exists()
    assert not (ci.repo.path / "autoresearch-state.json").exists()
    assert ci.statuses() == ["baseline", "keep"]


def test_lessons_are_only_read(ci: Exec):
    lessons = "### L-1: mine\n\n- **Strategy:** x\n"
    ci.repo.write("autoresearch-lessons.md", lessons)
    ci.repo.write(".git/info/exclude", "autoresearch-lessons.md\n")
    ci.plan(step(9))
    assert ci.script("exec", "--repo", ci.repo.path, *ci.agent, "--iterations", 1, env=ci.env).code == 0
    assert ci.repo.read("autoresearch-lessons.md") == lessons


@pytest.mark.parametrize(
    ("text", "name"),
    [("unexpected status 401 Unauthorized", "authentication"), ("You've hit your usage limit.", "usage_limit")],
)
def test_what_no_retry_can_help_blocks_at_once(ci: Exec, text: str, name: str):
    ci.plan([*step(9), {"fail": text, "class": name}])
    ran = ci.run()
    assert error(ran).startswith(f"codex_exec_unavailable: {name}: {text}; ")
    row, last = lines(ran)  # what was kept before is kept, and said
    assert (row["status"], last["status"], last["exit_code"], last["improved"]) == ("keep", "blocked", 2, True)
    assert len(ci.prompts()) == 1


def test_waiting_is_bounded(ci: Exec):
    ci.plan([{"fail": "429 Too Many Requests", "class": "rate_limited"}])
    ran = ci.run("--backoff-seconds", "0.1", "--wait-limit-seconds", "0.5")
    assert "rate_limited" in error(ran) and "would pass the limit of 0" in error(ran)
    assert len(ci.prompts()) == 3  # 0.1 and 0.2 seconds, then 0.4 would be too much


def test_a_passing_error_is_waited_out(ci: Exec):
    ci.plan([{"fail": "stream disconnected", "class": "network"}], step(9))
    ran = ci.run("--backoff-seconds", "0.1", "--iterations", 1)
    assert (ran.code, ran.err) == (0, "")


def test_sessions_that_record_nothing_block(ci: Exec):
    ci.plan(["true"])
    ran = ci.run("--max-stagnation", 2)
    assert error(ran).startswith("stagnated: 2 sessions in a row recorded nothing; ")
    assert (len(ci.prompts()), lines(ran)[-1]["total_iterations"]) == (2, 0)
    assert "stagnated" in ci.repo.read("autoresearch-evidence/exec.log")


def test_a_blocked_row_blocks(ci: Exec):
    ci.plan([f"{RECORD} --status blocked --description 'the disk is full'"])
    ran = ci.run()
    assert error(ran).startswith("blocked: ")
    assert [row["status"] for row in lines(ran)] == ["blocked", "blocked"]


def test_no_idea_left_is_an_outcome(ci: Exec):
    ci.plan([f"{RECORD} --status pivot --description 'abandon a; replace by b'"] * 3)
    ran = ci.run("--iterations", 9)
    assert (ran.code, ran.err, lines(ran)[-1]["reason"]) == (1, "", "soft_blocked")


@pytest.mark.parametrize("budget", [("--max-sessions", 2), ("--max-tokens", 150)])
def test_budgets_count_here_too(ci: Exec, budget: tuple[str, int]):
    ci.plan(step(9), step(8), step(7))
    ran = ci.run(*budget, "--iterations", 9)
    assert (ran.code, lines(ran)[-1]["reason"], lines(ran)[-1]["keeps"]) == (0, "budget_exhausted", 2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_what_there_is(ci: Exec, number: signal.Signals):
    ci.plan([*step(9), *step(8)])
    with ci.start("--verify", "grep -qv 8 value || sleep 300; cat value", "--verify-timeout", 600) as child:
        assert until(lambda: "experiment" in ci.repo.git("log", "-1", "--format=%s") and ci.repo.read("value") == "8\n")
        child.send_signal(number)
        out, err = child.communicate(timeout=HANG)
    row, last = map(json.loads, out.splitlines())
    assert (child.returncode, err, row["status"]) == (0, "", "keep")
    assert (last["status"], last["reason"], last["best"], last["total_iterations"]) == (
        "completed",
        "user_stopped",
        9,
        1,
    )
    assert (ci.repo.read("value"), ci.repo.status()) == ("9\n", "")
    assert not exec_state_path(ci.repo.path).parent.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_baseline_leaves_nothing(ci: Exec, number: signal.Signals):
    with ci.start("--verify", f"touch {ci.home}/began; sleep 300; echo 1") as child:
        assert until(lambda: (ci.home / "began").exists())
        child.send_signal(number)
        out, err = child.communicate(timeout=HANG)
    assert error(Ran(child.returncode, out, err)).startswith("interrupted")
    assert out == "" and ci.repo.status() == ""
    assert not (ci.repo.path / "research-results.tsv").exists()
    assert not (ci.repo.path / "autoresearch-evidence").exists()


def test_a_reader_that_leaves_ends_the_run(ci: Exec):
    ci.plan([*step(9), {"silent": 300}])
    with ci.start() as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.close()
        assert child.wait(HANG) == 0
        assert child.stderr.read() == ""
    assert ci.statuses() == ["baseline", "keep"] and not exec_state_path(ci.repo.path).parent.exists()


def test_two_at_once_are_one_too_many(ci: Exec):
    ci.plan([{"silent": 300}])
    with ci.start() as child:
        assert until(ci.prompts)
        second = ci.script("exec", "--repo", ci.repo.path, *ci.agent, env=ci.env)
        assert "already_running" in error(second)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=HANG)
    assert child.returncode == 1


def test_what_a_killed_run_left_is_taken_away(ci: Exec):
    ci.plan(["echo 5 > value", {"silent": 300}], step(9))
    with ci.start() as child:
        assert until(lambda: ci.repo.read("value") == "5\n")
        child.kill()
        child.communicate(timeout=HANG)
    ran = ci.run("--iterations", 1)
    assert (ran.code, lines(ran)[-1]["baseline"]) == (0, 10)
    assert "+5" in ci.repo.read("autoresearch-evidence.prev/0001/undone.diff")


def test_a_secret_of_the_pipeline_is_written_nowhere(ci: Exec):
    ci.env["CODEX_API_KEY"] = "sk-very-secret-4711"
    ci.plan([*step(9), {"fail": "unexpected status 401 Unauthorized", "class": "authentication"}])
    ran = ci.run()
    files = [path for path in ci.repo.path.rglob("*") if path.is_file() and not {".git", ".git-kept"} & {*path.parts}]
    assert files and not [path for path in files if b"sk-very-secret-4711" in path.read_bytes()]
    assert "sk-very-secret-4711" not in ran.out + ran.err
