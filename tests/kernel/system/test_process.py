from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from autoresearch.kernel.system import platform, process
from autoresearch.kernel.system.process import Limits, run_shell

from tests.conftest import HANG
from tests.unattended import until

QUICK = Limits(grace=0.3)


@pytest.fixture
def mark(request) -> str:
    return f"test-{os.getpid()}-{abs(hash(request.node.nodeid))}"


def run(command, mark, tmp_path, timeout=HANG, limits=QUICK, env=None):
    done = run_shell(command, tmp_path, timeout, env or {}, mark, limits)
    assert process.pids_with_mark(mark) == ()
    return done


def wait_for(path: Path) -> str:
    assert until(lambda: path.exists() and path.read_text()), f"{path} never came"
    return path.read_text()


def test_output_exit_code_environment_and_empty_stdin(tmp_path, mark):
    done = run("cat; pwd; echo $WORD; echo bad >&2; exit 3", mark, tmp_path, env={"WORD": "hi"})
    assert (done.exit_code, done.signal, done.timed_out, done.overflowed) == (3, 0, False, False)
    assert done.stdout == f"{tmp_path}\nhi\n".encode() and done.stderr == b"bad\n" and done.leftovers == ()


def test_a_signal_is_no_exit_code(tmp_path, mark):
    done = run("kill -SEGV $$", mark, tmp_path)
    assert (done.exit_code, done.signal) == (None, signal.SIGSEGV)


def test_timeout_ends_what_ignores_sigterm_and_children_in_new_sessions(tmp_path, mark, monkeypatch):
    on = tmp_path / "on"  # once it is there, an hour has passed
    clock = SimpleNamespace(sleep=time.sleep, monotonic=lambda: time.monotonic() + 3600 * on.exists())
    monkeypatch.setattr(process, "time", clock)
    endless = "trap '' TERM; setsid sleep 7361 & echo on; touch on; sleep 7362; sleep 7363"
    done = run(endless, mark, tmp_path, timeout=3000)
    assert done.timed_out and done.stdout == b"on\n" and done.signal == signal.SIGKILL


def test_a_background_child_that_holds_the_pipe_is_ended_and_named(tmp_path, mark):
    done = run("sleep 64 & echo done", mark, tmp_path)
    assert done.exit_code == 0 and done.stdout == b"done\n" and done.leftovers == ("sleep 64",)


def test_a_daemon_that_left_group_and_parent_is_ended(tmp_path, mark):
    daemon = "import os,time\nif os.fork(): os._exit(0)\nos.setsid()\n"
    daemon += "if os.fork(): os._exit(0)\ntime.sleep(65)"
    done = run(f"{sys.executable} -c '{daemon}' >/dev/null 2>&1", mark, tmp_path)
    assert done.exit_code == 0 and len(done.leftovers) == 1


def test_a_flood_is_stopped_and_kept_in_bounds(tmp_path, mark):
    done = run("yes", mark, tmp_path, limits=Limits(0.3, 1_000_000, 100, 200))
    assert done.overflowed and not done.timed_out and len(done.stdout) < 400
    assert done.stdout.startswith(b"y\ny\n") and b"bytes cut" in done.stdout


def test_long_output_keeps_head_and_tail(tmp_path, mark):
    done = run("seq 1 100000", mark, tmp_path, limits=Limits(0.3, 10**8, 20, 30))
    assert done.exit_code == 0 and done.stdout.startswith(b"1\n2\n") and done.stdout.endswith(b"\n100000\n")
    head, _, rest = done.stdout.partition("\n[…".encode())
    assert len(head) == 20 and len(rest.partition("…]\n".encode())[2]) == 30


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_check_before_it_goes_on(tmp_path, mark, sig):
    script = (
        "import signal,sys\nfrom pathlib import Path\nfrom autoresearch.kernel.system.process import *\n"
        "def stop(*a): raise KeyboardInterrupt\n"
        "for s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, stop)\n"
        "try: run_shell('trap \"\" TERM INT; echo $$ > pid; setsid sleep 66 & sleep 67', Path('.'), None, {},"
        f" '{mark}', Limits(grace=0.2))\n"
        f"except KeyboardInterrupt: sys.exit(7 if not pids_with_mark('{mark}') else 8)\n"
    )
    paths = {"PYTHONPATH": str(Path(process.__file__).parents[3])}
    child = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, **paths})
    wait_for(tmp_path / "pid")
    child.send_signal(sig)
    assert child.wait(HANG) == 7


def test_ending_an_outer_mark_ends_checks_started_within(tmp_path, mark):
    inner = (
        "from pathlib import Path\nfrom autoresearch.kernel.system.process import run_shell\n"
        "run_shell('echo $AUTORESEARCH_MARK > seen; sleep 68', Path('.'), None, {}, 'inner')"
    )
    env = {"PYTHONPATH": str(Path(process.__file__).parents[3])}
    out = tmp_path / "out"
    streams = process.Streams(None, out, out)
    started = process.start_detached([sys.executable, "-c", inner], tmp_path, env, streams, mark)
    assert wait_for(tmp_path / "seen") == f"{mark}/inner\n"
    assert len(process.pids_with_mark(mark)) >= 3
    assert process.end_marked(mark, 1.0) == ()
    assert started.child.wait(HANG) != 0 and process.pids_with_mark(mark) == ()


def test_detached_process_reads_and_writes_files_and_is_recognised(tmp_path, mark):
    (tmp_path / "in").write_text("prompt")
    out = tmp_path / "out"
    argv = ["/bin/sh", "-c", "cat; sleep 69"]
    streams = process.Streams(tmp_path / "in", out, tmp_path / "err")
    started = process.start_detached(argv, tmp_path, {}, streams, mark)
    assert wait_for(out) == "prompt"
    assert os.getsid(started.pid) == started.pid != os.getsid(0)
    assert process.alive(started.pid, started.identity) and started.poll() is None
    assert len(until(lambda: process.descendants(started.pid))) == 1  # none between the two commands
    process.signal_group(started.pid, signal.SIGKILL)
    assert started.child.wait(HANG) == -signal.SIGKILL
    assert not process.alive(started.pid, started.identity)
    process.signal_group(started.pid, signal.SIGKILL)  # gone: quiet


def test_a_zombie_is_not_alive(tmp_path):
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process.identity(child.pid) is None
    child.wait()


def test_a_stranger_with_a_reused_pid_is_never_signalled():
    child = subprocess.Popen(["sleep", "70"])
    try:
        process._send(child.pid, "1@another-boot", signal.SIGKILL)
        process._send(child.pid, None, signal.SIGKILL)
        assert child.poll() is None and process.identity(child.pid)
        assert not process.alive(child.pid, "1@another-boot")
    finally:
        child.kill()
        child.wait()


def test_a_missing_folder_is_an_error_of_the_system(tmp_path, mark):
    with pytest.raises(OSError):
        run_shell("true", tmp_path / "none", 1.0, {}, mark)


def test_a_child_that_was_forked_after_the_listing_is_found(mark, monkeypatch):
    child = subprocess.Popen(["sleep", "73"], env={**os.environ, "AUTORESEARCH_MARK": mark})
    listings = [[os.getpid()]]  # the child is missing from the first one
    real = platform._pids
    monkeypatch.setattr(platform, "_pids", lambda: listings.pop() if listings else real())
    try:
        assert process.pids_with_mark(mark) == (child.pid,)
    finally:
        child.kill()
        child.wait()
