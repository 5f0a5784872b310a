"""Whether the total of the run is to be measured, and what was measured last. Asked after every trial."""

from __future__ import annotations

from collections.abc import Mapping

from ..kernel.core.frozen import Any
from ..kernel.core.rows import Row
from ..kernel.core.supervise import OVER
from ..kernel.disk import evidence
from ..kernel.disk.layout import script
from ..kernel.run.context import Run

SOON = 30.0  # seconds that nobody minds at the end of a run


def advice(run: Run) -> str:
    """The command that measures the total, where something was kept since it was last measured and the checks run in
    any checkout; else ""."""
    if run.mode == "exec" or not is_due(run):
        return ""
    from . import recheck

    return "" if recheck.checkout_named(run) else f"python3 {script('total')} --repo ."


def told(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """For the answer that asks for the total: how long measuring it takes at most."""
    if found.get("action") not in OVER or not advice(run):
        return {}
    from . import true_total
    from .recheck import Needs

    own, takes = run.config.own_check, max(1.0, true_total.seconds(run.config, Needs()))
    also = f", and up to {true_total.SECONDS:.0f} s for `{own[:60]}`" if own else ""
    less = "; --seconds S bounds it" if takes > SOON or own else ""
    return {"total_takes": f"about {takes:.0f} s at most{also}{less}"}


def is_due(run: Run) -> bool:
    """Whether something was kept, or taken back, since the total was last measured."""
    if run.state.line:
        return False
    at = int(known(run).get("iteration", -1))
    taken = run.log.turns()
    moved = (row for row in run.log.rows if row.is_main and (row.status == "keep" or row.iteration in taken))
    return run.config.measured and any(row.iteration > at for row in moved)


def known(run: Run) -> Mapping[str, Any]:
    """What the last measurement of this run's total found, {} without one."""
    found = evidence.read_json(run.layout.evidence / evidence.TOTAL) or {}
    return found if found.get("run_tag") == run.tag else {}
