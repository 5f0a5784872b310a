"""Move a run between foreground and background; refused while a controller is at work."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..core import choices
from ..core.errors import Refusal
from . import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of contract section 5."""
    arguments.add_paths(parser)
    parser.add_argument("--session-mode", choices=choices.SESSION_MODES, required=True)
    parser.add_argument("--execution-policy", choices=choices.POLICIES, help="for nested Codex sessions")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The mode in force."""
    from ..control import runtime
    from ..run import supervisor

    layout = arguments.layout_of(args)
    if runtime.is_running(layout):
        raise Refusal(runtime.BUSY)
    return supervisor.touch_session(layout, args.session_mode, args.execution_policy or "")
