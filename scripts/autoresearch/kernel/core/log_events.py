"""The events of a log: facts without a column, one row of this table a kind. `docs/artifacts.md` shows the table.

An event travels as a comment line `# event: {JSON}` in the same write as its row; a few stand alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import Any, dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of event: its fields, those that are there only sometimes, and what it says.

    `alone`: it needs no row in the same write.
    """

    name: str
    fields: tuple[str, ...]
    about: str
    sometimes: tuple[str, ...] = ()
    alone: bool = False


_KINDS = (
    Kind("start", ("at",), "when the run began (UTC)"),
    Kind(
        "evaluator",
        ("files", "written", "results"),
        "the locked files with their digests; what the checks write themselves; result files that every run writes; at "
        "a drift what had changed",
        ("iteration", "changed"),
    ),
    Kind("heads", ("iteration", "heads"), "where HEAD of each repository stands after the row"),
    Kind("samples", ("iteration", "samples"), "each run of the check at the baseline or at a drift"),
    Kind(
        "trial",
        ("iteration", "at", "key", "runs", "seconds", "took", "why"),
        "cost (`seconds` of the check, `took` all in all, `slowest` run of a retained state), reason and certainty of "
        "a trial; `key` names its patch on its base, `outcome` is `no gain` or `undecided`",
        (
            *("outcome", "interval", "others", "slowest", "busy", "confirm", "unlikely", "hypothesis", "told"),
            *("searched", "lessons", "own"),
        ),
    ),
    Kind("repos", ("iteration", "repo_commits"), "the commit of each repository, in runs with companions"),
    Kind("batch", ("iteration", "rows"), "worker rows follow, this many rows in all", ("batch",)),
    Kind(
        "refused",
        ("what", "paths", "at", "before_iteration"),
        "an edit that was refused before this row; `what` is `scope` or `evaluator`",
    ),
    Kind("foreign", ("repo", "files"), "the user's own changes at the start, with digests; they are left alone"),
    Kind("ignored", ("repo", "paths", "rules"), "what git did not show at the start: the user's, never committed"),
    Kind("watched", ("repo", "files"), "ignored files of the scope with digests: an edit of one is refused"),
    Kind(
        "aside",
        ("iteration", "paths"),
        "what stood in the way of the undo: it lies in `aside/` of the row's evidence",
    ),
    Kind("byproducts", ("repo", "paths"), "untracked files that appeared while checks ran"),
    Kind("touched", ("repo", "paths"), "tracked files outside the scope that the checks write"),
    Kind("config", ("config",), "settings that a drift replaced (noise, form of the number)"),
    Kind(
        "agreed",
        ("at", "iteration", "config", "was"),
        "the user agreed to more: what holds from now on, and what held before",
        alone=True,
    ),
    Kind(
        "escalated",
        ("at", "iteration", "model", "effort"),
        "after a pivot: the model of the sessions from here on",
        alone=True,
    ),
    Kind("amended", ("at", "iteration", "of", "text"), "what was tried in iteration `of`, said anew", alone=True),
    Kind("tell", ("at", "iteration", "text"), "the user's word to whoever works on the run", alone=True),
    Kind(
        "line",
        ("at", "iteration", "of", "line"),
        "a side line begins (`line` is its name, `main` where the main one stands) or ends; rows from `of` on are left",
        ("main",),
    ),
    Kind(
        "taken_back",
        ("at", "iteration", "of", "why"),
        "the kept iteration `of` was reverted by the user's will; `iteration` is the drift that measured the rest",
        alone=True,
    ),
)
TABLE = {kind.name: kind for kind in _KINDS}
ALONE = frozenset(kind.name for kind in _KINDS if kind.alone)


def make(kind: str, **fields: Any) -> dict[str, Any]:
    """An event of a kind with those of the given fields that the table names, in the given order."""
    row = TABLE[kind]
    known = {name: value for name, value in fields.items() if name in row.fields or name in row.sometimes}
    return {"kind": kind, **known}


def repos(iteration: int, commits: Mapping[str, str]) -> list[dict[str, Any]]:
    """The event that carries the repositories' commits of an iteration, if there are any."""
    return [make("repos", iteration=iteration, repo_commits=dict(commits))] if commits else []
