"""Move a run between foreground and background; refused while a controller is at work."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments
from ..kernel.core import choices
from ..kernel.core.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    parser.add_argument("--session-mode", choices=choices.SESSION_MODES, required=True)
    parser.add_argument("--execution-policy", choices=choices.POLICIES, help="for nested Codex sessions")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The mode in force."""
    from ..supervisor import supervisor
    from . import runtime_file

    layout = arguments.layout_of(args)
    if runtime_file.is_running(layout):
        raise Refusal(runtime_file.BUSY)
    changed = supervisor.touch_session(layout, args.session_mode, args.execution_policy or "")
    return {**changed, **layout.names("runtime")}
