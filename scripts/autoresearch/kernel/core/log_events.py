"""The events of a log: facts without a column, one row of this table a kind. `docs/artifacts.md` shows the table.

An event travels as a comment line `# event: {JSON}` in the same write as its row; a few stand alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from .frozen import Any, dataclass


@dataclass(frozen=True)
class EventKind:
    """One kind of event: its fields, those that are there only sometimes, and what it says.

    `alone`: it needs no row in the same write.
    """

    name: str
    fields: tuple[str, ...]
    about: str
    sometimes: tuple[str, ...] = ()
    alone: bool = False


_KINDS = (
    EventKind("start", ("at",), "when the run began (UTC)"),
    EventKind(
        "evaluator",
        ("files", "written", "results"),
        "the locked files with their digests; what the checks write themselves; result files that every run writes; at "
        "a drift what had changed",
        ("iteration", "changed"),
    ),
    EventKind("heads", ("iteration", "heads"), "where HEAD of each repository stands after the row"),
    EventKind("samples", ("iteration", "samples"), "each run of the check at the baseline or at a drift"),
    EventKind(
        "trial",
        ("iteration", "at", "key", "runs", "seconds", "took", "why"),
        "cost (`seconds` of the check, `took` all in all, `slowest` run of a retained state), reason and certainty of "
        "a trial; `key` names its patch on its base, `outcome` is `no gain` or `undecided`",
        (
            *("outcome", "interval", "others", "slowest", "busy", "confirm", "unlikely", "hypothesis", "told"),
            *("searched", "lessons", "own"),
        ),
    ),
    EventKind("repos", ("iteration", "repo_commits"), "the commit of each repository, in runs with companions"),
    EventKind("batch", ("iteration", "rows"), "worker rows follow, this many rows in all", ("batch",)),
    EventKind(
        "refused",
        ("what", "paths", "at", "before_iteration"),
        "an edit that was refused before this row; `what` is `scope` or `evaluator`",
    ),
    EventKind("foreign", ("repo", "files"), "the user's own changes at the start, with digests; they are left alone"),
    EventKind("ignored", ("repo", "paths", "rules"), "what git did not show at the start: the user's, never committed"),
    EventKind("watched", ("repo", "files"), "ignored files of the scope with digests: an edit of one is refused"),
    EventKind(
        "aside", ("iteration", "paths"), "what stood in the way of the undo: it lies in `aside/` of the row's evidence"
    ),
    EventKind("byproducts", ("repo", "paths"), "untracked files that appeared while checks ran"),
    EventKind("touched", ("repo", "paths"), "tracked files outside the scope that the checks write"),
    EventKind("config", ("config",), "settings that a drift replaced (noise, form of the number)"),
    EventKind(
        "agreed",
        ("at", "iteration", "config", "was"),
        "the user agreed to more: what holds from now on, and what held before",
        alone=True,
    ),
    EventKind(
        "escalated",
        ("at", "iteration", "model", "effort"),
        "after a pivot: the model of the sessions from here on",
        alone=True,
    ),
    EventKind("amended", ("at", "iteration", "of", "text"), "what was tried in iteration `of`, said anew", alone=True),
    EventKind("apart", ("at", "iteration", "sets", "why"), "CPU sets that noisy checks may share", alone=True),
    EventKind("tell", ("at", "iteration", "text"), "the user's word to whoever works on the run", alone=True),
    EventKind(
        "line",
        ("at", "iteration", "of", "line"),
        "a side line begins (`line` is its name, `main` where the main one stands) or ends; rows from `of` on are left",
        ("main",),
    ),
    EventKind(
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
