"""The ground that the other tests stand on: the real CLI, the scripted model, and what is known of both."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import pytest
from autoresearch.background.agent import Usage
from autoresearch.codex.codex_errors import classify, start_up_error
from autoresearch.codex.codex_events import parse_line

from tests.codex import replies, scripts
from tests.codex.conftest import BOUNDED, FULL_ACCESS, SANDBOXED, Exec, read_stream
from tests.codex.replies import Reply
from tests.codex.server import Server
from tests.conftest import HANG, Repo

pytestmark = pytest.mark.codex

OPEN = (*BOUNDED, *FULL_ACCESS)
RunCodex = Callable[..., Exec]


def test_a_session_runs_its_commands_and_ends(server: Server, run_codex: RunCodex, repo: Repo) -> None:
    server.play(scripts.agent(["echo two > file; false", "cat file"], final="all done"))
    ran = run_codex(OPEN)
    session = ran.session
    assert (ran.code, session.completed, session.failure) == (0, True, "")
    assert session.last_message == ran.last_message == "all done"
    assert session.usage == Usage(input=300, cached=120, output=30, reasoning=12)
    assert [session.thread_id] == server.threads
    assert session.running_command == ""
    assert "exited with code 1" in server.requests[1].last_output
    assert scripts.shell_text(server.requests[2].last_output) == "two\n"
    assert repo.read("file") == "two\n"
    assert ran.ending.name == "ok"


def test_the_prompt_comes_from_stdin(server: Server, run_codex: RunCodex) -> None:
    server.play(scripts.agent([]))
    run_codex(OPEN, prompt="first line\nsecond line")
    assert "first line\nsecond line" in server.requests[0].user_texts


def test_a_long_command_is_polled_to_its_end(server: Server, run_codex: RunCodex) -> None:
    outputs = []

    def talk(_: replies.Request) -> scripts.Talk[None]:
        outputs.append((yield from scripts.run("echo begin; sleep 1; echo end", wait_ms=250)))
        yield replies.say("done")

    server.play(talk)
    assert run_codex(OPEN).code == 0
    assert outputs == ["begin\nend\n"]
    assert len(server.requests) == 3


def test_each_session_is_a_thread_with_its_own_script(server: Server, run_codex: RunCodex) -> None:
    server.play(scripts.agent([], final="one"), scripts.agent([], final="two"))
    assert [run_codex(OPEN).last_message for _ in range(3)] == ["one", "two", "two"]
    assert len(set(server.threads)) == 3


def test_usage_is_the_sum_over_a_resumed_thread(server: Server, run_codex: RunCodex) -> None:
    server.play(scripts.agent(["true"]))
    first = run_codex(OPEN).session
    again = run_codex([*OPEN, "resume", first.thread_id]).session
    assert again.thread_id == first.thread_id
    assert again.usage == Usage(input=400, cached=160, output=40, reasoning=16)


def test_researcher_experiments_until_told_to_stop(server: Server, run_codex: RunCodex, repo: Repo) -> None:
    repo.write(
        "trial.sh",
        'n=$(cat n); echo "{\\"iteration\\": $n, \\"next\\": {\\"action\\": '
        '\\"$([ "$n" -ge 3 ] && echo stop || echo continue)\\"}}"\n',
    )
    server.play(scripts.researcher(lambda n: f"echo {n} > n", "sh trial.sh", trials=2))
    assert [run_codex(OPEN).ending.name for _ in range(2)] == ["ok", "ok"]
    assert repo.read("n") == "3\n"
    assert len(server.requests) == 5 + 3


def test_compaction_hides_the_skill_and_the_script_goes_on(server: Server, run_codex: RunCodex, repo: Repo) -> None:
    _add_skill(repo)
    server.play(scripts.agent(["echo one", "echo two"], usage=replies.Usage(input=9000)))
    ran = run_codex([*OPEN, "-c", "model_auto_compact_token_limit=5000"], prompt="Use $codex-autoresearch.")
    kinds = [request.kind for request in server.requests]
    assert kinds == ["turn", "compaction", "turn", "compaction", "turn"]
    assert ran.session.completed
    assert ["THE BODY" in str(r.user_texts) for r in server.requests] == [True, True, False, False, False]
    assert all("Use $codex-autoresearch." in request.user_texts for request in server.requests)


def test_a_mention_injects_the_skill(server: Server, run_codex: RunCodex, repo: Repo) -> None:
    text = _add_skill(repo)
    server.play(scripts.agent([]))
    run_codex(OPEN, prompt="Use $codex-autoresearch to go on.")
    injected = server.requests[0].user_texts[-1]
    assert injected.startswith("<skill>\n<name>codex-autoresearch</name>\n")
    assert text in injected


def _add_skill(repo: Repo) -> str:
    text = "---\nname: codex-autoresearch\ndescription: Improve a metric in a loop.\n---\nTHE BODY\n"
    repo.write(".agents/skills/codex-autoresearch/SKILL.md", text)
    repo.commit("skill")
    return text


COMMIT = "git commit --quiet --allow-empty -m trial && echo committed"


def test_the_sandbox_keeps_git_read_only(server: Server, run_codex: RunCodex, repo: Repo) -> None:
    probes = ("touch inside", "touch ../sibling", "touch .git/hooks/new", "mkdir -p .agents/new")
    server.play(scripts.agent([COMMIT, *probes]))
    before = repo.git("rev-parse", "HEAD")
    ran = run_codex([*BOUNDED, *SANDBOXED])
    outputs = [request.last_output for request in server.requests[1:]]
    assert ran.session.completed
    assert "index.lock': Read-only file system" in outputs[0]
    assert ["exited with code 0" in output for output in outputs] == [False, True, False, False, False]
    assert repo.git("rev-parse", "HEAD") == before


def test_the_sandbox_commits_when_git_is_added(server: Server, run_codex: RunCodex, repo: Repo) -> None:
    server.play(scripts.agent([COMMIT]))
    run_codex([*BOUNDED, *SANDBOXED, "--add-dir", str(repo.path / ".git")])
    assert scripts.shell_text(server.requests[1].last_output) == "committed\n"
    assert repo.git("log", "-1", "--format=%s") == "trial"


def test_a_linked_worktree_needs_two_folders(server: Server, run_codex: RunCodex, repo: Repo) -> None:
    repo.git("worktree", "add", "--quiet", "-b", "side", "../side")
    common = repo.path / ".git"
    one = ("--add-dir", str(common))
    both = (*one, "--add-dir", str(common / "worktrees" / "side"))
    server.play(scripts.agent([COMMIT]))
    for args in (one, both):
        run_codex([*BOUNDED, *SANDBOXED, *args], cwd=repo.path.parent / "side")
    outputs = [request.last_output for request in server.requests[1::2]]
    assert ["committed" in output for output in outputs] == [False, True]


ENDINGS = [
    # what the server does, the class, how often the CLI asked
    (replies.rate_limited(), "rate_limited", 1),
    (replies.rate_limited(1), "rate_limited", 2),
    (replies.failed("rate_limit_exceeded", "Limit. Please try again in 20ms."), "rate_limited", 2),
    (replies.usage_limit(), "usage_limit", 1),
    (replies.quota(), "quota", 1),
    (replies.overloaded(), "overloaded", 2),
    (replies.server_error(), "overloaded", 4),
    (replies.unauthorized(), "authentication", 2),
    (replies.bad_request(), "bad_request", 1),
    (replies.missing_model(), "missing_model", 1),
    (replies.context_overflow(), "context_overflow", 1),
    (replies.dropped(), "network", 2),
    (replies.silent(30), "network", 2),
]


@pytest.mark.parametrize(("fault", "name", "requests"), ENDINGS)
def test_faults_end_a_session_in_their_class(
    server: Server, run_codex: RunCodex, fault: Reply, name: str, requests: int
) -> None:
    server.play(scripts.always(fault))
    ran = run_codex([*OPEN, "-c", "model_providers.local.stream_idle_timeout_ms=300"])
    assert (ran.code, ran.session.completed, ran.last_message) == (1, False, "")
    assert (ran.ending.name, len(server.requests)) == (name, requests)
    assert ran.session.usage is None


@pytest.mark.parametrize("fault", [replies.rate_limited(1), replies.server_error(), replies.dropped()])
def test_a_passing_fault_is_survived(server: Server, run_codex: RunCodex, fault: Reply) -> None:
    server.play(scripts.first(fault))
    ran = run_codex(OPEN)
    assert (ran.code, ran.ending.name, ran.last_message) == (0, "ok", "done")
    assert len(server.requests) == 2


def test_an_unreachable_endpoint_ends_a_bounded_session(run_codex: RunCodex) -> None:
    ran = run_codex([*OPEN, *_nowhere()])
    assert (ran.code, ran.ending.name, ran.ending.action) == (1, "network", "backoff")


def test_an_unreachable_endpoint_never_ends_a_session_by_default(codex_bin: str, repo: Repo) -> None:
    with _started(codex_bin, repo, _nowhere()) as child:
        assert child.stdout
        seen = [event for event in map(parse_line, islice(child.stdout, 3)) if event]
        os.killpg(child.pid, signal.SIGKILL)
    assert [event.type for event in seen] == ["thread.started", "turn.started", "error"]
    assert "waiting for network" in seen[-1].text


def test_an_override_that_is_not_known_is_ignored(server: Server, run_codex: RunCodex) -> None:
    server.play(scripts.agent([]))
    ran = run_codex([*OPEN, "-c", "features.not_known_yet=false"])
    assert ran.ending.name == "ok"
    assert "`features.not_known_yet` is ignored" in ran.session.notices[0]


@pytest.mark.parametrize("args", [("--not-an-option",), ("-c", "model_provider=nope")])
def test_a_refused_start_needs_a_human(run_codex: RunCodex, args: tuple[str, ...]) -> None:
    _assert_refused(run_codex([*OPEN, *args]))


def test_a_folder_outside_git_is_a_refused_start(run_codex: RunCodex, tmp_path: Path) -> None:
    _assert_refused(run_codex(OPEN, cwd=tmp_path))


def _assert_refused(ran: Exec) -> None:
    assert ran.session.thread_id == ""
    assert (ran.ending.name, ran.ending.action) == ("bad_request", "human")
    assert ran.ending.text


@pytest.mark.parametrize(
    ("number", "code", "survives"),
    [
        (signal.SIGINT, 1, False),
        (signal.SIGTERM, -signal.SIGTERM, True),
        (signal.SIGKILL, -signal.SIGKILL, True),
    ],
)
def test_only_an_interrupt_reaches_what_a_command_started(
    server: Server, codex_bin: str, repo: Repo, number: int, code: int, survives: bool
) -> None:
    server.play(scripts.agent(["sleep 60 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait"]))
    with _started(codex_bin, repo, OPEN) as child:
        assert child.stdout
        head = list(islice(child.stdout, 3))
        assert _eventually((repo.path / "pids").exists)
        shell, started = map(int, repo.read("pids").split())
        os.killpg(child.pid, number)
        out, err = child.communicate()
    try:
        session = read_stream([*head, *out.splitlines()])
        assert child.returncode == code
        assert "sleep 60" in session.running_command
        assert classify(session.failure or start_up_error(err), code, session.completed).name == "interrupted"
        assert _eventually(lambda: not _alive(shell))
        assert _alive(started) if survives else _eventually(lambda: not _alive(started))
    finally:
        if _alive(started):
            os.kill(started, signal.SIGKILL)


def _started(codex_bin: str, repo: Repo, args: Sequence[str]) -> subprocess.Popen[str]:
    command = [codex_bin, "exec", "--json", "-C", str(repo.path), *args, "go"]
    none, pipe = subprocess.DEVNULL, subprocess.PIPE
    return subprocess.Popen(command, stdin=none, stdout=pipe, stderr=pipe, encoding="utf-8", start_new_session=True)


def _nowhere() -> tuple[str, str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return "-c", f"model_providers.local.base_url=http://127.0.0.1:{port}/v1"


def _eventually(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + HANG
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return true()


def _alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")
