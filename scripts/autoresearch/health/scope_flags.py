"""The scope flags of the two gates."""

from __future__ import annotations

import argparse

from ..cli import arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..kernel.disk.layout import Layout


def add_scopes(parser: argparse.ArgumentParser) -> None:
    """`--scope` and `--companion-repo-scope` of the gates."""
    parser.add_argument("--scope", help="patterns that may change (default: the run's)")
    parser.add_argument("--companion-repo-scope", action="append", metavar="PATH=SCOPE")


def scopes_of(args: argparse.Namespace, layout: Layout) -> dict[str, str]:
    """Scope by repository."""
    from . import health

    companions = arguments.repos_of(args.companion_repo_scope, layout.root, "")[1:]
    return health.repos(layout, args.scope, {repo["path"]: repo["scope"] for repo in companions})
