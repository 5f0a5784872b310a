"""Puts the first look together: facts, earlier runs, proposals, and what measuring them gives."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..checks import toolbox, tstypes
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field, replace
from ..kernel.core.text import one_line
from ..kernel.disk import layout
from ..kernel.system import git
from ..reading import printed
from . import (
    calls,
    fetched,
    known_tools,
    lacking,
    picture,
    proposals,
    quoted,
    sentence,
    surroundings,
    topics,
    within_reach,
)
from .proposals import CheckProposal, CheckRequest
from .surroundings import Project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NONE = "no number"
_ENOUGH = 10.0  # seconds that must be left for a guard to be tried


@dataclass(frozen=True)
class Look:
    """Everything that the page shows."""

    project: Project
    tree: str
    earlier: str
    lessons: tuple[str, ...]
    machine: str
    goal: str
    offers: tuple[CheckProposal, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    causes: tuple[picture.Cause, ...] = ()
    shown: tuple[str, ...] = ()

    def works(self, offer: CheckProposal) -> bool:
        """Whether an offer can be run as it is and gave a number where it was measured."""
        return offer.ready and not self.values.get(offer.kind, "").startswith(_NONE)


def look(root: Path, goal: str, seconds: float, headers: Sequence[str] = ()) -> Look:
    """The first look; with `seconds` the picture and the proposals are measured within that time in all."""
    end = time.monotonic() + seconds
    project = replace(surroundings.look(root), headers=tuple(headers))
    project = replace(project, lacks=lacking.of(project))
    said = sentence.read(project, goal)
    named = topics.topics(said.rest) or topics.topics(goal)
    wanted = _wants_picture(goal, named) and bool(named or not said.check)
    drawn = picture.measured(project, seconds / 2) if wanted and seconds else picture.Picture()
    project = replace(project, routes=drawn.routes)
    known = known_tools.known(project, said.check) if said.check else None
    wish = CheckRequest(goal, "flaky" in named, said=said, known=known, tools=known_tools.named(project, goal))
    wish = replace(wish, branches=topics.names_branches(goal))
    # Where the words name a command and no kind of check, that command alone is meant.
    others = proposals.fitting(project, named) if named or not said.check else []
    fitting = dict.fromkeys([*([known.kind] if known else []), *others])
    if seconds and "call" in fitting and not project.lacks.program:
        project = replace(project, work=calls.tried(project, goal, seconds / 4))
    made = [proposals.make(project, kind, wish) for kind in fitting]
    own = None if known else quoted.proposal(project, wish)
    made = [*([own] if own else []), *made]
    made.sort(key=lambda offer: not offer.ready)
    made = _without_rivals(made)
    ready = [offer for offer in made if offer.ready]
    # What fits best stays in the list, also where something of it is to be filled in.
    best = [offer for offer in made if ready and not offer.ready and offer.kind == next(iter(fitting), "")]
    found = Look(
        project=project,
        tree=_tree(root),
        earlier=_earlier(root),
        lessons=_lessons(root),
        machine=_machine(root),
        goal=goal,
        offers=tuple([*ready[: proposals.MOST - len(best)], *best] or made[: proposals.MOST]),
        causes=picture.together(picture.causes(project, not named), drawn.causes, bool(drawn.routes)) if wanted else (),
        shown=drawn.lines,
    )
    return _measured(found, wish, end) if seconds else found


def _without_rivals(made: Sequence[CheckProposal]) -> list[CheckProposal]:
    """The offers without those that need a tool of their own where another one counts the same: one is installed."""
    seen: set[object] = set()
    kept = []
    for offer in made:
        what = offer.flags.get("metric_name")
        if not (offer.install and what in seen):
            kept.append(offer)
        seen.add(what)
    return kept


def _wants_picture(goal: str, named: tuple[str, ...]) -> bool:
    """Where the user does not know where to start, or wants speed or fewer queries without saying of what."""
    return not named or topics.says_so(goal) or named[0] in ("speed", "http", "queries")


def _tree(root: Path) -> str:
    repo = git.Repo(root)
    if not repo.is_git():
        return "no git repository: git init and a first commit come before a run"
    changes = [change for change in repo.changes() if not _of_skill(root, change.path)]
    state = "clean" if not changes else f"{len(changes)} uncommitted: " + ", ".join(c.path for c in changes[:3])
    return f"branch {repo.branch() or 'none'}, {state}"


def _of_skill(root: Path, path: str) -> bool:
    """Whether a file of the project is one of this skill's own: nobody has to commit those before a run."""
    inside = Path(os.path.realpath(root)) != layout.SKILL_ROOT
    return inside and Path(os.path.realpath(root / path)).is_relative_to(layout.SKILL_ROOT)


def _earlier(root: Path) -> str:
    from ..resuming import resume_rules, resuming

    answer = resuming.check(layout.standard(root), False)
    if answer["decision"] == resume_rules.FRESH:
        return "no earlier run"
    return f"an earlier run ({answer['decision']}): session-resume-protocol.md"


def _lessons(root: Path) -> tuple[str, ...]:
    from ..notes import lessons_file

    entries = lessons_file.read(layout.standard(root).lessons)
    return tuple(one_line(f"{entry.outcome}: {entry.title}: {entry.insight}", 140) for entry in entries[-3:])


def _machine(root: Path) -> str:
    from ..machine import probe

    return probe.line(root)


def _measured(found: Look, wish: CheckRequest, end: float) -> Look:
    values: dict[str, str] = {}
    passed: dict[str, str] = {}
    offers = list(found.offers)
    for at, offer in enumerate(offers):
        if not offer.ready or end - time.monotonic() < 1:
            continue
        values[offer.kind] = value_now(found.project.root, offer, end - time.monotonic())
        if values[offer.kind].startswith(_NONE) and offer.in_turns:
            # The copy of a commit lacks what git does not hold: a build, a generated file.
            offers[at] = offer = proposals.make(found.project, offer.kind, replace(wish, in_turns=False))
            values[offer.kind] = value_now(found.project.root, offer, end - time.monotonic())
        nothing = values[offer.kind].startswith("0 now") or values[offer.kind].endswith(within_reach.NOTHING)
        if nothing and offer.flags["metric_name"] == "missed_lines":
            # No line is missed that a test could run: ways out of lines may be.
            offers[at] = offer = proposals.make(found.project, offer.kind, replace(wish, branches=True))
            values[offer.kind] = value_now(found.project.root, offer, end - time.monotonic())
        offers[at], said = _with_passing(found, offer, passed, end)
        values[offer.kind] += said
    # What gave a number comes first: its place in the list is the one that --as-proposed takes.
    # What is at its goal already comes after what is not, and what fails after what is to be filled in.
    offers.sort(key=lambda offer: _rank(offer, values.get(offer.kind, "")))
    seen = replace(found, offers=tuple(offers), values=values)
    gone = dict.fromkeys(lacking.named_in(found.project, text) for text in (*values.values(), *passed.values()))
    return _lacking(seen, wish, tuple(filter(None, gone)))


def _rank(offer: CheckProposal, value: str) -> int:
    return 2 if not offer.ready else 3 if value.startswith(_NONE) else 1 if value.startswith("0 now") else 0


def _lacking(found: Look, wish: CheckRequest, gone: tuple[str, ...]) -> Look:
    """The look where running showed what is missing: the guards stay, and what gave no number needs that first."""
    if not gone:
        return found
    lacks = replace(found.project.lacks, tests=(*found.project.lacks.tests, *gone))
    project = replace(found.project, lacks=lacks)
    offers, values = [], {}
    for offer in found.offers:
        told = found.values.get(offer.kind, "").partition("; left out of the guard")[0]
        new = offer if offer.kind == quoted.KIND else proposals.make(project, offer.kind, wish)
        fails = told.startswith(_NONE) and bool(lacking.named_in(project, told))
        offers.append(replace(new, install=new.install or gone) if fails else new)
        values.update({} if fails else {offer.kind: told})
    return replace(found, project=project, offers=tuple(offers), values=values)


def value_now(root: Path, offer: CheckProposal, seconds: float) -> str:
    """The metric and the numbers beside it, or why there is none."""
    start = time.monotonic()
    if seconds < 1:
        return f"{_NONE}: the time was used up, see --seconds"
    try:
        ran = toolbox.shell(
            str(offer.flags["verify"]), toolbox.Request(root, (), {"timeout": seconds}), fetched.OFFLINE
        )
    except Refusal as refusal:
        return f"{_NONE}: {one_line(str(refusal), 160)}"
    spent = time.monotonic() - start
    key = offer.flags.get("metric_key") or offer.flags["metric_name"]
    reading = printed.extract(ran.out, printed.Source(name=str(key)))
    if ran.code or reading.value is None:
        return f"{_NONE}: {one_line(ran.err.strip().replace('error: ', '', 1) or reading.problem, 200)}"
    beside = ", ".join(f"{name} {value}" for name, value in list(reading.others.items())[:6])
    more = _kinds_of(ran.out) + within_reach.told(ran.out, root, str(offer.flags.get("scope") or ""))
    warned = re.search(r"^# caution: (.*)$", ran.out, re.MULTILINE)
    by = " by ASSUMED settings" if tstypes.ASSUMED in ran.out else f" (CAUTION: {warned[1]})" if warned else ""
    return f"{reading.value} now{by}, {spent:.1f} s a run" + (f" ({beside})" if beside else "") + more


def _with_passing(found: Look, offer: CheckProposal, known: dict[str, str], end: float) -> tuple[CheckProposal, str]:
    """The offer with the guards that pass today, and what is said of the others; `known` holds earlier verdicts."""
    if found.project.lacks.tests or found.project.lacks.program:
        return offer, ""
    given = offer.flags.get("guard") or ()
    guards = [given] if isinstance(given, str) else list(given)
    for guard in guards:
        if guard not in known:
            left = end - time.monotonic()
            known[guard] = _failing(found.project.root, guard, left) if left > _ENOUGH else ""
    failing = [guard for guard in guards if known[guard]]
    if not failing:
        return offer, ""
    rest = [guard for guard in guards if not known[guard]]
    flags = {**offer.flags, "guard": rest if len(rest) > 1 else "".join(rest).partition("=")[2] or None}
    said = "; ".join(f"left out of the guard, for it {known[guard]}: {_command(guard)[:60]}" for guard in failing)
    return replace(offer, flags={name: value for name, value in flags.items() if value}), f"; {said}"


def _command(guard: str) -> str:
    """The command of NAME=COMMAND, or the whole."""
    named = re.match(r"[a-z][a-z0-9-]*=", guard)
    return guard[named.end() :] if named else guard


def _failing(root: Path, guard: str, seconds: float) -> str:
    """Why a guard cannot be used today, "" where it passes."""
    try:
        ran = toolbox.shell(_command(guard), toolbox.Request(root, (), {"timeout": max(seconds, 1.0)}), fetched.OFFLINE)
    except Refusal:
        return f"takes over {max(seconds, 1.0):.0f} s"
    return f"FAILS today ({ran.complaint()[:100]})" if ran.code else ""


def _kinds_of(out: str) -> str:
    """The most frequent rules of the findings that a check printed."""
    from collections import Counter

    rules = Counter(re.findall(r"^[^\n]+:\d+: .*\[([^\]\s]+)\]$", out, re.MULTILINE))
    missing = sum(rules[name] for name in ("import-not-found", "reportMissingImports", "TS2307"))
    told = "; most: " + ", ".join(f"{rule} {times}" for rule, times in rules.most_common(3)) if len(rules) > 1 else ""
    return told + (f"; {missing} are imports not found: install the project's dependencies first" if missing else "")


def as_json(found: Look) -> dict[str, Any]:
    """The look as plain JSON values."""
    project = found.project
    return {
        "languages": list(project.languages),
        "manifests": list(project.manifests),
        "sources": {key: list(value) for key, value in project.sources.items()},
        "tests": list(project.tests),
        "tree": found.tree,
        "earlier": found.earlier,
        "lessons": list(found.lessons),
        "machine": found.machine,
        "causes": [vars(cause) for cause in found.causes],
        "shown": list(found.shown),
        "proposals": [
            {"kind": p.kind, **p.flags, "misses": p.misses, "install": list(p.install), "fill_in": p.fill_in,
             "value": found.values.get(p.kind, "")}
            for p in found.offers
        ],
    }  # fmt: skip
