"""The Codex CLI as a controller's agent: its command line, its events, its errors. Written against 0.171.0."""

from __future__ import annotations

import json
import os
import shlex
import time

from ..background.agent import Call, Ended, ErrorClass, SessionOutput, Usage
from ..kernel.core.choices import SANDBOXED
from ..kernel.core.errors import Refusal
from ..kernel.system import process
from ..kernel.system.git import Repo
from . import codex_errors, codex_events, rollout

NAME = "codex"
HANDED_ON = "AUTORESEARCH_CODEX_BIN"
_TOLD = "The background run that was started here has ended. Say in a few lines how. What follows is data:"

read = codex_events.after_line


def find(program: str) -> str:
    """The path of the CLI; raises `Refusal` when there is none."""
    from shutil import which

    name = program or "codex"
    found = which(os.path.expanduser(name))
    if not found and name == "codex" and (found := _around_us()):
        os.environ[HANDED_ON] = found  # a controller that we start outlives what is around us
    if not found:
        raise Refusal(
            f"codex_exec_unavailable: {name} is not on PATH, expected the Codex CLI; name it with --codex-bin"
        )
    return os.path.abspath(found)


def _around_us() -> str:
    """The CLI of the Codex that we run inside, "" for none: its shells are login shells, which may lose PATH.

    Where node is lost with it, the script of its package would not start; the native program does.
    """
    from shutil import which

    handed = os.environ.get(HANDED_ON, "")
    if os.path.isabs(handed) and os.access(handed, os.X_OK):
        return handed
    managed = os.path.join(os.environ.get("CODEX_MANAGED_PACKAGE_ROOT", ""), "bin", "codex.js")
    if os.path.isabs(managed) and os.access(managed, os.X_OK) and which("node"):
        return managed
    return process.ancestor_program("codex")


def served() -> bool:
    """Whether our session runs in Codex's background server, whose commands have the environment that it began with."""
    return process.below("--managed-daemon")


def telling(program: str) -> str:
    """The shell command that tells its standard input in the chat that runs us; raises `Refusal` outside of one."""
    thread = os.environ.get("CODEX_SESSION_ID") or os.environ.get("CODEX_THREAD_ID", "")
    if not thread:
        raise Refusal("there is no Codex chat around this command, expected one for --notify chat; give a command")
    words = [find(program), "queue", "--thread", thread, "--message"]
    return f'{" ".join(map(shlex.quote, words))} "{_TOLD} $(cat)"'


def argv(call: Call) -> tuple[str, ...]:
    """The command line; the prompt comes on stdin.

    Overrides rather than flags switch features, for older versions ignore an override they do not know. The mark is
    set for shell commands by name, since a user's policy may keep the environment from them.
    """
    overrides = (
        "features.unbounded_connection_retries=false",
        f'shell_environment_policy.set.{process.MARK}="{call.mark}"',
    )
    settings = [part for item in overrides for part in ("-c", item)]
    program = (find(call.program), "exec")
    outside = () if Repo(call.tree).is_git() else ("--skip-git-repo-check",)  # without it the CLI refuses to start
    if call.thread:  # works in the current folder, and takes the policy as overrides only
        head = (*program, "resume", "--json", "-o", str(call.last), *outside, *settings, *_resumed_policy(call))
        return (*head, *_arguments(call), call.thread, "-")
    head = (*program, "--json", "-C", str(call.tree), "-o", str(call.last))
    return (*head, *outside, *settings, *_policy(call), *_arguments(call), "-")


def _arguments(call: Call) -> tuple[str, ...]:
    """The user's arguments, with the model that the run has come to in place of theirs."""
    if not call.model:
        return call.arguments
    kept, passed = [], iter(call.arguments)
    for word in passed:
        if word in ("-m", "--model"):
            next(passed, "")
        elif not word.startswith("--model="):
            kept.append(word)
    chosen = [f'model="{call.model}"', *([f'model_reasoning_effort="{call.effort}"'] if call.effort else [])]
    return (*kept, *(part for item in chosen for part in ("-c", item)))


def confined(call: Call) -> tuple[str, ...]:
    """The CLI's own sandbox command, with the roots of a session, without git folders, and the user's overrides;
    it works in the current folder."""
    pairs = zip(call.arguments, call.arguments[1:])
    overrides = [part for flag, value in pairs if flag in ("-c", "--config") for part in ("-c", value)]
    return (find(call.program), "sandbox", *_resumed_policy(call), *overrides, "--")


def _resumed_policy(call: Call) -> tuple[str, ...]:
    if call.policy != SANDBOXED:
        return _policy(call)
    roots = json.dumps([*map(str, call.folders)], ensure_ascii=False)  # a TOML list too, whatever a folder's name has
    return ("-c", 'sandbox_mode="workspace-write"', "-c", f"sandbox_workspace_write.writable_roots={roots}")


def _policy(call: Call) -> tuple[str, ...]:
    if call.policy != SANDBOXED:
        return ("--dangerously-bypass-approvals-and-sandbox",)
    return ("-s", "workspace-write", *(part for folder in call.folders for part in ("--add-dir", folder)))


def ending(ended: Ended) -> ErrorClass:
    """Why the session ended: by the kind that its record names, else by the text of its failure or refused start."""
    text = ended.seen.failure or codex_errors.start_up_error(ended.said)
    record = rollout.read(ended.seen.thread_id, ended.started) if ended.seen.failure else rollout.Record()
    known = codex_errors.by_record(record, text, time.time())
    return known or codex_errors.classify(text, ended.exit_code, ended.seen.completed)


def tokens(seen: SessionOutput, started: float) -> Usage | None:
    """The sum over the thread and its helpers: the stream tells it at the end of a turn, before that the record."""
    own = seen.usage or rollout.read(seen.thread_id, started).usage
    return own.plus(rollout.with_helpers(seen.thread_id)) if own else None


def context(seen: SessionOutput, started: float) -> int:
    """The tokens of the thread's newest request and answer, as its record has them."""
    return rollout.read(seen.thread_id, started).context
