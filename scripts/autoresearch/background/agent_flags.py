"""The flags that say which agent does the sessions' work, for every command that starts sessions."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # `typing` itself costs more than `--help` may
if TYPE_CHECKING:
    from typing import Any

NAMES = ("agent", "agent_bin", "agent_args")


def add(parser: argparse.ArgumentParser) -> None:
    """`--agent`, `--agent-bin` and `--agent-arg`, the last two also by their names for the usual agent."""
    flag = parser.add_argument_group("agent").add_argument
    flag("--agent", metavar="NAME", help="who does the work: codex, or plain for any program (default: codex)")
    flag("--codex-bin", "--agent-bin", dest="agent_bin", metavar="PATH", help="its program (default: codex)")
    flag(
        "--codex-arg",
        "--agent-arg",
        dest="agent_args",
        action="append",
        metavar="ARG",
        help="further argument of codex exec; repeatable, use --codex-arg=-c",
    )


def given(args: argparse.Namespace) -> dict[str, Any]:
    """The controller's options that these flags set; None for what was left out."""
    return {name: getattr(args, name) for name in NAMES}
