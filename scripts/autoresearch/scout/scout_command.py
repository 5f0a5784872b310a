"""The first look, in one page: the project, its tools, earlier runs, and the checks that fit the goal."""

from __future__ import annotations

import argparse

from ..cli import Outcome, arguments

SECONDS = 120.0  # for everything that --measure runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The repository, the goal, and whether to measure."""
    arguments.add_repo(parser)
    parser.add_argument("--goal", default="", help="what the user wants, in their own words")
    parser.add_argument("--measure", action="store_true", help="run the proposed checks once and give their values now")
    parser.add_argument("--seconds", type=float, default=SECONDS, metavar="S", help="time for --measure (default 120)")
    parser.add_argument(
        "--header",
        action="append",
        metavar="TEXT",
        help="a header of requests, a secret by its variable: 'Authorization: $API_LOGIN'",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(args: argparse.Namespace) -> Outcome:
    """Look, note the proposals for `init_run --as-proposed N`, and show the page."""
    from ..kernel.core.errors import Refusal
    from ..setup import rehearsal, traces
    from . import first_look, scout_page

    root = arguments.root_of(args)
    with traces.swept(root):
        found = first_look.look(root, args.goal, args.seconds if args.measure else 0.0, args.header or ())
    try:
        offers = [{**offer.flags, "fill_in": offer.fill_in, "install": scout_page.install(found, offer)}
                  for offer in found.offers]  # fmt: skip
        rehearsal.keep(root, {"offers": offers}, rehearsal.PROPOSED)
    except Refusal as refusal:
        return Outcome({}, 0, f"{scout_page.page(found)}\n(not noted, so pass all flags yourself: {refusal})")
    return Outcome(first_look.as_json(found), 0, scout_page.page(found) if args.format == "text" else None)
