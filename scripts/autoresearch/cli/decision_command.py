"""Decide keep, discard or crash for given numbers, as a trial would."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..kernel.core.choices import DIRECTIONS, GUARDS
from ..kernel.core.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    parser.add_argument("--direction", required=True, choices=DIRECTIONS)
    parser.add_argument("--current-metric", required=True, help="the retained metric")
    parser.add_argument("--trial-metric", help="the trial's metric")
    parser.add_argument("--guard", choices=GUARDS, default="-")
    parser.add_argument("--crashed", action="store_true")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """The decision and what is retained after it."""
    from ..kernel.core import decision, numbers

    current = numbers.parse(args.current_metric, "current metric")
    trial = None if args.trial_metric is None else numbers.parse(args.trial_metric, "trial metric")
    if trial is None and not args.crashed:
        raise Refusal("there is neither --trial-metric nor --crashed, expected one of them; measure first")
    outcome = decision.decide(args.direction, current, trial, args.guard, args.crashed)
    return {
        "status": outcome.status,
        "trial_metric": trial,
        "retained_metric": trial if outcome.status == "keep" else current,
        "improved": outcome.improved,
        "guard": args.guard,
        "reason": outcome.reason,
    }
