"""The fold: the state of a run is a pure function of the rows of its log. There is no other place that counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal

from . import numbers
from .frozen import Any, dataclass, names, replace
from .rows import Row
from .statuses import TABLE

COUNTERS = tuple(status.counter for status in TABLE.values() if status.counter)


@dataclass(frozen=True)
class State:
    """Everything that is known of a run after its last row (docs/artifacts.md, The snapshot)."""

    iteration: int
    baseline_metric: Decimal
    best_metric: Decimal
    best_iteration: int
    current_metric: Decimal
    current_labels: tuple[str, ...]
    last_commit: str
    last_status: str
    last_trial_commit: str
    last_trial_metric: Decimal
    last_trial_labels: tuple[str, ...]
    last_repo_commits: Mapping[str, str]
    last_trial_repo_commits: Mapping[str, str]
    keeps: int = 0
    discards: int = 0
    crashes: int = 0
    no_ops: int = 0
    blocked: int = 0
    consecutive_discards: int = 0
    pivot_count: int = 0
    line: str = ""  # the side line that the run is on, `b from 7`
    lines: int = 0  # side lines that were begun
    own: int = 0  # trials that the tool made by itself
    free: int = 0  # iterations that no budget pays for: those, and measuring again
    claimed: Decimal = Decimal(0)  # the retained value on the baseline's scale, which measuring again does not move

    @property
    def counted(self) -> int:
        """Iterations that a budget of them pays for."""
        return self.iteration - self.free

    def to_dict(self) -> dict[str, Any]:
        """The `state` object of the snapshot."""
        return {name: getattr(self, name) for name in FIELDS}


FIELDS = names(State)[:-4]  # the last ones are no keys of the snapshot: only the rows tell them
_NINE = Context(prec=9)  # of a value that is estimated anyway
_NOT_IN_FOREIGN_LOGS = ("last_repo_commits", "last_trial_repo_commits")
RepoCommits = Mapping[int, Mapping[str, str]]
# By iteration: of what stood, rows from this one on stand no more (itself: all stand); and the side line from here on,
# "" for the main one, None where it goes on as it is.
Turns = Mapping[int, "tuple[int, str | None]"]


class Folding:
    """The accumulator: plain attributes, because a frozen object a row is too slow for ten thousand rows."""

    line, lines, stalled = "", 0, 0  # `stalled`: pivots of the main line, while the run is on another

    def __init__(self, first: Row, direction: str, commits: RepoCommits, turns: Turns) -> None:
        """Begin with the baseline row; raises `ValueError` for any other."""
        if first.status != "baseline" or first.iteration != 0 or not first.is_main or first.metric is None:
            raise ValueError("the first row is not a baseline row 0 with a metric")
        self.direction, self.commits, self.turns = direction, commits, turns
        self.iteration, self.strikes, self.pivots, self.own, self.free = 0, 0, 0, 0, 0
        self.counts = dict.fromkeys(COUNTERS, 0)
        self.baseline = self.best = self.claimed = first.metric
        self.best_iteration = 0
        self.standing = [(0, first.metric)]  # retained values that hold nothing that was taken back
        self.retained = self.last = first
        self.kept_commits = self.tried_commits = commits.get(0, {})

    def add(self, row: Row) -> None:
        """Count one row; worker rows change nothing. Raises ValueError for a row that cannot follow."""
        if row.worker:
            return
        if row.iteration != self.iteration + 1 or row.status == "baseline":
            raise ValueError(f"row {row.iteration} ({row.status}) follows row {self.iteration}")
        self.iteration, self.last = row.iteration, row
        # A repository without a new commit keeps its last one.
        self.tried_commits = {**self.kept_commits, **self.commits.get(row.iteration, {})}
        status = TABLE[row.status]
        if status.retains:
            self._retain(row)
        self.pivots = 0 if status.restarts else self.pivots + (row.status == "pivot")
        self.strikes += status.strike and not row.is_own
        self.own += row.is_own
        self.free += status.free or row.is_own
        if status.counter:
            self.counts[status.counter] += 1

    def _retain(self, row: Row) -> None:
        if row.metric is None:
            raise ValueError(f"row {row.iteration} ({row.status}) has no metric")
        if not TABLE[row.status].free or row.iteration in self.turns:
            self.claimed = _moved(self.claimed, self.retained.metric, row.metric)
        self.retained, self.strikes, self.kept_commits = row, 0, self.tried_commits
        if row.iteration in self.turns:
            self._turn(row.iteration, *self.turns[row.iteration])
        self.standing.append((row.iteration, row.metric))
        if numbers.better(self.direction, row.metric, self.best):
            self.best, self.best_iteration = row.metric, row.iteration

    def _turn(self, at: int, gone: int, line: str | None) -> None:
        """A kept iteration was taken back, or a side line begins or ends."""
        self._forget(gone)
        if line is not None:
            back = 0 if line or gone == at else self.stalled
            self.stalled, self.pivots, self.line, self.lines = self.pivots, back, line, self.lines + bool(line)

    def _forget(self, gone: int) -> None:
        """What was measured with the iteration `gone` in place is no best any more."""
        self.standing = [(number, metric) for number, metric in self.standing if number < gone] or self.standing[:1]
        self.best_iteration, self.best = self.standing[0]
        for number, metric in self.standing:
            if numbers.better(self.direction, metric, self.best):
                self.best, self.best_iteration = metric, number

    def state(self) -> State:
        """The state after the rows added so far."""
        kept, last = self.retained, self.last
        assert kept.metric is not None
        return State(
            iteration=self.iteration,
            baseline_metric=self.baseline,
            best_metric=self.best,
            best_iteration=self.best_iteration,
            current_metric=kept.metric,
            current_labels=kept.labels,
            last_commit=kept.commit,
            last_status=last.status,
            last_trial_commit=last.commit,
            last_trial_metric=kept.metric if last.metric is None else last.metric,
            last_trial_labels=last.labels,
            last_repo_commits=self.kept_commits,
            last_trial_repo_commits=self.tried_commits,
            consecutive_discards=self.strikes,
            pivot_count=self.pivots,
            line=self.line,
            lines=self.lines,
            own=self.own,
            free=self.free,
            claimed=self.claimed,
            **self.counts,
        )


def _moved(value: Decimal, before: Decimal | None, after: Decimal) -> Decimal:
    """`value` moved as the retained one was: in proportion where they are on two scales, else by the same step."""
    if before is None or before == value:
        return after
    if value > 0 and before > 0 and after > 0:
        return _NINE.divide(_NINE.multiply(value, after), before)
    return numbers.EXACT.add(value, numbers.EXACT.subtract(after, before))


def fold(rows: Iterable[Row], direction: str, commits: RepoCommits, turns: Turns | None = None) -> State:
    """The state after `rows`; `commits` are the repo commits by iteration, `turns` tells for a drift what it takes
    back and which line it begins; both from the log's events.

    Raises `ValueError` naming the first row that cannot be in a sound log.
    """
    stream = iter(rows)
    first = next(stream, None)
    if first is None:
        raise ValueError("no rows")
    accumulator = Folding(first, direction, commits, turns or {})
    for row in stream:
        accumulator.add(row)
    return accumulator.state()


def prefix(rows: Iterable[Row], iteration: int) -> list[Row]:
    """The rows up to and including main row `iteration`."""
    return [row for row in rows if row.iteration <= iteration]


def differing(snapshot: Mapping[str, Any], state: State) -> list[str]:
    """The names under which a snapshot's `state` object says something else than the fold; keys it lacks are none."""
    mine = state.to_dict()
    return [name for name in FIELDS if name in snapshot and not _same(name, snapshot[name], mine[name])]


def _same(name: str, theirs: Any, mine: Any) -> bool:
    if name in _NOT_IN_FOREIGN_LOGS:  # a log says nothing of repositories that no event named
        theirs = theirs if isinstance(theirs, Mapping) else {}
        return all(same_commit(str(theirs.get(path, commit)), str(commit)) for path, commit in mine.items())
    if name.endswith("commit"):
        return same_commit(str(theirs or "-"), str(mine))
    if isinstance(mine, tuple):
        return isinstance(theirs or [], (list, tuple)) and tuple(theirs or ()) == mine
    if isinstance(mine, Decimal):  # another tool's JSON has the binary float nearest to it
        return (told := _number(theirs)) is not None and float(told) == float(mine)
    return bool(theirs == mine)


def same_commit(one: str, other: str) -> bool:
    """Whether two spellings name one commit: equal, or one abbreviates the other."""
    return one == other or (min(len(one), len(other)) >= 7 and (one.startswith(other) or other.startswith(one)))


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    text = str(value)
    return Decimal(text) if numbers.is_number(text) else None


def with_foreign_commits(state: State, snapshot: Mapping[str, Any]) -> State:
    """Keep the repo commits that only the snapshot knows (logs written without events), while they still hold:
    those of the last trial until the next row, those of the retained commit until another one is retained."""
    holds = {
        "last_trial_repo_commits": snapshot.get("iteration") == state.iteration,
        "last_repo_commits": same_commit(str(snapshot.get("last_commit")), state.last_commit),
    }
    known = {
        name: snapshot[name]
        for name in _NOT_IN_FOREIGN_LOGS
        if holds[name] and isinstance(snapshot.get(name), Mapping) and not getattr(state, name)
    }
    return replace(state, **known) if known else state


def with_primary(state: State, root: str) -> State:
    """The state whose maps of commits hold that of the primary repository `root` too, which rows tell in a column."""
    kept = _with(root, state.last_commit, state.last_repo_commits)
    tried = _with(root, state.last_trial_commit, {**kept, **state.last_trial_repo_commits})
    return replace(state, last_repo_commits=kept, last_trial_repo_commits=tried)


def _with(root: str, commit: str, commits: Mapping[str, str]) -> dict[str, str]:
    known = commits.get(root, "")
    mine = known if commit == "-" or same_commit(known, commit) else commit
    others = {path: other for path, other in commits.items() if path != root}
    return {root: mine, **others} if mine else others
