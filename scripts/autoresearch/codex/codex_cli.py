"""The Codex CLI as the controller uses it: its command line, and the tokens it noted. Written against 0.169.0."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..background import stream
from ..background.manifest import Options
from ..kernel.core import jsontext
from ..kernel.core.choices import POLICIES
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass
from ..kernel.run.context import Run
from ..kernel.system.git import Repo
from .codex_events import Usage

_TAIL = 256 * 1024  # bytes of a rollout in which its last sum of tokens is looked for
_FULL, _SANDBOXED = POLICIES


@dataclass(frozen=True)
class Call:
    """One `codex exec`: where it works, what it may do, and the mark that all it starts carries."""

    tree: Path
    policy: str
    folders: tuple[str, ...]  # which a sandboxed session may write besides the tree
    last: Path
    mark: str


def find(name: str) -> str:
    """The path of the CLI; raises `Refusal` when there is none."""
    from shutil import which

    found = which(os.path.expanduser(name))
    if not found:
        raise Refusal(
            f"codex_exec_unavailable: {name} is not on PATH, expected the Codex CLI; install it or --codex-bin"
        )
    return os.path.abspath(found)


def argv(options: Options, call: Call) -> tuple[str, ...]:
    """The command line; the prompt comes on stdin.

    Overrides rather than flags switch features, for older versions ignore an override they do not know. The mark is
    set for shell commands by name, since a user's policy may keep the environment from them.
    """
    overrides = (
        "features.unbounded_connection_retries=false",
        f'shell_environment_policy.set.AUTORESEARCH_MARK="{call.mark}"',
    )
    settings = [part for item in overrides for part in ("-c", item)]
    head = (find(options.codex_bin), "exec", "--json", "-C", str(call.tree), "-o", str(call.last))
    return (*head, *settings, *_policy(call), *options.codex_args, "-")


def _policy(call: Call) -> tuple[str, ...]:
    if call.policy != _SANDBOXED:
        return ("--dangerously-bypass-approvals-and-sandbox",)
    return ("-s", "workspace-write", *(part for folder in call.folders for part in ("--add-dir", folder)))


def folders(run: Run | None, root: Path, tree: Path) -> tuple[str, ...]:
    """What a sandboxed session must be able to write besides its tree: git folders, artifacts, companions, snapshot.

    The sandbox keeps `.git` read-only; a linked worktree needs its own git folder and the shared one.
    """
    trees = [Path(where) for where, _ in run.trees().values()] if run else [tree]
    found = [str(root), *map(str, trees), *([str(run.layout.state.parent)] if run else [])]
    for where in (*trees, root):
        repo = Repo(where)
        if repo.is_git():
            found += [str(repo.common_dir()), str(repo.git_dir())]
    return tuple(name for name in dict.fromkeys(found) if name != str(tree))


def tokens(thread_id: str, started: float) -> Usage | None:
    """The sum of tokens that a session's rollout file tells, None without one.

    A session that failed or was ended reports no usage on its event stream; the rollout has it after each request.
    """
    path = next(_rollouts(thread_id, started), None) if thread_id else None
    lines = stream.tail(path, _TAIL).split(b"\n") if path else []
    for line in reversed(lines):
        if b'"token_count"' in line:
            found = _sum(line)
            if found:
                return found
    return None


def _rollouts(thread_id: str, started: float) -> Iterator[Path]:
    """The session's file; they lie in folders by local date of the start, which may be off by the time zone."""
    home = Path(os.environ.get("CODEX_HOME") or os.path.expanduser("~/.codex"))
    for days in (0, -1, 1):
        date = time.strftime("%Y/%m/%d", time.localtime(started + days * 86400))
        yield from (home / "sessions" / date).glob(f"rollout-*-{thread_id}.jsonl")


def _sum(line: bytes) -> Usage | None:
    try:
        value: Any = jsontext.loads(line.decode("utf-8", "replace"))
        total = value["payload"]["info"]["total_token_usage"]
        names = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
        return Usage(*(int(total[name]) for name in names))
    except (ValueError, KeyError, TypeError):
        return None
