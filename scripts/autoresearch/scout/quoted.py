"""The check that a goal names itself: `fewer cycles in what "python3 score.py" prints`. It comes before all others."""

from __future__ import annotations

import re
import shlex

from ..kernel.core import scope
from .proposals import CheckProposal, guard_command, places_of
from .surroundings import Project

KIND = "own"
_QUOTED = re.compile(r'"([^"\n]{2,200})"|`([^`\n]{2,200})`|“([^”\n]{2,200})”|„([^“”\n]{2,200})[“”]')
_COUNTED = re.compile(r"\b(?:numbers?|counts?|amount|anzahl|zahl|nombre|n[úu]mero) (?:of|der|de|von) ([a-z_]+)", re.I)
_HIGHER = re.compile(r"\b(?:high|increas|rais|maximi|more|höher|erhöh|steiger|mehr|augment|subir)", re.I)
_MISSES = "what the number does not count; nothing was asked of it but to be printed"


def proposal(project: Project, goal: str) -> CheckProposal | None:
    """The user's own command as a check; None where the goal quotes none that can be run here."""
    texts = [next(filter(None, groups)) for groups in _QUOTED.findall(goal)]
    command = next((text.strip() for text in texts if _runs(project, text)), "")
    if not command:
        return None
    counted = _COUNTED.search(goal)
    inside = [item for item in scope.split(places_of(project)) if item not in shlex.split(command)]
    flags = {
        "goal": goal,
        "scope": ", ".join(inside),
        "metric_name": counted[1].lower() if counted else "number",
        "direction": "higher" if _HIGHER.search(goal.replace(command, "")) else "lower",
        "verify": command,
        "guard": guard_command(project),
    }
    return CheckProposal(KIND, {name: value for name, value in flags.items() if value}, _MISSES)


def _runs(project: Project, text: str) -> bool:
    """Whether this is a command: a program and what it is given, or a program of the project."""
    import shutil

    try:
        words = shlex.split(text)
    except ValueError:
        return False
    own = words[0].startswith("./") and words[0][2:] in project.files
    return own or (len(words) > 1 and shutil.which(words[0]) is not None)
