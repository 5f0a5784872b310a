"""A run as it stands on disk: log, snapshot and configuration read together, and written back together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .. import ports
from ..core import config, supervise
from ..core.errors import Refusal
from ..core.fold import State, differing, with_foreign_commits, with_primary
from ..core.frozen import Any, dataclass, replace
from ..core.rows import Row
from ..core.rulings import Ruling
from ..core.settings import Config
from ..core.text import listing, one_line
from ..disk import journal, snapshot
from ..disk.journal import Event, LockedLog, Log
from ..disk.layout import Layout, exec_state_path
from ..system import gitfiles
from . import budget


@dataclass(frozen=True)
class Run:
    """One run: where it lies, its log, its configuration, and the snapshot as it was found (None when missing)."""

    layout: Layout
    log: Log
    config: Config
    snapshot: Mapping[str, Any] | None

    @property
    def mode(self) -> str:
        """loop, debug, fix, …"""
        return self.log.header.get("mode") or str((self.snapshot or {}).get("mode") or "loop")

    @property
    def tag(self) -> str:
        """The run's name."""
        return self.log.header.get("run_tag") or str((self.snapshot or {}).get("run_tag") or "run")

    @property
    def state(self) -> State:
        """The fold of the log, the primary repository in its maps, with commits that only a foreign snapshot knows."""
        known = (self.snapshot or {}).get("state")
        state = with_foreign_commits(self.log.state, known) if isinstance(known, dict) else self.log.state
        return with_primary(state, str(self.layout.root))

    @property
    def tree(self) -> Path:
        """The checkout in which experiments happen: the run's worktree, or the root."""
        return Path(self.config.worktree) if self.config.worktree else self.layout.root

    def trees(self) -> dict[str, tuple[Path, str]]:
        """Checkout and scope by repository path, the primary one first."""
        found = {str(self.layout.root): (self.tree, self.config.scope)}
        found.update({repo.path: (Path(repo.path), repo.scope) for repo in self.config.companions})
        return found


def now() -> str:
    """The time as the artifacts write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def located(layout: Layout, mode: str) -> Layout:
    """The layout with exec mode's scratch snapshot, unless another path was asked for."""
    default = layout.root / "autoresearch-state.json"
    return replace(layout, state=exec_state_path(layout.root)) if mode == "exec" and layout.state == default else layout


def assemble(layout: Layout, log: Log) -> Run:
    """Combine a log with its snapshot; raises `Refusal` when they contradict each other or the log is empty."""
    if not log.count:
        raise Refusal(f"{layout.results.name} has no baseline row; start again with autoresearch_init_run.py --force")
    layout = located(layout, log.header.get("mode", ""))
    found = snapshot.tolerant(layout.state)
    if found is not None and snapshot.relation(found, log) == "diverged":
        state = found["state"]
        odd = [f"{n}: snapshot {state[n]}, log {getattr(log.state, n)}" for n in differing(state, log.state)]
        raise Refusal(
            f"{layout.state.name} equals no prefix of the log: one was edited ({listing(odd, 30) or 'run_tag'}); "
            "nothing was done, ask the user, then autoresearch_resume_check.py --write-repaired-state trusts the log"
        )
    known = configuration(log, found)
    before = next((repo.path for repo in known.repos if repo.role == "primary"), "")
    if before not in ("", str(layout.root)):
        log, known = _moved(log, known, (before, str(layout.root)))
    if known.worktree and not os.path.isdir(known.worktree):
        known = replace(known, worktree=_worktree_now(layout.root, known.worktree))
    return Run(layout, log, known, found)


def _worktree_now(root: Path, before: str) -> str:
    """Where git knows the run's worktree, once it was moved (`git worktree move`, or `repair` after a plain move)."""
    from ..system.git import Repo

    repo, name = Repo(root), os.path.basename(before)
    found = [Path(path) for path in repo.linked_worktrees() if os.path.isdir(path)] if repo.is_git() else []
    return next((str(path) for path in found if Repo(path).is_git() and Repo(path).git_dir().name == name), before)


# Events that name the repository in which they happened.
_PLACED = ("foreign", "byproducts", "touched", "ignored", "watched")


def _moved(log: Log, known: Config, ends: tuple[str, str]) -> tuple[Log, Config]:
    """Log and configuration of a run whose folder was moved since they were written, or whose path is no UTF-8."""
    before, now = ends
    events = journal.Events(_placed(event, before, now) for event in log.events)
    repos = tuple(replace(repo, path=now) if repo.path == before else repo for repo in known.repos)
    return Log(log.header, log.rows, events, log.size), replace(known, repos=repos)


def _placed(event: Event, before: str, now: str) -> Event:
    if event.get("kind") in _PLACED and event.get("repo") == before:
        return {**event, "repo": now}
    heads = event.get("heads")
    if isinstance(heads, dict) and before in heads:
        return {**event, "heads": {now if name == before else name: head for name, head in heads.items()}}
    return event


def configuration(log: Log, found: Mapping[str, Any] | None) -> Config:
    """The configuration in force: header, later `config` events, and what the snapshot may change."""
    head = config.from_header(log.header)
    for event in log.of_kind("config", "agreed"):
        if isinstance(event.get("config"), dict):
            head = config.from_dict({**head.to_dict(), **event["config"]})
    written = (found or {}).get("config")
    known = config.from_dict(written) if isinstance(written, dict) else None
    return config.merge(head, known, "config_json" in log.header)


def load(layout: Layout) -> Run:
    """Read a run without locking it; raises `Refusal` when there is none or it is not sound."""
    log = _log(layout)
    while True:
        try:
            return assemble(layout, log)
        except Refusal:
            before, log = log.count, _log(layout)
            if log.count == before:  # else a row was recorded between the reads of log and snapshot
                raise


def _log(layout: Layout) -> Log:
    try:
        return journal.read(layout.results)
    except FileNotFoundError:
        raise journal.missing(layout.results) from None
    except ValueError as error:
        raise Refusal(f"{layout.results.name} cannot be read ({error}){journal.REMEDY}") from None


@contextmanager
def writing(layout: Layout, parser: Callable[[bytes], Log] = journal.parse) -> Iterator[tuple[Run, LockedLog]]:
    """The run with its log locked, for one append; `parser` reads it."""
    with journal.locked(layout.results, parser) as held:
        yield assemble(layout, held.log), held


def append(run: Run, held: LockedLog, events: Sequence[Event], new: Sequence[Row]) -> Run:
    """Add rows to the log, which makes them count, and bring the snapshot up to date where it can be written."""
    log = held.append(events, new)
    try:
        return save(run, log)
    except Refusal:
        return replace(run, log=log)  # an old snapshot is rolled forward; the row must not be reported as refused


def save(run: Run, log: Log, supervisor: Mapping[str, Any] | None = None) -> Run:
    """Write the snapshot that belongs to `log`; the caller holds the log's lock."""
    run = replace(run, log=log)
    old = dict(run.snapshot or {})
    ruling = supervise.judge(run.config, run.mode, run.state, budget.spent(run))
    data = {
        **old,
        "version": 1,
        "mode": run.mode,
        "run_tag": run.tag,
        "updated_at": now(),
        "config": run.config.to_dict(),
        "state": {**_object(old.get("state")), **run.state.to_dict()},
        **log.marked(),
        "supervisor": {
            **advice(ruling),
            **_object(old.get("supervisor")),
            **advice(ruling),
            **_session(),
            **(supervisor or {}),
        },
    }
    gitfiles.hide(run.layout.results, run.layout.state, run.layout.lessons)
    snapshot.write(run.layout.state, data)
    return replace(run, snapshot=data)


def advice(ruling: Ruling) -> dict[str, Any]:
    """What the snapshot says of a ruling."""
    return {
        "recommended_action": ruling.decision,
        "should_continue": ruling.decision == supervise.RELAUNCH,
        "terminal_reason": supervise.terminal_reason(ruling),
        "last_reason": ruling.reason,
    }


def _session() -> dict[str, str]:
    """The Codex session that this command runs in, for the hooks that keep a run going."""
    name = os.environ.get("CODEX_SESSION_ID") or os.environ.get("CODEX_THREAD_ID", "")  # of a sub-agent: its root's
    return {"session": one_line(name, 100)} if name else {}


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def follow(run: Run, row: Row, insight: str = "", strategy: str = "") -> None:
    """What follows a row: the port `row`. The row is in the log, so a refusal must not make it look refused."""
    for recorded in ports.asked("row", "recorded"):
        try:
            recorded(run, row, insight, strategy)
        except Refusal:
            continue


def answered(run: Run, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
    """What features add to the answer `found` on a row."""
    return {key: value for show in ports.asked("row", "shown") for key, value in show(run, row, found).items()}
