"""The baseline: reported by the caller, or measured here with its noise, its evaluator and its traps."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path

from ..findings import changed_places
from ..kernel import ports
from ..kernel.core import log_events, numbers, timelimit
from ..kernel.core.choices import NOTHING
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field, replace
from ..kernel.core.settings import Config, RepoScope
from ..kernel.core.text import listing, one_line
from ..kernel.core.timelimit import TimeLimit
from ..kernel.disk import bytecode, hashes
from ..kernel.disk.journal import Event
from ..kernel.disk.layout import Layout
from ..kernel.run import evaluator_lock, exact, leftovers, measure, tempfolder, tree
from ..kernel.run.measure import Bench, Sample
from ..kernel.run.tree import Edits
from ..kernel.system.git import Repo
from ..machine import busy, load
from ..machine.busy import Load
from . import ahead, bounds, draft, evaluator, reuse, sealing, skill_paths, stashed, traps, unseen
from .known import KnownRuns, MeasuredPlace

TYPE_CHECKING = False  # `typing` costs more start-up time than the modules of a command
if TYPE_CHECKING:
    from typing import Any

FAR = 5  # spreads between what the baseline is by construction and what was measured
_DROPS = re.compile(r"\b(rm|mv)\b[^;&|\n]*\s(\./)?\.git/?(?=[\s;&|)\"']|$)")  # but not in a folder of its own
_CLEANS = re.compile(r"\bgit\b[^;&|\n]*\bclean\b[^;&|\n]*\s(-[a-zA-Z]*f|--force)")


@dataclass(frozen=True)
class Baseline:
    """The first row's figures, what must be remembered with them, and what to tell the user."""

    metric: Decimal
    commit: str
    guard: str = "-"
    config: Config = field(default_factory=Config)
    events: tuple[Event, ...] = ()
    warnings: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    repo_commits: Mapping[str, str] = field(default_factory=dict)
    staging: Path | None = None
    confirm: str = "-"
    dirty: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    taken_over: str = ""

    def keep_evidence(self, root: Path) -> None:
        """Move the captured output of the baseline to its place."""
        if self.staging is not None:
            import shutil

            target = root / "0000"
            shutil.rmtree(target, ignore_errors=True)
            os.replace(self.staging, target)


def reported(metric: Decimal, commit: str, config: Config) -> Baseline:
    """A baseline that the caller measured; companions stand at their HEAD."""
    companions = {repo.path: Repo(Path(repo.path)) for repo in config.companions}
    heads_of = {path: repo.head() for path, repo in companions.items() if repo.is_git()}
    return Baseline(metric, commit, repo_commits={path: head for path, head in heads_of.items() if head})


def heads(layout: Layout, config: Config) -> dict[str, str]:
    """HEAD by repository path; raises `Refusal` where no measured run can start."""
    if not config.verify:
        raise Refusal("there is no check, expected --verify 'COMMAND' that prints one number (or --baseline-metric)")
    return {repo.path: _head(_checkout(config, repo), repo.path) for repo in config.repos}


def _checkout(config: Config, repo: RepoScope) -> Path:
    return Path(config.worktree or repo.path) if repo.role == "primary" else Path(repo.path)


def _head(root: Path, name: str) -> str:
    git = Repo(root)
    if not git.is_git():
        raise Refusal(f"{name} is not a git repository, expected one: experiments are commits; run git init and commit")
    head = git.head()
    if not head:
        raise Refusal(f"{name} has no commit yet, expected one to go back to; commit the current state first")
    return head


def uncommitted(layout: Layout, mode: str, config: Config) -> tuple[str, ...]:
    """Changed paths that make the baseline another state than the commit it names."""
    found: list[str] = []
    for item in _items(layout, config, ()):
        tree.refuse_odd(item, str(layout.root))
        paths = (*item.inside, *(item.outside if mode == "exec" else ()))
        found += tree.named(item, paths, str(layout.root))
    return tuple(found)


def measured(layout: Layout, mode: str, config: Config, staging: Path, strict: bool = True) -> Baseline:
    """Measure verify (repeated), then guard and confirm once, and lock the evaluator; output goes to `staging`.

    Raises `Refusal` for a bad check; where not `strict`, uncommitted changes and a failing guard are only reported.
    """
    import shutil

    at = heads(layout, config)
    _refuse_unfinished(at)
    _refuse_cleaning(config)
    with _proving(layout, config) as proofs:
        dirty = uncommitted(layout, mode, config)
        if strict:
            refuse_dirty(dirty)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        try:
            _sentinel(layout).write_text("A check that deletes this would delete the run.\n", "utf-8")
            found = _measure(layout, config, at, staging, strict, proofs)
            _refuse_moved(at, heads(layout, config))
            return replace(found, dirty=dirty)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        finally:
            _sentinel(layout).unlink(missing_ok=True)


@contextmanager
def _proving(layout: Layout, config: Config) -> Iterator[list[Any]]:
    """What features look at around the measuring (the port `measure`)."""
    with ExitStack() as stack:
        yield [stack.enter_context(begin(layout.root, config)) for begin in ports.asked("measure", "proving")]


def _sentinel(layout: Layout) -> Path:
    """A file that looks like the run's: whether the checks leave it tells whether they would leave those."""
    return layout.results.with_name(layout.results.name + ".tmp")


def _refuse_cleaning(config: Config) -> None:
    """What a check says it deletes is refused before it is run."""
    for command in (*skill_paths.commands(config), config.profile):
        if _CLEANS.search(command):
            raise Refusal(
                "the check cleans the checkout (git clean), which would delete the run and files of the user's; "
                "expected it to leave what it has not made: clean the build folder alone"
            )
        if _DROPS.search(command) and not re.search(r"\b(cd|pushd)\b", command):
            raise Refusal(
                "the check deletes or moves .git, and with it every commit; expected it to leave git's folder alone: "
                "work in a copy (git worktree add, or cp -r into a temporary folder)"
            )


def refuse_dirty(dirty: Sequence[str]) -> None:
    """Raise `Refusal` for uncommitted paths."""
    if dirty:
        raise Refusal(
            f"uncommitted changes in {listing(dirty)}: the baseline would not be the commit it names; "
            "ask the user to commit or stash them, then repeat the command"
        )


def _refuse_unfinished(repos: Iterable[str]) -> None:
    """A trial's commit in the middle of a merge or rebase would become part of it."""
    for repo in repos:
        busy = Repo(Path(repo)).busy()
        if busy:
            raise Refusal(
                f"an operation is unfinished in {repo} ({', '.join(busy)}), expected none; "
                "ask the user to finish or abort it, then repeat the command"
            )


def _refuse_moved(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """A check that commits would commit the user's work in every trial."""
    moved = [repo for repo, head in before.items() if after.get(repo) != head]
    if moved:
        raise Refusal(
            f"HEAD moved in {listing(moved)} while the check ran, expected a check that commits nothing; correct the "
            "check, or repeat the command when nobody commits"
        )


@dataclass(frozen=True)
class _Ran:
    """What the checks showed: as a start to come may take it over, and what was seen around them."""

    known: KnownRuns
    lock: Mapping[str, str]
    before: Sequence[Edits]
    foreign: Sequence[Event]
    proved: Sequence[str]


def _measure(
    layout: Layout, config: Config, at: Mapping[str, str], staging: Path, strict: bool, proofs: Sequence[Any]
) -> Baseline:
    root, primary = Path(config.worktree or layout.root), str(layout.root)
    ran = _ran(layout, MeasuredPlace(root, config, at, staging=staging), strict, proofs)
    known = ran.known
    guard, guard_problem, guard_seconds = known.guard or ("-", "", 0.0)
    confirm, confirm_problem = known.confirm or ("-", "")
    left = [*known.left, *(event for proof in proofs for event in proof.events())]
    config, found = _calibrated(config, known.samples, guard_seconds)
    shown = evaluator.shown(root, config, ran.lock)
    told = strict and bool(known.told)  # by the dry run
    proved = () if told else ran.proved
    warnings = (*_sealed(ran.before), *proved, *found.warnings, guard_problem, confirm_problem)
    warnings += (*_busy_warning(known.busy, config), *_lock_warnings(ran.lock, shown))
    warnings += (*_bound(layout.root, config), *_dirty_warning(ran.before, primary), *_left_warning(left))
    return Baseline(
        _by_construction(config, found.center),
        Repo(root).short(at[primary]),
        guard,
        config,
        (
            log_events.make("evaluator", files=dict(ran.lock), written=list(known.made), results=list(known.results)),
            log_events.make("heads", iteration=0, heads=dict(at)),
            *_stashed(config, ran.lock, left),
            *ran.foreign,
            *left,
            log_events.make("samples", iteration=0, samples=[sample.to_dict() for sample in known.samples]),
        ),
        tuple(warning for warning in warnings if warning),
        shown,
        dict(at) if len(at) > 1 else {},
        staging,
        confirm,
        advice=tuple(found.advice),
        taken_over=known.told,
    )


def _ran(layout: Layout, place: MeasuredPlace, strict: bool, proofs: Sequence[Any]) -> _Ran:
    """Run the checks, but for what a dry run of minutes ago tells; a dry run notes what it measured."""
    root, config = place.root, place.config
    before = _fresh(_items(layout, config, ()))
    foreign = foreign_events(before)
    stamps = hashes.stamps(root, lock := evaluator.lock(root, config))
    known = reuse.recalled(replace(place, changes=tuple(foreign)))
    bench = _bench(layout, config, place.staging, before)
    now = known.busy if known.samples else _busy(load.read())
    samples, results = _samples(bench, proofs, known)
    guard, confirm = known.guard or _guard(bench, strict), known.confirm or _confirm(bench, strict)
    made = tuple(dict.fromkeys((*known.made, *evaluator.written(root, config, stamps))))
    lock = _steady(root, lock, made)
    proved = _proved(proofs, replace(bench, lock=lock), samples)
    before, foreign = _disowned(root, before, foreign, made)
    left = [*known.left, *unseen.remembered(before), *_left(before, _items(layout, config, foreign))]
    ran = KnownRuns(tuple(samples), tuple(results), made, tuple(left), _seen(proofs), now, guard, confirm, known.told)
    if not strict:
        reuse.keep(replace(place, changes=tuple(foreign_events(_items(layout, config, ())))), ran)
    return _Ran(ran, lock, before, foreign, proved)


def _fresh(items: list[Edits]) -> list[Edits]:
    """The items, without bytecode of what was edited a moment ago, perhaps within the second of the last run."""
    for item in items:
        bytecode.forget(item.tree, (*item.inside, *item.outside))
    return items


def _proved(proofs: Iterable[Any], bench: Bench, samples: Sequence[Sample]) -> list[str]:
    """What features warn of, now that verify has run and what it must not change is known; may raise `Refusal`."""
    bench = replace(bench, config=replace(bench.config, metric_form=samples[0].form))
    return [warning for proof in proofs for warning in proof.after(bench, samples)]


def _busy(now: Load) -> str:
    return str(now) if now.busy else ""


def _busy_warning(load_then: str, config: Config) -> tuple[str, ...]:
    if not load_then or config.noise["kind"] != "noisy":
        return ()
    steady = config.measure not in (NOTHING, "wall") or (
        draft.is_shipped(config.verify) and "--wall" not in config.verify
    )
    return (busy.warning(load_then, steady),)


def _calibrated(config: Config, samples: Sequence[Sample], guard_seconds: float) -> tuple[Config, Any]:
    """The configuration with what the runs showed, and that itself."""
    config, found = exact.rule().calibrated(config, samples)
    config = replace(config, noise={**config.noise, "guard_seconds": Decimal(f"{guard_seconds:.4f}")})
    return bounds.resolve(config, samples, exact.rule().by_pairs(config)), found


def _by_construction(config: Config, measured: Decimal) -> Decimal:
    """The baseline's metric: as measured, or what it is by construction, which a noisy run must not replace.

    Raises `Refusal` where the runs contradict that.
    """
    wanted = config.baseline_is
    if wanted is None:
        return measured
    near = max(FAR * config.noise["spread"], abs(wanted) / 4) if config.noise["spread"] else Decimal(0)
    if abs(measured - wanted) > near:
        raise Refusal(
            f"--baseline-is {numbers.plain(wanted)}, but the check printed about {numbers.plain(measured)}; expected "
            "a number that is that by construction: correct the check, or leave the flag out"
        )
    return wanted


def limit_of(first: Baseline) -> TimeLimit:
    """How long a run of a trial may take after this baseline."""
    usual = float(first.config.noise["seconds"])
    return measure.limit_of(first.config, usual, timelimit.slowest(first.events))


def _bench(layout: Layout, config: Config, staging: Path, items: Iterable[Edits]) -> Bench:
    mine = {item.tree: (*item.inside, *item.outside) for item in items}
    guarded = tree.kept_of(layout, mine, [_sentinel(layout)])
    root, mark = Path(config.worktree or layout.root), f"baseline-{os.getpid()}"
    return Bench(root, staging, config, measure.limit_of(config, None), mark, guarded=guarded)


def _sealed(before: Iterable[Edits]) -> list[str]:
    """What would spoil every trial: a git that cannot be written."""
    return [sealing.sealed(item.tree) for item in before]


def _seen(proofs: Sequence[Any]) -> tuple[Mapping[str, Any], ...]:
    return tuple(proof.seen() if hasattr(proof, "seen") else {} for proof in proofs)


def _samples(bench: Bench, proofs: Sequence[Any], known: KnownRuns) -> tuple[list[Sample], list[str]]:
    """The runs of the baseline, `known` ones first, and the result files that each of several wrote.

    Where they were made at one time, on several machines, and differ, all are made anew, on one.
    """
    count = 0 if known.samples else exact.rule().wanted(bench.config, ())
    named = tuple(evaluator.result_files(bench.tree, bench.config))
    with ahead.of(replace(bench, results=named), count) as at_once:
        samples, results = _one_by_one(bench, proofs, known)
    if at_once and len({sample.value for sample in samples}) > 1:
        return _one_by_one(bench, proofs, known)
    return samples, results


def _one_by_one(bench: Bench, proofs: Sequence[Any], known: KnownRuns) -> tuple[list[Sample], list[str]]:
    samples = list(known.samples)
    results = list(known.results if samples else evaluator.result_files(bench.tree, bench.config))
    for proof, told in zip(proofs, known.proofs):
        if told:
            proof.recall(told)
    bench = replace(bench, config=replace(bench.config, metric_form=samples[0].form)) if samples else bench
    while len(samples) < exact.rule().wanted(bench.config, samples):
        stamps = hashes.stamps(bench.tree, results)
        with ExitStack() as stack:
            for proof in proofs:
                stack.enter_context(proof.watching())
            sample = measure.verify(bench, f"verify-{len(samples) + 1}")
        results = [name for name, stamp in hashes.stamps(bench.tree, results).items() if stamp != stamps[name]]
        if sample.value is None:
            raise _no_number(sample, bench)
        samples.append(sample)
        bench = replace(bench, config=replace(bench.config, metric_form=samples[0].form))
    return samples, results if len(samples) > 1 else []


def _no_number(sample: Sample, bench: Bench) -> Refusal:
    """The refusal of a check without a number. The command that installs what it lacks comes first, and whole."""
    path = bench.folder / "verify-1.err"
    said = path.read_text("utf-8", "replace") if path.is_file() else ""
    install = re.search(r"^error: .* ask the user, then: (.*)$", said, re.MULTILINE)
    first = (
        f"first, with the user's yes: {one_line(install[1], 2000)}; then the same again, for now " if install else ""
    )
    remedy = "" if install else f"; {_remedy(sample, bench.config)}"
    return Refusal(f"{first}the check gives no number: {sample.problem}{remedy}")


def _remedy(sample: Sample, config: Config) -> str:
    if config.measure != NOTHING and sample.exit_code == 0:
        return "correct the check, or let it measure something else (--measure cpu)"
    if sample.exit_code not in (0, None) and config.verify_exit == "zero":
        foreign = traps.foreign(config.verify)
        if foreign:
            return foreign
        if not sample.form:
            return "expected it to end without an error; correct the check"
        return "if the exit code says nothing here, append '|| true' to the check or set up with --verify-exit any"
    return "expected exactly one finite decimal on stdout (or METRIC name=value lines); correct the check"


def _guard(bench: Bench, strict: bool) -> tuple[str, str, float]:
    if not bench.config.guard:
        return "-", "", 0.0
    passed, problem, seconds = measure.passes(bench, bench.config.guard, "guard")
    if passed:
        return "pass", "", seconds
    problem = f"the guard fails on the untouched tree ({problem})"
    if strict:
        raise Refusal(f"{problem}, expected a pass; repair it or choose another")
    return "fail", problem, seconds


def guard_alone(layout: Layout, config: Config, staging: Path) -> tuple[str, str, float]:
    """Run the guard on the untouched tree and nothing else: state, problem, seconds. A dry run takes a pass over.

    Raises `Refusal` without a guard, and where no measured run can start.
    """
    if not config.guard:
        raise Refusal("--guard-only has no guard to run, expected --guard CMD; add it, or leave the flag out")
    at = heads(layout, replace(config, verify=config.verify or config.guard))
    _refuse_cleaning(config)
    staging.mkdir(parents=True)
    items = _fresh(_items(layout, config, ()))
    bench = _bench(layout, config, staging, items)
    stamps = hashes.stamps(bench.tree, evaluator.lock(bench.tree, config))
    _sentinel(layout).write_text("A check that deletes this would delete the run.\n", "utf-8")
    try:
        ended = _guard(bench, strict=False)
    finally:
        _sentinel(layout).unlink(missing_ok=True)
    left = _left(items, _items(layout, config, foreign_events(items)))
    changes = tuple(foreign_events(_items(layout, config, ())))
    made = evaluator.written(bench.tree, config, stamps)
    reuse.keep(
        MeasuredPlace(bench.tree, config, at, changes, staging),
        KnownRuns(made=tuple(made), left=tuple(left), guard=ended),
    )
    return ended


def _confirm(bench: Bench, strict: bool) -> tuple[str, str]:
    """A held-out check may ask for more than the baseline has, so that it fails now is said and no more.

    A dry run, before anybody edits, says too which command failed and how: mostly the check itself is wrong.
    """
    if not bench.config.confirm:
        return "-", ""
    with tempfolder.folder("confirm") as folder:
        name = "" if strict else "confirm"
        passed, problem, _ = measure.passes(replace(bench, folder=folder), bench.config.confirm, name)
        said = [line for line in changed_places.telling(folder, name) if line not in problem][:3]
    if passed:
        return "pass", ""
    how = "" if strict else f" ({one_line('; '.join([problem, *said]), 400)})"
    return "fail", f"confirm fails on the untouched tree{how}: nothing is kept until a change makes it pass"


def _bound(root: Path, config: Config) -> tuple[str, ...]:
    """A warning on checks that can look at no other checkout than this one."""
    if not any(skill_paths.names_checkout(command, root) for command in skill_paths.commands(config)):
        return ()
    return (
        f"a check names this checkout by its path ({root}), so that the total, pruning and a branch for review cannot "
        "be measured elsewhere: write its paths relative to the repository",
    )


def _lock_warnings(lock: Mapping[str, str], shown: Iterable[str]) -> tuple[str, ...]:
    """What is wrong with the files that are locked: too many, or, of those that may be told, not there to stay."""
    import tempfile

    passing = [name for name in shown if name.startswith(tempfile.gettempdir() + os.sep) and not _is_program(name)]
    crowded = f"the evaluator has {hashes.FILE_LIMIT} files or more and only the first are locked: protect fewer"
    return (
        *([crowded] if len(lock) >= hashes.FILE_LIMIT else []),
        *([f"{listing(passing, 2)} is in the temporary folder: commit it before the start"] if passing else []),
    )


def _is_program(name: str) -> bool:
    """Whether a file is a tool that was installed there, no script of a check: it is executable, without an ending."""
    return not os.path.splitext(name)[1] and os.access(name, os.X_OK)


def _steady(root: Path, lock: Mapping[str, str], made: Sequence[str]) -> dict[str, str]:
    """The lock without what the checks `made`; raises `Refusal` when they changed a file of it."""
    lock = {name: digest for name, digest in lock.items() if name not in made}
    moved = evaluator_lock.changed(root, lock)
    if moved:
        raise Refusal(
            f"the check changes its own files ({listing(moved)}); expected it to leave them alone, correct it"
        )
    return lock


def _disowned(
    root: Path, items: Sequence[Edits], foreign: Sequence[Event], made: Sequence[str]
) -> tuple[list[Edits], list[Event]]:
    """The user's changes without what the checks `made`: an old build that is overwritten is nobody's work."""
    ours = {item.repo for item in items if item.tree == root}
    items = [tree.without(item, made) if item.repo in ours else item for item in items]
    kept = [
        {**event, "files": {path: d for path, d in event["files"].items() if path not in made}}
        if event["repo"] in ours
        else event
        for event in foreign
    ]
    return items, [event for event in kept if event["files"]]


def _items(layout: Layout, config: Config, events: Sequence[Event]) -> list[Edits]:
    """What differs in each repository, the user's changes outside the scope among it: tolerated and watched."""
    own = layout.own_paths()
    return [tree.sort(repo.path, _checkout(config, repo), repo.scope, events, own) for repo in config.repos]


def _left_warning(left: Iterable[Event]) -> Iterator[str]:
    """What checks leave that git sees as new; nobody shall find it with `git status` alone."""
    found = [path for event in left if event.get("kind") == "byproducts" for path in event["paths"]]
    if found:
        yield f"checks leave {listing(found, 3)} behind, new to git: ignore or remove it; a run knows it as theirs"


def _stashed(config: Config, lock: Iterable[str], left: Iterable[Event]) -> list[Event]:
    touched = (path for event in left if event.get("kind") == "touched" for path in event["paths"])
    places = {repo.path: (_checkout(config, repo), repo.scope) for repo in config.repos}
    return stashed.events(places, {*lock, *touched})


def foreign_events(items: Iterable[Edits]) -> list[Event]:
    """The events that name the user's own changes with their digests, by repository."""
    changed = ((item, (*item.inside, *item.outside)) for item in items)
    return [
        log_events.make("foreign", repo=item.repo, files=hashes.digests(item.tree, paths))
        for item, paths in changed
        if paths
    ]


def _dirty_warning(items: Iterable[Edits], primary: str) -> tuple[str, ...]:
    paths = [path for item in items for path in tree.named(item, item.outside, primary)]
    if not paths:
        return ()
    return (f"uncommitted changes outside the scope stay as they are: {listing(paths)}; editing them stops the run",)


def _left(before: Sequence[Edits], after: Sequence[Edits]) -> list[Event]:
    """What the checks left behind; tracked files outside the scope are put back, and known as theirs from now on.

    `after` leaves out the user's unchanged work. Raises `Refusal` when a check writes to that, or in the scope.
    """
    events: list[Event] = []
    for old, new in zip(before, after):
        wrote, theirs = leftovers.rewritten(new), {*old.inside, *old.outside}
        gone = [p for p in old.untracked if p not in new.untracked and not os.path.lexists(new.tree / p)]
        if gone:
            raise Refusal(f"the checks delete {listing(gone)}, expected them to leave files that git does not know")
        spoiled = [p for p in (*new.inside, *new.outside) if p in theirs or (p in new.inside and p in wrote)]
        if spoiled:
            raise Refusal(
                f"the checks write to {listing(spoiled)}, expected them to leave the project's files alone; "
                "let them write elsewhere, or take the file out of the scope (scope '… !path'), and restore it"
            )
        Repo(new.tree).restore(wrote)
        events += [*_touched(new.repo, wrote), *leftovers.byproducts(new, old.untracked)]
    return events


def _touched(repo: str, paths: Sequence[str]) -> list[Event]:
    """The event that names tracked files outside the scope which the checks write, as seen at the baseline."""
    return [log_events.make("touched", repo=repo, paths=list(paths)[:200])] if paths else []
