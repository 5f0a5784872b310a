"""What a dry run measured, for the dry runs and the start of the next minutes: kept outside the repository.

Runs count as long as everything they depend on is what it was: the commits, the user's changes, the files that the
check names, the ignored files that it read, and the settings that reach it. Guard and confirm have keys of their own,
so that a changed guard is run alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..kernel.core import scope
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import replace
from ..kernel.disk import hashes
from ..kernel.disk.layout import own_scratch
from ..kernel.run.measure import Sample
from . import evaluator, rehearsal
from .known import KnownRuns, MeasuredPlace
from .listing import Listing

FRESH = 900.0  # seconds for which runs are those of now
NAME, FOLDER = "measured.json", "measured"
_KEPT = ("results", "made", "left", "proofs", "busy")
_SHARED = ("prepare", "executor")
# The settings that reach a run of verify. What may change, what is locked and what is held decide on what it printed.
_REACHING = (
    *("verify", "prepare", "measure", "metric", "metric_pattern", "metric_take", "metric_key", "metric_from"),
    *("metric_stream", "verify_timeout", "verify_exit", "executor"),
)


def recalled(place: MeasuredPlace) -> KnownRuns:
    """The parts of the last dry runs that still hold; their output is put where that of new runs goes."""
    if place.config.worktree:
        return KnownRuns()
    try:
        known = _read(rehearsal.noted(place.root, NAME) or {}, place)
    except (Refusal, KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        return KnownRuns()
    _copy(own_scratch(place.root) / FOLDER, place.staging, known)
    return known


def keep(place: MeasuredPlace, known: KnownRuns) -> None:
    """Note what was measured; nothing where it cannot be noted, for then it is measured again."""
    if place.config.worktree:
        return
    import shutil

    try:
        before = {} if known.samples else rehearsal.noted(place.root, NAME) or {}
        rehearsal.keep(place.root, {**before, **_noted(place, known)}, NAME)
        target = own_scratch(place.root) / FOLDER
        if not before:  # output of other runs belongs to none of these
            shutil.rmtree(target, ignore_errors=True)
        target.mkdir(exist_ok=True)
        shutil.copytree(place.staging, target, dirs_exist_ok=True)
    except (Refusal, OSError):
        return


def _noted(place: MeasuredPlace, known: KnownRuns) -> dict[str, Any]:
    made, now, data = known.made, time.time(), dict[str, Any]()
    if known.samples:
        seen = [name for event in _watched(known) for name in event.get("files", {})]
        told = {name: getattr(known, name) for name in _KEPT}
        read, samples = hashes.digests(place.root, seen), [_sample(one) for one in known.samples]
        data["verify"] = {"at": now, "key": _key(place, "verify", made), "read": read, **told, "samples": samples}
    for name in ("guard", "confirm"):
        ended = getattr(known, name)
        if ended and ended[0] == "pass":
            key = _key(place, name, made)
            data[name] = {"at": now, "key": key, "made": made, "left": known.left, "ended": ended}
    return data


def _read(data: Mapping[str, Any], place: MeasuredPlace) -> KnownRuns:
    known, parts, ages = KnownRuns(), [], []
    ran, guard, confirm = (_fresh(data, place, name) for name in ("verify", "guard", "confirm"))
    read = ran and ran["read"] == hashes.digests(place.root, ran["read"])
    if ran and read and not _spoiled(ran) and not _writes_inside(ran, place):
        samples = tuple(map(_unpacked, ran["samples"]))
        told = [tuple(ran[name]) for name in _KEPT[:4]]
        known = replace(known, samples=samples, results=told[0], made=told[1], left=told[2], proofs=told[3])
        parts, ages = [f"{len(samples)} runs of verify"], [ran["at"]]
    if place.config.guard and guard:
        state, problem, seconds = guard["ended"]
        known = replace(known, guard=(str(state), str(problem), float(seconds)))
        parts, ages = [*parts, "the guard"], [*ages, guard["at"]]
    if place.config.confirm and confirm:
        known = replace(known, confirm=(str(confirm["ended"][0]), str(confirm["ended"][1])))
        parts, ages = [*parts, "confirm"], [*ages, confirm["at"]]
    known = _with_left(known, [part for part in (guard, confirm) if part])
    return replace(known, told=_told(parts, ages)) if parts else known


def _with_left(known: KnownRuns, parts: Sequence[Mapping[str, Any]]) -> KnownRuns:
    """What guard and confirm wrote and left belongs to what is known too."""
    made = dict.fromkeys([*known.made, *(str(name) for part in parts for name in part["made"])])
    left = [*known.left, *(event for part in parts for event in part["left"])]
    return replace(known, made=tuple(made), left=tuple(event for n, event in enumerate(left) if event not in left[:n]))


def _fresh(data: Mapping[str, Any], place: MeasuredPlace, name: str) -> Mapping[str, Any]:
    """What is known of a check, {} where it is too old or something it depends on has changed."""
    found: Mapping[str, Any] = data.get(name, {})
    if not found or not 0 <= time.time() - float(found["at"]) <= FRESH:
        return {}
    return found if found["key"] == _key(place, name, tuple(map(str, found["made"]))) else {}


def _spoiled(ran: Mapping[str, Any]) -> bool:
    """Whether numbers that differ were measured on a busy machine: now it may be calm."""
    return bool(ran["busy"]) and len({str(one["value"]) for one in ran["samples"]}) > 1


def _writes_inside(ran: Mapping[str, Any], place: MeasuredPlace) -> bool:
    """Whether a check wrote tracked files that another scope offers now: its runs say whether that is refused."""
    inside = scope.matcher(place.config.scope)
    touched = (path for event in ran["left"] if event.get("kind") == "touched" for path in event["paths"])
    return bool(place.config.scope) and any(map(inside, touched))


def _told(parts: Sequence[str], ages: Sequence[Any]) -> str:
    minutes = (time.time() - min(map(float, ages))) / 60
    ago = f"{minutes:.0f} minutes" if minutes >= 1.5 else "a minute"
    return f"taken over from the dry run of {ago} ago, for nothing that they depend on has changed: {', '.join(parts)}"


def _key(place: MeasuredPlace, name: str, made: Sequence[str]) -> str:
    """A digest of everything that a check depends on but what the checks have `made` themselves. Tracked files are
    told by the commits and the changes, whatever the scope makes of them."""
    import hashlib

    from ..kernel.core import jsontext

    mine = {other: getattr(place.config, other) if other == name else "" for other in ("verify", "guard", "confirm")}
    config = replace(place.config, verify=mine["verify"], guard=mine["guard"], confirm=mine["confirm"])
    settings = {field: getattr(config, field) for field in (_REACHING if name == "verify" else (name, *_SHARED))}
    lock, held = evaluator.lock(place.root, config), frozenset(Listing(place.root).held())
    facts: dict[str, Any] = {
        "settings": settings,
        "repos": [[repo.path, repo.role] for repo in place.config.repos],
        "heads": dict(place.heads),
        "changes": [dict(event) for event in place.changes],
        "lock": {n: digest for n, digest in lock.items() if n not in made and n not in held},
        "path": os.environ.get("PATH", ""),
    }
    return hashlib.sha256(jsontext.dumps(facts).encode()).hexdigest()


def _watched(known: KnownRuns) -> list[Mapping[str, Any]]:
    return [event for proof in known.proofs for event in proof.get("watched", ())]


def _sample(one: Sample) -> dict[str, Any]:
    return {**one.to_dict(), "form": dict(one.form), "late": one.late}


def _unpacked(data: Mapping[str, Any]) -> Sample:
    def numbers(name: str) -> dict[str, Decimal]:
        """The numbers of one field, by name."""
        return {key: Decimal(str(value)) for key, value in data.get(name, {}).items()}

    return Sample(
        value=Decimal(str(data["value"])),
        problem=str(data["problem"]),
        seconds=float(data["seconds"]),
        exit_code=data["exit_code"],
        others=numbers("others"),
        form=dict(data["form"]),
        late=bool(data["late"]),
        load={key: value if isinstance(value, int) else float(value) for key, value in data.get("load", {}).items()},
        cost=numbers("cost"),
    )


def _copy(source: Path, target: Path, known: KnownRuns) -> None:
    """The output of what is taken over."""
    import shutil

    runs = [f"verify-{number + 1}" for number in range(len(known.samples))]
    for name in (*runs, *(("guard",) if known.guard else ())):
        for path in (path for ending in (".*", "-*") for path in source.glob(name + ending)):
            shutil.copy2(path, target / path.name)
