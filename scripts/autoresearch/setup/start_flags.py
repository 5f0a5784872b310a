"""What the commands that start a run share: the flags of the last dry run or of a proposal, the machine's line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from ..cli import arguments
from ..kernel.core.errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The agreement, `--as-rehearsed` and `--as-proposed`, and a baseline that is reported."""
    arguments.add_config(parser)
    add = parser.add_argument
    add("--as-proposed", type=int, metavar="N", help="take the scout's Nth proposal; other flags win")
    add(
        "--as-rehearsed",
        action="store_true",
        help="take the flags of the last --dry-run; others win",
    )
    add("--baseline-metric", help="a reported baseline instead of a measured one")
    add("--baseline-commit", default="")
    add("--baseline-description", default="")
    add("--repo-commit", action="append", metavar="PATH=COMMIT", help="a repository's baseline commit")


def flags(args: argparse.Namespace) -> dict[str, Any]:
    """The configuration flags that were given, as a later `--as-rehearsed` takes them."""
    known = argparse.ArgumentParser(add_help=False)
    arguments.add_config(known)
    given = {name: getattr(args, name) for name in vars(known.parse_args([]))}
    return {name: value for name, value in given.items() if value is not None and name != "session_mode"}


def take_over(args: argparse.Namespace, root: Path) -> None:
    """Fill the flags that were not given with those of the last dry run or of a proposal, where that is asked for."""
    from ..cli import guards
    from . import rehearsal

    earlier = rehearsal.to_mend if getattr(args, "dry_run", False) else rehearsal.read
    noted = earlier(root) if args.as_rehearsed else {}
    if args.as_proposed is not None:
        offer = rehearsal.proposed(root, args.as_proposed)
        if args.verify is None and offer.get("fill_in"):
            from ..kernel.core.text import one_line

            raise Refusal(
                f"proposal {args.as_proposed} is not ready ({one_line(str(offer['fill_in']), 120)}), expected what it "
                f"lacks: pass --verify {one_line(str(offer['verify']), 400)}"
            )
        noted = {**noted, **offer}
    for name, value in noted.items():
        if name in args and getattr(args, name) is None:
            setattr(args, name, value)
        elif name == "guard" and args.guard:
            args.guard = guards.merged(value, guards.listed(args.guard))


def environment_of(args: argparse.Namespace, root: Path) -> str:
    """The header's line on the machine: as given, else as it is found."""
    from ..machine import probe

    return probe.line(root) if args.environment_summary is None else str(args.environment_summary)


def mended(refusal: Refusal, args: argparse.Namespace, root: Path) -> Refusal:
    """A refused dry run with the command that repeats it: what to install comes first, all other flags are noted."""
    from . import rehearsal

    given = flags(args)
    try:
        rehearsal.keep(root, given, rehearsal.REFUSED)
        install = rehearsal.proposed(root, args.as_proposed).get("install") if args.as_proposed is not None else ""
    except Refusal:
        return refusal
    if str(refusal).startswith("first, with"):
        return refusal
    first = f"first, with the user's yes: {install}; then the same again, for now " if install else ""
    if first and args.verify == rehearsal.proposed(root, args.as_proposed)["verify"]:
        return Refusal(f"{first}{refusal}")
    return Refusal(f"{refusal}; corrected: {_again(str(refusal), given)} (takes all other flags over)")


def _again(text: str, given: Mapping[str, Any]) -> str:
    """The dry run once more with the flag that a refusal names, else the check; of a list what it does not quote."""
    import re
    import shlex

    from ..kernel.disk.layout import script

    names = [name.replace("-", "_") for name in re.findall(r"--([a-z][a-z-]+)", text)]
    name = next((name for name in names if name in given), "verify")
    value = given.get(name)
    listed = [str(item) for item in value] if isinstance(value, list) else []
    kept = [item for item in listed if item[:60] not in text and repr(item.split()[0]) not in text]
    flag = f"--{name.replace('_', '-')}"
    shown = " ".join(f"{flag} {shlex.quote(item)}" for item in kept) or f"{flag} …"
    return f"python3 {script('init_run')} --repo . --dry-run --as-rehearsed {shown}"
