"""How somebody else gets the same numbers: the exact commands."""

from __future__ import annotations

import shlex

from ..cli import same_flags
from ..kernel.core.text import block, one_line
from . import figures
from .account_model import Account

COMMAND_LIMIT = 8000


def steps(account: Account) -> list[tuple[str, str]]:
    """What to do, each with the commands that do it."""
    state, commands = account.state, (account.config.prepare, account.config.verify)
    verify = block("\n".join(filter(None, commands)), COMMAND_LIMIT)
    found = []
    ends = [("baseline", account.experiments[0].row.commit, state.baseline_metric)]
    if state.last_commit != ends[0][1]:
        ends.append(("result", state.last_commit, state.current_metric))
    for name, commit, metric in ends if verify else ():
        title = f"Measure the {name}; expected: {figures.number(metric, account.spread)}"
        found.append((title, f"git switch --detach {shlex.quote(one_line(commit, 64))}\n{verify}"))
    if verify:
        found.append(("Go back to your branch", "git switch -"))
    if account.config.measured:
        found.append(("Set up the same run again, from the baseline's commit", set_up(account)))
    return found


def set_up(account: Account) -> str:
    """The `init_run` command that the run was set up with, as far as its log tells."""
    lines = ["python3 <skill-root>/scripts/autoresearch_init_run.py"]
    given = [("mode", account.mode), *same_flags.flags(account.config, leave_out=("isolation", "execution_policy"))]
    lines += [f"--{flag} {shlex.quote(value)}" for flag, value in given]
    return block(" \\\n  ".join(lines), COMMAND_LIMIT)
