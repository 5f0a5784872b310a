"""Say whether a commit, a batch or a rollback is safe in the present tree."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments
from ..kernel.core.choices import PHASES
from . import scope_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    arguments.add_paths(parser)
    scope_flags.add_scopes(parser)
    parser.add_argument("--phase", choices=PHASES, default="precommit")
    parser.add_argument("--rollback-policy", default="revert")
    parser.add_argument("--destructive-approved", action="store_true")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The gate's decision."""
    from . import health

    layout = arguments.layout_of(args)
    asked = health.GateQuestion(args.phase, args.rollback_policy, args.destructive_approved)
    return health.commit_gate(layout, asked, scope_flags.scopes_of(args, layout))
