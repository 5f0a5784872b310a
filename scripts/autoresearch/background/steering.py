"""The user at a run that is under way: pause it, take a kept experiment back."""

from __future__ import annotations

import os
import time
from typing import Any

from ..kernel.core import log_events, numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.rows import Row
from ..kernel.core.text import one_line
from ..kernel.disk import bytecode, evidence
from ..kernel.disk.layout import Layout
from ..kernel.run import context, intent, tree
from ..kernel.run.context import Run
from ..kernel.run.intent import Intent
from ..kernel.system.git import Repo
from ..kernel.system.gittrees import Trees
from ..notes import lessons_file
from ..notes.lessons import Lesson
from ..recording import drift, record
from . import pausing, runtime_file

_TRAILER = "Autoresearch-Takes-Back"
_PATCH = 64 * 1024 * 1024


def pause(layout: Layout) -> dict[str, Any]:
    """Ask the controller to end between two experiments; the answer of `status`."""
    if not runtime_file.is_running(layout):
        raise Refusal("no controller is at work here, expected one; runtime_ctl status says what is true")
    pausing.ask(layout)
    detail = "the experiment under way is finished, then the run stops; runtime_ctl start goes on"
    return {**runtime_file.answer(layout), "detail": detail}


def take_back(layout: Layout, number: int, why: str) -> dict[str, Any]:
    """Revert a kept experiment by the user's will, measure what is left, record it; the answer of `take-back`.

    Safe to repeat after a kill. Raises `Refusal` when a controller works here or later experiments build on it.
    """
    if runtime_file.is_running(layout):
        raise Refusal("a controller is at work here, expected none; runtime_ctl pause first, then take it back")
    if not why.strip():
        raise Refusal("--why is missing, expected what is wrong with the experiment; it becomes a lesson")
    with intent.alone(layout):
        run = context.load(layout)
        row = _kept(run, number)
        _refuse_edits(run)
        if Repo(run.tree).trailers(Repo(run.tree).head()).get(_TRAILER) != f"{run.tag}#{number}":
            _revert(run, row, why)  # else it was killed before it was measured
    said = f"took back {number} by the user's word: {one_line(why, 200)}"
    of, reason = row.iteration, one_line(why, 300)
    event = log_events.make("taken_back", at=context.now(), iteration=run.state.iteration + 1, of=of, why=reason)
    after, drifted = drift.append(layout, record.Report("drift", said), [event])
    _learn(after, row, drifted, why)
    return {**record.answer(after, drifted), "taken_back": number}


def _kept(run: Run, number: int) -> Row:
    row = next((row for row in run.log.rows if row.is_main and row.iteration == number), None)
    if row is None or row.status != "keep":
        said = "there is none" if row is None else f"it is a {row.status}"
        raise Refusal(f"iteration {number} was not kept ({said}), expected a keep; see the log")
    gone = [event for event in run.log.of_kind("taken_back") if event.get("of") == number]
    if gone:
        raise Refusal(f"iteration {number} was taken back already, in iteration {gone[-1].get('iteration')}")
    if run.config.companions:
        raise Refusal("this run has companion repositories, expected one repository; revert its commits by hand, then "
                      "record_iteration --status drift")  # fmt: skip
    return row


def _revert(run: Run, row: Row, why: str) -> None:
    """A commit without the experiment, noted as a trial of the tool's own is: a kill on the way is undone whole."""
    repo = Trees(run.tree)
    head, content = repo.head(), _without(repo, row)
    place, number = intent.place_of(run.tree), run.state.iteration + 1
    mark = f"take-back-{os.getpid()}-{time.time_ns()}"
    note = Intent(number, run.tag, mark, {str(run.layout.root): place}, started=time.time(), own=True)
    commit = repo.commit_tree(content, head, _message(note, row, why))
    intent.with_commits(note, {str(run.layout.root): commit}).write(run.layout.evidence)
    repo.switch_content(head, commit)
    repo.repoint(head, commit)
    bytecode.forget(run.tree, repo.changed_paths(head, commit))
    evidence.clear_intent(run.layout.evidence)


def _without(repo: Trees, row: Row) -> str:
    """The id of today's tree without the experiment's change."""
    now = repo.tree_of(repo.head())
    content = repo.patched(now, repo.patch(row.commit, repo.parent(row.commit), _PATCH))
    if not content:
        raise Refusal(
            f"iteration {row.iteration} cannot be taken back alone: later ones build on it; "
            "take those back first, newest first"
        )
    if content == now:
        raise Refusal(f"nothing of iteration {row.iteration} is left in the tree, expected its change; see git log")
    return content


def _message(note: Intent, row: Row, why: str) -> str:
    subject = f'Revert "experiment: {one_line(row.description, 60)}"'
    said = f"Taken back by the user: {one_line(why, 300)}"
    return f"{subject}\n\n{said}\n\n{_TRAILER}: {note.tag}#{row.iteration}\n{intent.trailers(note)}"


def _refuse_edits(run: Run) -> None:
    edits = {path for item in tree.edits(run) for path in item.inside}
    if edits:
        named = ", ".join(sorted(edits)[:5])
        raise Refusal(f"uncommitted changes in the scope: {named}; commit or stash them, then repeat")


def _learn(run: Run, row: Row, drifted: Row, why: str) -> None:
    lesson = Lesson(
        number=0,
        title=one_line(f"taken back by the user: {row.description}", 100),
        strategy=one_line(row.description, 300),
        outcome="discard",
        insight=one_line(f"{why}; {numbers.plain(run.state.current_metric)} without it", 300),
        context=one_line(f"{run.config.goal or run.config.metric}; scope {run.config.scope or '.'}", 200),
        iteration=f"{run.tag}#{drifted.iteration}",
        timestamp=context.now(),
    )
    try:
        lessons_file.append(run.layout.lessons, lesson)
    except Refusal:
        pass  # the row is in the log already
