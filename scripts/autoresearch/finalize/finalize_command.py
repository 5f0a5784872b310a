"""Make a clean branch of the kept experiments: proven equal, measured again, with the text of a pull request."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from ..cli import Outcome, arguments, people


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags as in docs/artifacts.md, Commands, and what a clean checkout may need."""
    arguments.add_paths(parser)
    add = parser.add_argument
    add("--branch", required=True, metavar="NAME", help="the branch to make; it must not exist")
    add("--squash", action="store_true", help="one commit instead of one an experiment")
    add("--group", choices=("experiment", "files"), default="experiment", help="'files' joins neighbours in one file")
    add("--base", default="", metavar="REF", help="where the branch starts (default: where the run started)")
    add("--setup", default="", metavar="CMD", help="run in the clean checkout before the checks, e.g. 'npm ci'")
    add("--link", action="append", default=[], metavar="PATH", help="untracked path to link there, e.g. node_modules")
    add("--prune", action="store_true", help="leave out experiments that are worth nothing today, by measuring")
    add("--without", action="append", default=[], type=int, metavar="N", help="leave out this kept experiment")
    people.add_format(parser)


def run(args: argparse.Namespace) -> Outcome:
    """Make the branch; progress goes to stderr."""
    from . import final_branch
    from .recheck import Needs

    needs = Needs(tuple(args.link), args.setup)
    wish = final_branch.BranchRequest(
        args.branch, args.squash, args.group, args.base, needs, args.prune, tuple(args.without)
    )
    with people.Progress() as progress:
        answer = final_branch.finalize(arguments.layout_of(args), wish, progress.step)
    return people.answer(args, answer, _text(answer))


def _text(answer: Mapping[str, Any]) -> str:
    from ..kernel.core import numbers

    metric = answer["metric"]
    lines = [f"branch {answer['branch']}: {_count(answer['commits'])} on {answer['base'][:9]}, content equal"]
    lines += [f"  {item['commit'][:9]} {item['subject']}" for item in answer["commits"]]
    lines += [answer["pruned"]] if "pruned" in answer else []
    for name, commits in answer["companions"].items():
        lines += [f"  in {name}: {_count(commits)}"]
    value = "not measured again" if metric["measured"] is None else numbers.plain(metric["measured"])
    lines += [f"metric on a clean checkout: {value} ({metric['reason']})"]
    lines += [f"guard {answer['guard']}, confirm {answer['confirm']}"]
    lines += [f"total: {answer['total']['message']}"] if "total" in answer else []
    return "\n".join([*lines, f"pull request text: {answer['pull_request_path']}"])


def _count(commits: Sequence[object]) -> str:
    return f"{len(commits)} commit{'s' * (len(commits) != 1)}"
