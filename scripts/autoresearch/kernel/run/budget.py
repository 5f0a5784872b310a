"""What a run has spent: the controller's account where there is one, else the clock since the start."""

from __future__ import annotations

import time

from ..core import pace
from ..core.supervise import Spent
from ..disk import evidence
from ..disk.layout import EXEC_RUNTIME

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from .context import Run


def spent(run: Run, account: object = None) -> Spent:
    """Minutes, tokens, sessions and money used so far, and the time; by the `account` where it is given."""
    account, now = account or noted(run), time.time()
    if isinstance(account, dict):
        used = (float(account.get("minutes", 0)), int(account.get("tokens", 0)), int(account.get("sessions", 0)))
        kinds = tuple(int(account.get(name) or 0) for name in pace.TOKENS)
        return Spent(*used, pace.money(run.config.price, kinds), now, kinds)
    return Spent(minutes=_since_start(run), at=now) if run.config.max_minutes is not None else Spent(at=now)


def minutes(run: Run) -> float:
    """Minutes of the run: of its sessions where a controller counts them, else since the start."""
    account = noted(run)
    return float(account.get("minutes", 0)) if isinstance(account, dict) else _since_start(run)


def noted(run: Run) -> object:
    """What the controller noted; exec mode has one too when its script runs it."""
    if run.mode == "exec":
        return (evidence.read_json(run.layout.state.with_name(EXEC_RUNTIME)) or {}).get("spent")
    if run.config.session_mode == "background":
        return (evidence.read_json(run.layout.runtime) or {}).get("spent")
    return None


def _since_start(run: Run) -> float:
    # Loaded where a budget asks for it: reading a date costs more start-up time than a row.
    import calendar

    started = next((str(e["at"]) for e in run.log.of_kind("start") if "at" in e), "")
    try:
        return max(0.0, (time.time() - calendar.timegm(time.strptime(started, "%Y-%m-%dT%H:%M:%SZ"))) / 60)
    except ValueError:
        return 0.0
