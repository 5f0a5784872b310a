"""Install, remove or show the Codex hooks that keep a foreground run going; `run` is what Codex calls."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import Outcome, arguments
from ..kernel.core import choices

TYPE_CHECKING = False  # `typing` itself costs more than `--help` may
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

INPUT_LIMIT = 1 << 20  # characters; a hook's input holds the agent's last message
_COMMANDS = {"install": "add them", "uninstall": "remove them", "status": "are they there, and trusted?"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands, and the hook itself."""
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in _COMMANDS.items():
        command = commands.add_parser(name, help=text, allow_abbrev=False)
        arguments.add_repo(command)
        command.add_argument("--scope", choices=choices.HOOK_SCOPES, default="project", help="default: project")
    hook = commands.add_parser("run", help="answer Codex: its JSON on stdin", allow_abbrev=False)
    hook.add_argument("--event", choices=choices.HOOK_EVENTS, required=True)


def run(args: argparse.Namespace) -> Mapping[str, Any] | Outcome:
    """Do one of the four; as a hook, be silent and succeed unless there is something to say."""
    if args.command == "run":
        return Outcome({}, text=_hook(args.event))
    from . import hooks_file

    action = {"install": hooks_file.install, "uninstall": hooks_file.uninstall, "status": hooks_file.status}[
        args.command
    ]
    return action(arguments.root_of(args), args.scope)


def _hook(event: str) -> str:
    """The answer to Codex; a repository without a run costs next to nothing, and no fault of ours stops a turn."""
    import sys
    from pathlib import Path

    from ..kernel.core import jsontext

    try:
        call = jsontext.loads(sys.stdin.buffer.read(INPUT_LIMIT).decode("utf-8", "replace"))
        folder, session = Path(str(call["cwd"])), str(call["session_id"])
        if event == "session_start":
            from ..cli import own_copy
            from ..codex import session_sandbox
            from . import live_sessions

            own_copy.copy()  # a sandboxed command could not make it
            live_sessions.note(session, folder.is_dir() and session_sandbox.works(folder))
        if not folder.is_dir() or not _may_have_run(folder):
            return ""
        return _answer(event, call, folder, session)
    except Exception:
        return ""


def _may_have_run(folder: Path) -> bool:
    from ..cli.run_root import find_root
    from ..kernel.disk.layout import standard

    return standard(find_root(folder)).results.exists()


def _answer(event: str, call: Mapping[str, Any], folder: Path, session: str) -> str:
    from ..kernel.core import jsontext
    from . import continuing

    if event == "interrupt":
        continuing.interrupted(folder, session)
        return ""
    if event == "stop":
        reason = continuing.stop(folder, session)
        return jsontext.dumps({"decision": "block", "reason": reason}) if reason else ""
    text = continuing.compacted(folder, session) if call.get("source") == "compact" else ""
    output = {"hookEventName": "SessionStart", "additionalContext": text}
    return jsontext.dumps({"hookSpecificOutput": output}) if text else ""
