"""The background controller and the real Codex CLI with a scripted model: runs from launch to their end."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from autoresearch.kernel.system import process

from tests.codex import reach, replies, scripts
from tests.codex.conftest import SANDBOXED
from tests.codex.server import Server
from tests.conftest import HANG, SCRIPTS, Ran, Repo
from tests.unattended import TRIAL, Background, alive, kill, until

pytestmark = pytest.mark.codex

SET = tuple(f"--codex-arg={part}" for part in SANDBOXED[2:])  # the policy's own flag comes from the controller


@pytest.fixture
def background(repo: Repo, run_script: Callable[..., Ran], codex_bin: str) -> Iterator[Background]:
    """Return a run that is not launched yet, in a repository with a file `value` that holds 10."""
    repo.write("value", "10\n")
    repo.commit("value")
    made = Background(repo, run_script, ("--codex-bin", codex_bin))
    yield made
    made.close()


def lowering(trials: int) -> scripts.Script:
    """A model that lowers the value by one in each experiment."""
    return scripts.researcher(lambda n: f"echo {10 - n} > value", TRIAL, trials)


def to(value: int) -> scripts.Script:
    """A model that tries one value."""
    return scripts.agent([f"echo {value} > value", TRIAL])


def test_a_run_to_its_goal_over_several_sessions(server: Server, background: Background):
    server.play(lowering(2))
    ran = background.launch("--stop-condition", "<= 5")
    assert (ran.code, ran.json["baseline_metric"], ran.json["status"]) == (0, 10, "running")
    ended = background.ended()
    assert (ended["status"], ended["reason"], ended["spent"]["sessions"]) == ("terminal", "goal_reached", 3)
    assert background.statuses() == ["baseline", *["keep"] * 5]
    assert background.repo.status() == ""
    assert ended["spent"]["tokens"] == len(server.requests) * 110
    assert len(server.threads) == 3
    prompt = server.requests[0].user_texts[-1]
    assert prompt.startswith("You take up an autoresearch run") and not any(
        "<skill>" in t for t in server.requests[0].user_texts
    )


def test_compaction_in_mid_run(server: Server, background: Background):
    server.play(scripts.researcher(lambda n: f"echo {10 - n} > value", TRIAL, 4, replies.Usage(input=9000)))
    small = ("--codex-arg=-c", "--codex-arg=model_auto_compact_token_limit=5000")
    background.launch("--stop-condition", "<= 6", *small)
    assert background.ended()["reason"] == "goal_reached"
    assert "compaction" in [request.kind for request in server.requests]
    after = server.requests[-1].user_texts
    assert any(text.startswith("You take up an autoresearch run") for text in after)  # the prompt outlives it


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (replies.rate_limited(), "rate_limited"),
        (replies.server_error(), "overloaded"),
        (replies.dropped(), "network"),
        (replies.silent(30), "network"),
        (replies.context_overflow(), "context_overflow"),
    ],
)
def test_a_passing_fault_costs_a_session_and_no_more(
    server: Server, background: Background, fault: replies.Reply, name: str
):
    server.play(scripts.always(fault), to(1))
    quick = ("--codex-arg=-c", "--codex-arg=model_providers.local.stream_idle_timeout_ms=300")
    background.launch("--stop-condition", "<= 1", "--backoff-seconds", "0.2", *quick)
    ended = background.ended()
    assert (ended["reason"], background.statuses()) == ("goal_reached", ["baseline", "keep"])
    assert f"session ends: {name}" in background.log()
    assert ("waiting until" in background.log()) is (name != "context_overflow")


def test_a_wait_that_the_server_asks_for_is_left_to_the_cli(server: Server, background: Background):
    def talk(request: replies.Request) -> scripts.Talk[None]:
        yield replies.rate_limited(1)
        yield from to(1)(request)

    server.play(talk)
    background.launch("--stop-condition", "<= 1")
    ended = background.ended()
    assert (ended["reason"], ended["spent"]["sessions"]) == ("goal_reached", 1)


def test_no_session_lives_while_a_trial_is_measured(server: Server, background: Background):
    alive_then = []

    def talk(request: replies.Request) -> scripts.Talk[None]:
        for value in (9, 5):
            yield from scripts.run(f"echo {value} > value")
            answer = yield from scripts.run(f"{TRIAL} --queue")
            assert '"status": "queued"' in answer
            request = yield replies.say("It is being measured.")
            alive_then.append((request.number, request.user_texts[-1]))

    server.play(talk)
    background.launch("--stop-condition", "<= 5", verify="sleep 3; cat value")
    assert background.ended()["reason"] == "goal_reached"
    assert background.statuses() == ["baseline", "keep", "keep"]
    ((number, told),) = alive_then
    assert number == 3 and '"metric": 9' in told and "left waiting was run" in told
    assert len(server.threads) == 1 and len(server.requests) == 6
    assert background.status()["spent"]["tokens"] == 6 * 110
    assert "goes on with its thread" in background.log()


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (replies.unauthorized(), "authentication"),
        (replies.usage_limit(), "usage_limit"),
        (replies.usage_limit(int(time.time()) + 86_400), "usage_limit"),
        (replies.out_of_credits(), "quota"),
        (replies.failed("cyber_policy", "not allowed"), "denied"),
        (replies.bad_request(), "bad_request"),
    ],
)
def test_a_human_is_needed_at_once(server: Server, background: Background, fault: replies.Reply, name: str):
    server.play(scripts.always(fault))
    background.launch()
    ended = background.ended()
    assert (ended["status"], ended["reason"]) == ("needs_human", "codex_exec_unavailable")
    assert ended["last_error"].startswith(f"{name}: ")
    assert len(server.threads) == 1


def test_a_configuration_error_needs_a_human(background: Background):
    background.launch("--codex-arg=-c", "--codex-arg=model_provider=nope")
    ended = background.ended()
    assert ended["status"] == "needs_human" and "nope" in ended["last_error"]


def test_an_endpoint_that_is_down_is_waited_for(server: Server, background: Background):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    there = f"--codex-arg=model_providers.local.base_url=http://127.0.0.1:{port}/v1"
    background.launch("--stop-condition", "<= 1", "--backoff-seconds", "0.2", "--codex-arg=-c", there)
    assert until(lambda: background.log().count("session ends: network") >= 2)
    up = Server(to(1), port=port)
    try:
        assert background.ended()["reason"] == "goal_reached"
    finally:
        up.close()


def test_tokens_of_a_failed_session_count(server: Server, background: Background):
    def talk(request: replies.Request) -> scripts.Talk[None]:
        yield from scripts.run("true")
        yield from scripts.run("true")
        yield replies.usage_limit()

    server.play(talk)
    background.launch()
    assert background.ended()["spent"]["tokens"] == 220


def test_a_run_of_a_model_that_has_its_tools_within_programs(server: Server, background: Background):
    """A code-mode model: every call is a program, also the one that waits for a trial which takes its time."""

    def talk(_: replies.Request) -> scripts.Talk[None]:
        for value in (9, 12, 8):
            yield from scripts.run(f"echo {value} > value")
            yield from scripts.run(f"sleep 1; {TRIAL}", wait_ms=250)
        yield replies.say("session over")

    server.play(talk)
    background.launch("--stop-condition", "<= 8", "--codex-arg=-m", "--codex-arg=gpt-6-sol")
    assert background.ended()["reason"] == "goal_reached", background.log()
    assert background.statuses() == ["baseline", "keep", "discard", "keep"]
    sent = server.requests[-1].body["input"]
    calls = [item for item in sent if item["type"].endswith("call")]
    assert {call["type"] for call in calls} == {"custom_tool_call"} and server.requests[-1].code_mode
    assert sum("tools.write_stdin" in call["input"] for call in calls) >= 3


def test_tokens_of_helpers_count_once_over_the_sessions_of_a_thread(server: Server, background: Background):
    """The run's own thread starts a helper in its first session and is gone on with in a second one."""

    def talk(request: replies.Request) -> scripts.Talk[None]:
        if request.metadata.get("thread_source") == "subagent":
            yield replies.say("helped", replies.Usage(5000, 1000, 500, 0))
            return
        yield replies.helper("look around")
        yield replies.await_helper()
        for value in (9, 5):
            yield replies.shell(f"echo {value} > value; {TRIAL} --queue")
            yield replies.say("the turn is over")

    server.play(talk)
    background.launch("--stop-condition", "<= 5", "--max-tokens", 6250, "--codex-arg=-m", "--codex-arg=gpt-6-sol")
    ended = background.ended()
    assert background.statuses() == ["baseline", "keep", "keep"], background.log()
    assert "goes on with its thread" in background.log()
    helped = sum(request.metadata.get("thread_source") == "subagent" for request in server.requests)
    assert helped == 1 and len(server.requests) == 7
    assert ended["spent"]["tokens"] == 6 * 110 + 5500
    assert (ended["reason"], ended["spent"]["cached"]) == ("goal_reached", 6 * 40 + 1000)


STUBBORN = """[ -e ../calm ] && exec cat value
[ -e ../measured ] || { echo 10; exit; }
trap '' TERM INT
setsid sh -c 'trap "" TERM INT; echo $$ > ../child.tmp; mv ../child.tmp ../child; while :; do sleep 1; done' &
while :; do sleep 1; done"""


def in_a_long_verify(server: Server, background: Background, *args: object) -> tuple[dict[str, object], int]:
    """Launch a run whose first trial never ends; its session, and the child in a session of its own."""
    outside = background.repo.path.parent
    (outside / "verify.sh").write_text(STUBBORN)
    server.play(scripts.agent(["touch ../measured; echo 9 > value", TRIAL]), to(1))
    ran = background.launch(*args, "--verify-timeout", 600, verify="sh ../verify.sh")
    assert ran.code == 0, ran.err
    assert until((outside / "child").exists), background.log()
    return background.session(), int((outside / "child").read_text())


def test_stop_in_a_long_verify(server: Server, background: Background):
    session, child = in_a_long_verify(server, background)
    ran = background.ctl("stop", "--grace-seconds", 2)  # the check never ends: whoever waits for it hangs
    assert (ran.json["status"], ran.json["reason"]) == ("stopped", "user_stopped")
    assert not alive(child) and process.pids_with_mark(str(session["mark"])) == ()
    assert (background.repo.read("value"), background.repo.status()) == ("10\n", "")
    assert background.statuses() == ["baseline"]


def test_kill_of_the_controller(server: Server, background: Background):
    session, child = in_a_long_verify(server, background, "--stop-condition", "<= 1")
    kill(background.record()["pid"], signal.SIGKILL)
    lost = until(lambda: background.status() if background.status()["reason"] == "controller_lost" else None)
    assert (lost["status"], lost["pid"]) == ("needs_human", None)
    (background.repo.path.parent / "calm").touch()
    assert background.ctl("start").code == 0
    assert background.ended()["reason"] == "goal_reached"
    assert not alive(child) and process.pids_with_mark(str(session["mark"])) == ()
    assert background.statuses() == ["baseline", "keep"]


def test_kill_of_the_wrapper_with_its_native_child_alive(server: Server, background: Background):
    session, child = in_a_long_verify(server, background, "--stop-condition", "<= 1")
    (background.repo.path.parent / "calm").touch()
    kill(int(str(session["pid"])), signal.SIGKILL)
    assert background.ended()["reason"] == "goal_reached"
    assert not alive(child) and process.pids_with_mark(str(session["mark"])) == ()
    assert "session ends: interrupted (exit code -9)" in background.log()


def test_kill_of_controller_and_wrapper(server: Server, background: Background):
    session, child = in_a_long_verify(server, background)
    kill(background.record()["pid"], signal.SIGKILL)
    kill(int(str(session["pid"])), signal.SIGKILL)
    lost = until(lambda: background.status() if background.status()["reason"] == "controller_lost" else None)
    assert lost["status"] == "needs_human"  # the native program, the trial and its check still run
    assert background.ctl("stop", "--grace-seconds", 1).json["reason"] == "user_stopped"
    assert not alive(child) and process.pids_with_mark(str(session["mark"])) == ()
    assert background.repo.status() == ""


def test_the_mark_reaches_commands_that_are_kept_from_the_environment(server: Server, background: Background):
    server.play(scripts.agent(["setsid sh -c 'echo $$ > ../child; sleep 300' >/dev/null 2>&1 &\nsleep 300"]))
    core = '--codex-arg=shell_environment_policy.inherit="core"'
    background.launch("--codex-arg=-c", core)
    child = background.repo.path.parent / "child"
    assert until(lambda: child.exists() and child.read_text().strip())
    background.ctl("stop", "--grace-seconds", 1)
    assert not alive(int(child.read_text()))


@pytest.mark.parametrize("isolation", ["none", "worktree"])
def test_a_sandboxed_run_really_works(server: Server, background: Background, isolation: str):
    server.play(lowering(2))
    ran = background.launch(
        "--execution-policy", "workspace_write", "--isolation", isolation, "--stop-condition", "<= 7", *SET
    )
    assert ran.json["execution_policy"] == "workspace_write"
    assert "write only to the repository and to temporary folders" in ran.json["message"]
    ended = background.ended()
    outputs = [request.last_output for request in server.requests]
    assert ended["reason"] == "goal_reached", (ended, outputs)
    assert background.statuses() == ["baseline", *["keep"] * 3]
    assert background.repo.status() == ""


def test_what_a_sandboxed_session_wrote_is_measured_in_its_sandbox(server: Server, background: Background):
    other = reach.locked_home(background.repo.path.parent / "other")
    background.repo.write("work.py", "print('METRIC value=10')\n")
    background.repo.write("main.py", "import work\n")  # what the check names is locked, what it imports is not
    background.repo.commit("work")
    (background.repo.path.parent / "next.py").write_text(reach.program(server.port, other, "value=5"))
    server.play(scripts.agent(["cp ../next.py work.py", f"{TRIAL} --queue"]))
    wish = ("--execution-policy", "workspace_write", "--stop-condition", "<= 5", "--scope", "work.py", *SET)
    background.launch(*wish, verify="python3 -B main.py")
    ended = background.ended()
    assert ended["reason"] == "goal_reached", (ended, background.log())
    assert '"status": "queued"' in server.requests[2].last_output
    said = background.repo.read("autoresearch-evidence/0001/verify-1.out")
    assert said.split("\n")[:6] == reach.REFUSED
    other.parent.chmod(0o700)
    assert not (background.repo.path.parent / "outside").exists() and background.repo.status() == ""


def test_a_skill_inside_the_sandboxed_repository_is_left_alone(server: Server, background: Background):
    skill = background.repo.path / ".agents" / "skills" / "codex-autoresearch"
    shutil.copytree(SCRIPTS, skill / "scripts", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    background.repo.commit("skill")
    own = TRIAL.replace(str(SCRIPTS), str(skill / "scripts"))
    server.play(scripts.researcher(lambda n: f"echo {10 - n} > value", own, 2))
    background.launch("--execution-policy", "workspace_write", "--stop-condition", "<= 7", *SET)
    assert background.ended()["reason"] == "goal_reached"
    assert background.repo.git("status", "--porcelain", "--ignored", ".agents") == ""


@pytest.mark.parametrize("edit", ["echo evil > .git/hooks/pre-push", "git config core.pager evil"])
def test_a_sandboxed_session_that_changes_what_git_runs_ends_the_run(server: Server, background: Background, edit: str):
    server.play(scripts.agent([edit, "echo 9 > value", TRIAL]))
    background.launch("--execution-policy", "workspace_write", *SET)
    ended = background.ended()
    assert (ended["status"], ended["reason"]) == ("needs_human", "blocked")
    assert "changed what git runs" in ended["detail"] and str(Path(".git") / "") in ended["detail"]
    assert len(server.threads) == 1


def test_a_trial_in_a_sandbox_without_git_says_what_to_do(
    server: Server, background: Background, run_codex, run_script: Callable[..., Ran]
):
    run_script("init_run", "--repo", background.repo.path, "--scope", "value", "--verify", "cat value")
    server.play(scripts.agent(["echo 9 > value", TRIAL]))
    run_codex(["-c", "features.unbounded_connection_retries=false", *SANDBOXED])
    said = server.requests[2].last_output
    assert "the sandbox has made" in said, said
    assert "--add-dir" in said and "outside the sandbox" in said
    assert background.repo.read("value") == "9\n" and background.statuses() == ["baseline"]


def test_a_launch_from_a_sandboxed_session_is_refused(server: Server, repo: Repo, run_codex, codex_bin: str):
    repo.write("value", "10\n")
    repo.commit("value")
    launch = f"python3 {SCRIPTS}/autoresearch_runtime_ctl.py launch --repo . --scope value --verify 'cat value'"
    server.play(scripts.agent([f"{launch} --codex-bin {codex_bin}"]))
    run_codex(["-c", "features.unbounded_connection_retries=false", *SANDBOXED])
    said = server.requests[1].last_output
    assert "inside the Codex sandbox" in said and f"python3 {SCRIPTS}/autoresearch_runtime_ctl.py launch" in said


def test_of_sixteen_launches_one_wins_with_one_session(server: Server, background: Background):
    server.play(scripts.agent(["sleep 300"]))
    command = [sys.executable, f"{SCRIPTS}/autoresearch_runtime_ctl.py", "launch", "--repo", str(background.repo.path)]
    flags = ["--scope", "value", "--verify", "cat value", "--goal", "g", *background.agent]
    pipe = subprocess.PIPE
    all_ = [subprocess.Popen([*command, *flags], stdout=pipe, stderr=pipe, text=True) for _ in range(16)]
    ends = [(child.communicate(timeout=HANG), child.returncode) for child in all_]
    assert sorted(code for _, code in ends) == [0, *[1] * 15]
    assert until(lambda: "sleep 300" in background.events())
    assert len(server.threads) == 1


def test_a_pivot_changes_the_model(server: Server, background: Background):
    pivot = TRIAL.partition(" --")[0].replace("run_trial", "record_iteration") + " --status pivot --description other"
    server.play(scripts.agent([pivot]), to(1))
    background.launch("--stop-condition", "<= 1", "--escalate", "gpt-5.4:high")
    assert background.ended()["reason"] == "goal_reached"
    used = [(request.body["model"], request.body["reasoning"]["effort"]) for request in server.requests]
    assert used[-1] == ("gpt-5.4", "high") and used[0][0] != "gpt-5.4"
