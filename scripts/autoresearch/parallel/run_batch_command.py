"""Parallel experiments: open a worktree for each worker, close the batch by measuring them, or abort it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments, attempts

TYPE_CHECKING = False  # `typing` itself costs more than `--help` may
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..kernel.disk.layout import Layout
    from .batch import BatchRequest

OF_A_RUN = True  # goes on in the copy of the skill that the run began with


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands."""
    commands = parser.add_subparsers(dest="command", required=True)
    opened = commands.add_parser("open", help="a worktree for each worker", allow_abbrev=False)
    closed = commands.add_parser("close", help="measure, pick, confirm, record", allow_abbrev=False)
    aborted = commands.add_parser("abort", help="drop the batch", allow_abbrev=False)
    measured = commands.add_parser(
        "measure", help="measure one worker now; close does not do it again", allow_abbrev=False
    )
    proposed = commands.add_parser(
        "propose", help="leave the worker's edit to its controller, then end the turn", allow_abbrev=False
    )
    settled = commands.add_parser("settle", help="measure and record one worker's proposal", allow_abbrev=False)
    proved = commands.add_parser("prove", help="show that the check sees this worker's folder", allow_abbrev=False)
    recorded = commands.add_parser("record", help="measure a would-be keep on the merged tree", allow_abbrev=False)
    beside = commands.add_parser("beside", help="measure the retained code beside the others", allow_abbrev=False)
    for command in (opened, closed, aborted, measured, proposed, settled, proved, recorded, beside):
        arguments.add_paths(command)
    for command in (measured, proposed, settled, proved, recorded, beside):
        command.add_argument("--worker", required=True, metavar="ID", help="its letter")
    attempts.add(proposed)
    closed.add_argument(
        "--reopen", action="store_true", help="the next batch in the same worktrees, unless the run is over"
    )
    add = opened.add_argument
    add("--workers", type=int, required=True, metavar="N", help="asked for; the machine may grant fewer")
    add("--oversubscribe", action="store_true", help="as many as asked for, even if the machine is small")
    add("--devices-each", type=int, default=1, metavar="N", help="accelerators of one experiment (default: 1)")
    add("--setup", metavar="CMD", default="", help="prepares a fresh worktree")
    add("--link", action="append", metavar="PATH", help="linked into a fresh worktree, e.g. node_modules")


def run(args: argparse.Namespace) -> Mapping[str, Any]:
    """Do what the subcommand says."""
    from . import batch, beside, closing, measuring, proposed, settling

    layout = arguments.layout_of(args)
    if args.command == "propose":
        return proposed.propose(layout, args.worker, attempts.of(args))
    if args.command in ("settle", "prove", "record"):
        step: Callable[..., Mapping[str, Any]] = getattr(settling, args.command)
        return step(layout, args.worker)
    if args.command == "open":
        return _opened(layout, args)
    if args.command == "beside":
        return beside.take_part(layout, args.worker)
    if args.command == "measure":
        return measuring.measure_one(layout, args.worker)
    return closing.close(layout, args.reopen) if args.command == "close" else batch.abort(layout)


def _opened(layout: Layout, args: argparse.Namespace) -> Mapping[str, Any]:
    """The batch, and whether its noisy numbers may be measured at one time; given up where that is broken off."""
    from . import batch, beside

    answer = batch.open_batch(layout, _wish(args))
    try:
        return {**answer, **beside.opened(layout)}
    except BaseException:
        batch.abort(layout)
        raise


def _wish(args: argparse.Namespace) -> BatchRequest:
    from . import batch

    links, each = tuple(args.link or ()), max(1, args.devices_each)
    shared = batch.machine_at(arguments.root_of(args))
    return batch.BatchRequest(args.workers, shared, args.setup, links, args.oversubscribe, each)
