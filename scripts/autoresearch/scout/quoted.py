"""The check that a goal names itself: `fewer cycles in what "python3 score.py" prints`. It comes before all others."""

from __future__ import annotations

import re
import shlex

from ..kernel.core import scope
from .proposals import CheckProposal, CheckRequest, as_flag, as_said, guard_command, places_of, with_asked
from .surroundings import Project

KIND = "own"
_COUNTED = re.compile(
    r"\b(?:(?:numbers?|counts?|amount|anzahl|zahl|nombre|n[úu]mero) (?:of|der|de|von)|as (?:few|many)"
    r"|möglichst wenige?) ([a-z_]+)", re.I
)  # fmt: skip
_HIGHER = re.compile(r"\b(?:high|increas|rais|maximi|more|höher|erhöh|steiger|mehr|augment|subir)", re.I)
_MISSES = "what the number does not count; nothing was asked of it but to be printed"


def proposal(project: Project, wish: CheckRequest) -> CheckProposal | None:
    """The user's own command as a check; None where the goal quotes none that can be run here."""
    command = wish.said.check
    if not command:
        return None
    counted = _COUNTED.search(wish.goal)
    inside = [item for item in scope.split(places_of(project)) if item not in shlex.split(command)]
    tests = guard_command(project)
    flags = {
        "goal": wish.goal,
        "scope": ", ".join(inside),
        "metric_name": counted[1].lower() if counted else "number",
        "direction": "higher" if _HIGHER.search(wish.said.rest or wish.goal.replace(command, "")) else "lower",
        "verify": command,
        "guard": as_flag(with_asked(wish.said, [f"tests={tests}"] if tests else [])),
    }
    return CheckProposal(KIND, as_said(flags, wish.said), _MISSES)
