"""The durable note of a running trial, and how a killed one is finished or undone by the next command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .. import ports
from ..core import log_events, rows
from ..core.frozen import Any, dataclass, replace
from ..core.text import shortened
from ..disk import bytecode, evidence, journal
from ..disk.layout import Layout
from ..system import gitundo, process
from ..system.git import GitError, Repo
from ..system.gittrees import Trees
from . import context, stale
from .context import Run

BUSY = "another trial or measurement is running here, expected one at a time; wait for it and repeat the command"


@dataclass(frozen=True)
class Attempt:
    """What the agent says of its edit; all of it is data.

    `searched`: values tried outside before this one; `knowing`: a warning was read; `lessons`: ids that were used.
    `own` and `content` are the tool's: the iterations that it tries again, and the tree that they give.
    """

    description: str
    labels: tuple[str, ...] = ()
    hypothesis: str = ""
    searched: int = 0
    knowing: bool = False
    lessons: tuple[str, ...] = ()
    own: tuple[int | str, ...] = ()
    content: str = ""


@dataclass(frozen=True)
class TrialRepo:
    """One repository of a trial: its checkout, where HEAD was, and the trial's commit once there is one.

    `part` is set before a part of the edit is put into the tree in its place; `branch` is "" on a detached HEAD.
    """

    tree: str
    base: str
    trial: str = ""
    part: str = ""
    branch: str = ""


@dataclass(frozen=True)
class Intent:
    """What is being tried. `row` is set once the outcome is decided: from then on it is finished, never undone."""

    iteration: int
    tag: str
    mark: str
    places: Mapping[str, TrialRepo]
    row: str = ""
    events: tuple[Mapping[str, Any], ...] = ()
    rollback: str = ""  # "", "reset" or "revert"
    lesson: str = ""
    started: float = 0.0
    workers: tuple[str, ...] = ()  # rows of a batch, recorded with the main one
    own: bool = False  # the tool's own attempt: undone it leaves no edit behind
    root: str = ""  # the run's folder when this was written

    @property
    def seed(self) -> str:
        """What the random order of the runs is drawn from: the trial's commits, so that it can be drawn again."""
        return "+".join(place.trial for place in self.places.values() if place.trial)

    def write(self, root: Path) -> Intent:
        """Make the note durable."""
        data = dict(vars(self), places={name: vars(place) for name, place in self.places.items()})
        evidence.write_json(evidence.intent_path(root), data)
        return self


def place_of(tree: Path) -> TrialRepo:
    """A repository as a trial finds it."""
    repo = Repo(tree)
    return TrialRepo(str(tree), repo.head(), branch=repo.branch())


def read(root: Path) -> Intent | None:
    """The note of a running or killed trial, or None."""
    data = evidence.read_json(evidence.intent_path(root))
    if data is None:
        return None
    try:
        places = {str(name): TrialRepo(**place) for name, place in data.pop("places").items()}
        lists = {"events": tuple(data["events"]), "workers": tuple(data.get("workers", ()))}
        note = Intent(**{**data, **lists, "places": places, "started": float(data["started"])})
        return _moved(note, str(root.parent))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _moved(note: Intent, root: str) -> Intent:
    """The note with the run's folder where it is now: it may have been moved since."""
    if note.root in ("", root):
        return note
    places = {
        root if name == note.root else name: replace(place, tree=root if place.tree == note.root else place.tree)
        for name, place in note.places.items()
    }
    return replace(note, places=places, root=root)


@contextmanager
def alone(layout: Layout) -> Iterator[str]:
    """Hold the run's trial lock with nothing left of a killed trial; yields what was mended, or "".

    Raises `Refusal` when another trial or measurement holds it.
    """
    with stale.held(layout, BUSY):
        yield finish(layout)


def finish(layout: Layout) -> str:
    """Finish a decided trial, or take an undecided one back to an uncommitted edit; returns what was done, or "".

    Holding the trial lock is the caller's business: only then is the note that of a dead process.
    """
    return _mend(layout, _to_edit)


def undo(layout: Layout) -> str:
    """Like `finish`, but an undecided trial leaves no edit behind: its patch is in the evidence."""
    return _mend(layout, _to_base)


def _mend(layout: Layout, unfinished: Callable[[Layout, Intent], str]) -> str:
    note = read(layout.evidence)
    if note is None:
        evidence.clear_intent(layout.evidence)
        return ""
    end(layout, note.mark)
    for place in note.places.values():
        stale.clear(Path(place.tree), note.started)
    done = complete(layout, note) and "finished" if note.row else (_to_base if note.own else unfinished)(layout, note)
    evidence.clear_intent(layout.evidence)
    return f"{done} iteration {note.iteration}, which was interrupted"


def end(layout: Layout, mark: str) -> None:
    """End all that runs under a mark, here and wherever a feature has it run."""
    process.end_marked(mark, 2.0)
    for ended in ports.asked("measure", "ended"):
        ended(layout, mark)


def _committed(note: Intent, place: TrialRepo) -> str:
    """The trial's commit at HEAD, recognised by its parent and trailers, or ""."""
    repo = Repo(Path(place.tree))
    head = repo.head()
    if head == place.base:
        return ""
    trailers = repo.trailers(head)
    mine = trailers.get("Autoresearch-Run") == note.tag and trailers.get("Autoresearch-Iteration") == str(
        note.iteration
    )
    return head if mine and repo.parent(head) == place.base else ""


def _to_edit(layout: Layout, note: Intent) -> str:
    for place in note.places.values():
        trial = _committed(note, place)
        if trial:
            repo = Trees(Path(place.tree))
            trial = show_whole(repo, place) or trial
            _show_candidate(repo, place.base, trial)
            repo.soft_undo(place.base, trial)
        elif place.trial:
            _undo_below(layout, note, place)
    return "took back to an uncommitted edit"


def _undo_below(layout: Layout, note: Intent, place: TrialRepo) -> None:
    """Take an undecided trial back that somebody has committed on top of; its patch is in the evidence."""
    repo = Trees(Path(place.tree))
    if repo.exists(place.trial) and repo.head() != place.base:
        _keep_patch(layout, note, repo, place.base, place.trial)
        said = f"Revert an experiment that was interrupted\n\nThis reverts commit {place.trial}.\n\n" + trailers(note)
        _taken_back(layout, note, place, said)


def shown(note: Intent) -> set[str]:
    """The paths that a killed trial left with a part of its edit in them: they are no later edit."""
    found: set[str] = set()
    for place in note.places.values():
        if place.part:
            repo, ends = Repo(Path(place.tree)), (place.base, place.trial)
            found |= set(repo.changed_paths(*ends)) - repo.edited(*ends, place.part)
    return found


def show_whole(repo: Trees, place: TrialRepo) -> str:
    """Tree and branch back to the whole edit, where a part of it took its place; returns its commit, else ""."""
    if not place.part:
        return ""
    try:
        repo.finish_switch(place.base, place.trial, place.part)
    except GitError:
        pass  # edited since: the newer edit stays
    repo.repoint(place.part, place.trial)
    return place.trial


def _show_candidate(repo: Repo, base: str, trial: str) -> None:
    """The candidate's content into the tree: a noisy measurement may have ended with the retained one there."""
    try:
        repo.switch_content(base, trial)
    except GitError:
        pass  # edited since: the newer edit stays


def _to_base(layout: Layout, note: Intent) -> str:
    for place in note.places.values():
        trial = _committed(note, place)
        if trial:
            repo = Trees(Path(place.tree))
            trial = show_whole(repo, place) or trial
            _keep_patch(layout, note, repo, place.base, trial)
            _taken_back(layout, note, replace(place, trial=trial), "")
        elif note.own and place.trial:
            _hide(Repo(Path(place.tree)), place)
    return "undid"


def _hide(repo: Repo, place: TrialRepo) -> None:
    """Take content that no commit at HEAD holds out of the tree; a newer edit of it stays, as an edit of the base."""
    try:
        repo.finish_switch(place.trial, place.base)
    except GitError:
        if repo.head() == place.base:
            repo.soft_undo(place.base, place.trial)


def _keep_patch(layout: Layout, note: Intent, repo: Repo, base: str, trial: str) -> None:
    where = evidence.folder(layout.evidence, note.iteration) / evidence.UNDONE
    evidence.add_patch(where, repo.patch(base, trial, evidence.PATCH_LIMIT))


def complete(layout: Layout, note: Intent) -> Run:
    """Carry out a decided trial: roll back where asked, append its row once, snapshot, lesson. Safe to repeat."""
    before, row = context.load(layout), rows.parse_row(note.row)
    workers = map(rows.parse_row, note.workers)
    if before.state.iteration >= note.iteration:
        with context.writing(layout) as (run, held):
            return context.save(run, held.log)
    moved: list[str] = []
    for place in note.places.values():
        if note.rollback and place.trial:
            moved += _roll_back(layout, note, place)
    aside = [log_events.make("aside", iteration=note.iteration, paths=moved[:200])] if moved else []
    with context.writing(layout) as (run, held):
        run = context.append(run, held, (*note.events, *aside, *_refused(layout), *_heads(note)), [*workers, row])
    evidence.clear_refusals(layout.evidence)
    context.follow(before, row, strategy=note.lesson)
    return run


def _refused(layout: Layout) -> list[journal.Event]:
    return [log_events.make("refused", **item) for item in evidence.refusals(layout.evidence)]


def _heads(note: Intent) -> list[journal.Event]:
    """Where HEAD stands after this row, so that a commit by somebody else is noticed."""
    heads = {name: _head(Repo(Path(place.tree)), place.branch) for name, place in note.places.items()}
    return [log_events.make("heads", iteration=note.iteration, heads=heads)]


def _head(repo: Repo, branch: str) -> str:
    """The tip of the trial's branch, also where somebody has switched to another one meanwhile."""
    switched = branch and repo.branch() != branch
    return (repo.commit_at("refs/heads/" + branch) if switched else "") or repo.head()


def is_off(place: TrialRepo) -> bool:
    """Whether the branch of a trial holds its edit no more, or only a part of it."""
    repo = Repo(Path(place.tree))
    tip = _head(repo, place.branch) if place.trial else ""
    if tip == place.trial:
        return False
    return not set(repo.changed_paths(place.base, place.trial)) <= set(repo.changed_paths(place.base, tip))


def _roll_back(layout: Layout, note: Intent, place: TrialRepo) -> tuple[str, ...]:
    message = f"iteration {note.iteration} was not kept\n\nThis reverts commit {place.trial}.\n\n" + trailers(note)
    revert = f'Revert "experiment: {shortened(rows.parse_row(note.row).description, 60)}"\n\n' + message
    return _taken_back(layout, note, place, revert if note.rollback == "revert" else "")


def _taken_back(layout: Layout, note: Intent, place: TrialRepo, message: str) -> tuple[str, ...]:
    """Bring one repository back to before the trial; returns what was in the way and lies in the evidence now."""
    repo = Trees(Path(place.tree))
    aside = evidence.folder(layout.evidence, note.iteration) / "aside"
    trial = gitundo.TrialCommit(place.base, place.trial, place.branch, message, aside)
    moved = gitundo.take_back(repo, trial)
    bytecode.forget(repo.root, repo.changed_paths(place.base, place.trial))
    return moved


def trailers(note: Intent) -> str:
    """The trailers of every commit that belongs to a trial."""
    return f"Autoresearch-Run: {note.tag}\nAutoresearch-Iteration: {note.iteration}\n"


def with_commits(note: Intent, commits: Mapping[str, str]) -> Intent:
    """The note with the trial's commits."""
    return replace(note, places={n: replace(p, trial=commits.get(n, "")) for n, p in note.places.items()})
