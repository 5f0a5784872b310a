"""Run exec mode from CI: a bounded run with Codex, a JSON line an iteration, exit code 0 improved, 1 not, 2 blocked."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping

from ..background import agent_flags
from ..cli import Outcome, arguments, fail_json
from ..kernel.core.errors import Refusal
from ..kernel.core.settings import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..kernel.core.settings import Config

WAIT_LIMIT = 1800.0  # seconds that all waits for the model may take together
_VARIABLES = {
    "mode": "MODE",
    **{row.dest: row.more["env"] for row in SETTINGS if "env" in row.more},
    "agent": "AGENT",
    "agent_bin": "AGENT_BIN",
}
_NEEDED = tuple(row.dest for row in SETTINGS if row.more.get("needed"))
_FIXED = {"mode": "exec", "session_mode": "foreground", "parallel_mode": "serial", "web_search": "disabled"}
_OPTIONS = ("max_stagnation", "backoff_seconds", "wait_limit_seconds", "silence_seconds")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands; the environment stands in for those that are left out."""
    parser.epilog = "Instead of flags, variables AUTORESEARCH_" + ", _".join(_VARIABLES.values()) + " may be set."
    arguments.add_repo(parser)
    arguments.add_config(parser)
    agent_flags.add(parser)
    add = parser.add_argument_group("sessions").add_argument
    add("--max-stagnation", type=int, metavar="N", help="sessions without a row that block the run (default: 3)")
    add("--backoff-seconds", type=float, metavar="S", help="first wait after an error, doubled each time (default: 60)")
    add("--wait-limit-seconds", type=float, metavar="S", help=f"all waits together (default: {WAIT_LIMIT:.0f})")
    add("--silence-seconds", type=float, metavar="S", help="end a session without an event for so long (default: 3600)")


fail = fail_json


def run(args: argparse.Namespace) -> Outcome:
    """Run to the end; the rows are printed as they come, the answer is the last line."""
    from ..background import launch, manifest
    from ..kernel.core import jsontext
    from ..setup import init, start_flags
    from . import exec_run as exec_mode

    _complete(args)
    layout = arguments.layout_of(args)
    problem = launch.sandbox_problem(layout.root)
    if problem:
        raise Refusal(f"{problem}; run this outside")
    environment = start_flags.environment_of(args, layout.root)
    plan = init.Plan("exec", _config(args, layout.root), args.run_tag or "", environment)
    given = {name: getattr(args, name) for name in _OPTIONS}
    given["wait_limit_seconds"] = WAIT_LIMIT if args.wait_limit_seconds is None else args.wait_limit_seconds
    options = manifest.options({**given, **agent_flags.given(args)})
    verdict = exec_mode.run(layout, plan, options, _say)
    if verdict.problem:
        fail(verdict.problem)
    return Outcome(verdict.summary, int(verdict.summary["exit_code"]), jsontext.dumps(verdict.summary))


def _complete(args: argparse.Namespace) -> None:
    """Fill in what the environment tells; raises `Refusal` for what is missing or has no place in exec mode."""
    for name, variable in _VARIABLES.items():
        if getattr(args, name) is None:
            setattr(args, name, os.environ.get(f"AUTORESEARCH_{variable}") or None)
    for name, value in _FIXED.items():
        if getattr(args, name) not in (None, value):
            flag = name.replace("_", "-")
            raise Refusal(
                f"{flag} is {getattr(args, name)[:40]!r}, expected {value}: exec mode has no other; leave it out"
            )
    missing = [
        f"--{name.replace('_', '-')} (AUTORESEARCH_{_VARIABLES[name]})"
        for name in _NEEDED
        if getattr(args, name) in (None, "")
    ]
    if missing:
        raise Refusal(f"the configuration lacks {', '.join(missing)}, expected all of it: nobody can be asked; add it")
    if not str(args.iterations).lstrip("+-").isdecimal():
        raise Refusal(f"AUTORESEARCH_ITERATIONS is {args.iterations[:40]!r}, expected a whole number; correct it")


def _config(args: argparse.Namespace, root: Any) -> Config:
    from ..kernel.core import config

    return config.with_policy(arguments.config_of(args, root), "exec")


def _say(told: Mapping[str, Any]) -> bool:
    """One line, at once; False when its reader is gone, and then there is nobody to tell the rest."""
    from ..kernel.core import jsontext

    try:
        sys.stdout.buffer.write((jsontext.dumps(told) + "\n").encode("utf-8", "replace"))
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return False
    return True
