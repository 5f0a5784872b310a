"""What an answer says after a row: the port `row`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ..kernel import ports
from ..kernel.core import numbers
from ..kernel.core.frozen import Any
from ..kernel.core.rows import Row
from ..kernel.core.supervise import HUMAN, OVER
from ..kernel.disk import evidence
from ..kernel.disk.layout import script
from ..kernel.run import budget
from ..kernel.run.context import Run

DRIFTED = Decimal("0.1")  # from such a part of what the check prints on, an answer says that the chain errs
CRASHES = 5  # of one kind in a row, which no further try mends
_EXEC_END = "The run is over. End the session with the single word done."


def told(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """The next step with what an agent needs that remembers nothing; at the end with the minutes that the run took."""
    from . import ladder, nextstep

    out = nextstep.step(run.config, run.mode, run.state, run.log.rows, budget.spent(run), advice(run))
    over = out["action"] in OVER
    if over:
        out["counts"]["minutes"] = round(budget.minutes(run))
        if run.mode == "exec":
            counted = isinstance(budget.noted(run), dict)  # by a controller, which says itself what came of it
            out["do"] = _EXEC_END if counted else _exec_lines()
    elif ladder.same_crash(run.log.rows) >= CRASHES:
        return {
            "action": HUMAN,
            "reason": f"the same crash {CRASHES} times in a row",
            "do": "Record --status blocked with the cause, then tell the user.",
        }
    return {**out, "unsure": f"python3 {script('resume_prompt')} --repo ."}


def _exec_lines() -> str:
    return (
        "The run is over. Your final message is, as it is and alone, what this prints: "
        f"python3 {script('exec_state')} --repo-root . --lines --cleanup"
    )


def advice(run: Run) -> str:
    """The command that ends what goes with the run, "" where nothing does."""
    return " ; ".join(filter(None, (said(run) for said in ports.asked("row", "advice"))))


def shown(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """What a trial's answer tells beside its row: how sure it is, other numbers that are held, how far the run is."""
    if "next" not in found:
        return {}
    event = run.log.trial_of(row.iteration)
    out = _certainty(run, row, event)
    limited = {text.split(" ")[0] for text in run.config.require}
    if limited and "others" in event:
        out["others"] = {name: value for name, value in event["others"].items() if name in limited}
    if run.state.keeps and (row.status == "keep" or found["next"].get("action") in OVER):
        out["so_far"] = str(so_far(run))
    return out


def _certainty(run: Run, row: Row, event: Mapping[str, Any]) -> dict[str, Any]:
    """How sure the answer is: the estimate's interval, the held-out check; the limits where they matter."""
    from ..kernel.run import trial

    out: dict[str, Any] = {}
    if row.iteration == 1 or "crash: took " in event.get("why", ""):
        out["limits"] = trial.limit_of(run).told()
    if "confirm" in event:
        out["confirm"] = event["confirm"]
    if "interval" in event:
        out["interval"] = event["interval"]
        out["estimate"] = f"from {event['runs']} runs, candidate and retained code in turns{_printed(run, row)}"
    return out


def _printed(run: Run, row: Row) -> str:
    """What the runs of a kept edit printed, where the value on the baseline's scale has drifted away from it."""
    kept = evidence.read_json(evidence.folder(run.layout.evidence, row.iteration) / evidence.RECORD) or {}
    values = [Decimal(str(sample["value"])) for sample in kept.get("samples", ()) if sample.get("value") is not None]
    if row.status != "keep" or not values or row.metric is None:
        return ""
    now = numbers.median(values)
    if abs(now - row.metric) <= DRIFTED * abs(now):
        return ""
    return f"; the check prints about {numbers.plain(now)} now: gains are chained on the baseline's scale, which errs"


def so_far(run: Run) -> object:
    """From the baseline to the retained state, in the user's units."""
    from . import units

    kept = {row.iteration for row in run.log.rows if row.is_main and row.status in ("keep", "baseline", "drift")}
    told = (e.get("others") for e in run.log.backwards("trial", '"others"') if e.get("iteration") in kept)
    found = {name: Decimal(str(value)) for name, value in dict(next(filter(None, told), {})).items()}
    return units.way(run.config, run.state.baseline_metric, run.state.claimed, found)
