"""The first look as one page: what is here, where things go, two or three checks, the next command. Bounded. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from ..checks import kinds, toolbox, toolplace
from ..kernel.core.frozen import replace
from ..kernel.core.text import one_line, shortened
from ..kernel.disk.layout import SKILL_ROOT, script
from . import commands, fetched, known_tools, picture, proposals, quoted, surroundings, topics, tssettings
from .first_look import Look
from .proposals import CHECK, CheckProposal

_TIMED = ("call", "call-node", "command")
LIMIT = 3600  # characters: 900 tokens
_WHOLE = ("MISSING", "INSTALL", "NOT HERE")  # lines that are never cut
_CAUSES = 6
_HELD = {"interface": "the public interface", "answers": "what calls answer", "http": "answers of other routes"}
_UNHELD = (
    "; no tests: hold what calls answer, CHECK answers 'CALL' 'CALL' --setup 'import …' --against HEAD --at-most 0"
)


_PROFILE = (
    f"PROFILE is: python3 {script('profile')}; after it the command in quotes, or --call 'CODE' --setup '…' "
    "(--node for JavaScript)"
)


def page(found: Look) -> str:
    """The page; what does not fit is left out from the end of the causes and the facts, never from a check."""
    skill = shlex.quote(str(SKILL_ROOT / "scripts"))
    if _missing(found) and _best(found) == 1:
        found = replace(found, offers=found.offers[:1])  # the message that asks for what is missing needs the room
    offers = [line for number, offer in enumerate(found.offers, 1) for line in _offer(number, offer, found)]
    head, causes, tail = [*_missing(found), *_head(found)], _causes(found), _next(found, skill)
    while len("\n".join([*head, *causes, *offers, *tail])) > LIMIT and len(causes) > 2:
        causes.pop()
    text = "\n".join([*head, *causes, *offers, *tail])
    return text if len(text) <= LIMIT else _cut(head, offers, tail)


def _missing(found: Look) -> list[str]:
    """What must be installed first, and the one command for it: the first thing that is told."""
    lacks, by_packages = found.project.lacks, dict[tuple[str, ...], list[str]]()
    for number, offer in enumerate(found.offers, 1):
        if offer.install:
            by_packages.setdefault(offer.install, []).append(str(number))
    known = {name for names in by_packages for name in names}
    rest = tuple(dict.fromkeys(name for name in (*lacks.program, *lacks.tests) if name not in known))
    rows = [(f"check {' and '.join(numbers)}", names) for names, numbers in by_packages.items()]
    rows += [("the tests, the guard", rest)] if rest and _tests_matter(found) else []
    notes = [one_line(f"NOT HERE: {note}", 300) for note in lacks.notes]
    if not rows:
        return notes
    told = "; ".join(f"{_packages(names)} for {whom}" for whom, names in rows)
    command = _command(found, [name for _, names in rows for name in names])
    where = "" if "npm" in command and "ln -s" not in command else " (it goes outside the repository)"
    return [f"MISSING: {told}. Ask for the user's yes in the first message{where}.", *notes, f"INSTALL is: {command}"]


def install(found: Look, offer: CheckProposal) -> str:
    """The command that installs what one check lacks, with what the tests lack; "" where nothing is missing."""
    lacks = found.project.lacks
    return _command(found, [*offer.install, *lacks.program, *lacks.tests]) if offer.install else ""


def _command(found: Look, packages: Sequence[str]) -> str:
    return toolplace.command(found.project.root, packages)


def _packages(names: Sequence[str]) -> str:
    return ", ".join(fetched.named(n) or n.partition(" ")[2] or "what package.json names" for n in names)


def _tests_matter(found: Look) -> bool:
    return any(offer.tests or offer.flags.get("guard") for offer in found.offers)


def _cut(head: list[str], offers: list[str], tail: list[str]) -> str:
    """Two checks instead of three, and shorter lines, where paths are long."""
    second = next((i for i, line in enumerate(offers) if line.startswith("3. ")), len(offers))
    short = [line if line.startswith(_WHOLE) else one_line(line, 160) for line in head]
    return "\n".join([*short, *offers[:second], *tail])[:LIMIT]


def _head(found: Look) -> list[str]:
    project = found.project
    sources = "; ".join(f"{name} in {', '.join(places)}" for name, places in list(project.sources.items())[:3])
    frames = picture.frameworks(project)
    lines = [
        f"project: {sources or 'no sources found'} ({len(project.files)} files in all"
        f"{', ' + frames if frames else ''}); manifests {', '.join(project.manifests) or 'none'}",
        f"tests: {', '.join(project.tests) or 'none found'}; tree: {found.tree}; {found.earlier}",
        f"installed: {_installed(found)}; machine: {found.machine}",
    ]
    ci = surroundings.ci_commands(project)
    lines += [f"CI runs: {shortened('; '.join(ci), 160)}"] if ci else []
    return [*(one_line(line, 400) for line in lines), *(f"lesson: {lesson}" for lesson in found.lessons)]


def _installed(found: Look) -> str:
    """The tools of the proposals and of tests, each with the place where it is."""
    names = ["python3", "pytest", "mypy", "ruff"] if "Python" in found.project.languages else []
    names += ["node", "tsc", "eslint"] if {"TypeScript", "JavaScript"} & set(found.project.languages) else []
    names += ["go"] if "Go" in found.project.languages else []
    names += ["cargo"] if "Rust" in found.project.languages else []
    places = {name: toolbox.look(name, found.project.root) for name in names}
    given = known_tools.named(found.project, found.goal)
    shown = [
        f"{name} as given" if name in given else f"{name} {_place(path, found)}" if path else f"{name} missing"
        for name, path in places.items()
    ]
    return ", ".join(shown) or "nothing looked for"


def _place(path: str, found: Look) -> str:
    shown = toolbox.relative(path, found.project.root)
    return "on PATH" if shown.startswith("/") else f"in {shown.rpartition('/')[0]}"


def _causes(found: Look) -> list[str]:
    if not found.causes and not found.shown:
        return []
    lines = ["where it goes:", *(f"- {line}" for line in found.shown)]
    causes = found.causes[:_CAUSES]
    for letter, cause in zip("ABCDEFGH", causes):
        outside = " (outside the code)" if cause.aside else " (no request made here comes there)" * cause.unreached
        lines.append(f"{letter}. {cause.place}: {cause.what}{outside}; gain {cause.gain}; risk {cause.risk}")
    safe = [letter for letter, cause in zip("ABCDEFGH", causes) if _is_safe(cause)]
    if causes:
        named = f"{' and '.join(safe)} {'is' if len(safe) == 1 else 'are'} safe, start?" if safe else "which, or none?"
        lines.insert(1, f"(tell the user these in plain words, each with gain and risk, then ask: {named})")
    return [one_line(line, 230) for line in lines]


def _is_safe(cause: picture.Cause) -> bool:
    return cause.risk.startswith("low") and not cause.aside and not cause.unreached


def _offer(number: int, offer: CheckProposal, found: Look) -> list[str]:
    flags = offer.flags
    verify = str(flags["verify"]).replace(CHECK, "CHECK")
    value = found.values.get(offer.kind, "")
    lines = [f"{number}. {flags['metric_name']}, {flags['direction']} is better" + (f": {value}" if value else "")]
    lines.append(f"   verify: {verify}")
    given = flags.get("guard") or ("the check runs the tests" if offer.tests else "none: say so")
    held = offer.tests or flags.get("guard") or found.project.tests
    unheld = "" if held or "Python" not in found.project.languages else _UNHELD
    guard = given if isinstance(given, str) else "; ".join(given)
    scope = flags.get("scope") or "no code was found to propose, choose one with --scope"
    lines.append(f"   scope: {scope}; guard: {guard.replace(CHECK, 'CHECK')}{unheld}")
    for name in ("require", "protect"):
        if flags.get(name):
            lines.append(f"   {name}: {', '.join(flags[name])}")
    lines.append(f"   misses: {offer.misses}")
    lines += ["   profile: with --profile 'PROFILE …' answers show where the time goes"] if offer.kind in _TIMED else []
    lines += [f"   fill in: {offer.fill_in}"] if offer.fill_in else []
    return [one_line(line, 330) if not line.startswith("   ") else "   " + one_line(line, 330) for line in lines]


def _next(found: Look, skill: str) -> list[str]:
    if not found.offers:
        return [
            "no shipped check fits: say what would be different if it had worked; interaction-wizard.md, Find a check"
        ]
    named = topics.topics(found.goal) or topics.says_so(found.goal) or not found.goal
    named = named or any(offer.kind == quoted.KIND for offer in found.offers)
    lines = [] if named else ["(the goal's words name no kind of check: these are stand-ins, say so or write one)"]
    lines += [f"CHECK is: {CHECK}"] if any(proposals.CHECK in str(o.flags["verify"]) for o in found.offers) else []
    lines += [_PROFILE] if any(offer.kind in _TIMED for offer in found.offers) else []
    start = f"python3 {skill}/autoresearch_init_run.py --repo . --dry-run --as-proposed {_best(found)}"
    first = found.offers[_best(found) - 1]
    if first.fill_in and (not first.install or first.fill_in.startswith("FILE")):
        start += f" --verify {commands.word(str(first.flags['verify']))} (with what is to be filled in)"
    if _asks(found, first):
        again = f"python3 {skill}/autoresearch_scout.py --repo . --measure --goal {shlex.quote(found.goal)}"
        filled = first.fill_in and first.install and not first.fill_in.startswith("FILE")
        then = f"{again} (which fills the rest in)" if filled else start
        return [*lines, *_unmeasured(found, first), f"next: send that; after the yes, INSTALL && {then}"]
    if found.values.get(first.kind, "").startswith("0 now"):
        lines.append("(that number is at its end already: tell the user so, and ask what else is meant)")
    if first.fill_in:
        return [*lines, f"next: {start}"]
    if not found.works(first):
        return [*lines, f"next: none of these runs as it is: settle what one lacks, then {start} --verify 'COMMAND'"]
    return [*lines, f"next: {start} (other flags given with it win: --scope, --verify, --guard, …)"]


def _best(found: Look) -> int:
    """The number of the first offer that runs as it is, 1 where none does."""
    return next((number for number, offer in enumerate(found.offers, 1) if found.works(offer)), 1)


def _asks(found: Look, offer: CheckProposal) -> bool:
    """Whether something must be installed before this check, or the tests in its guard, can run."""
    lacks = found.project.lacks
    guarded = bool(lacks.program or lacks.tests) and "tests" in _guard_names(offer)
    return bool(_missing(found)) and (bool(offer.install) or guarded)


def _guard_names(offer: CheckProposal) -> list[str]:
    """What holds the program beside the number; a guard of one command is the tests, or an interface's or answers'."""
    guard = offer.flags.get("guard") or ()
    if isinstance(guard, str):
        what = next((what for word, what in _HELD.items() if f"{CHECK} {word}" in guard), "tests")
        return [what]
    return [part.partition("=")[0] for part in guard]


def _unmeasured(found: Look, offer: CheckProposal) -> list[str]:
    """The first message where something must be installed before the check, or its guard, can run."""
    flags, lacks = offer.flags, found.project.lacks
    held = ", ".join(_guard_names(offer)) or "nothing beside the number"
    held = "the tests, which the check runs" if offer.tests else held
    now = found.values.get(offer.kind, "").partition(" now")[0] if found.works(offer) else ""
    tests = [name for name in dict.fromkeys((*lacks.program, *lacks.tests)) if name not in offer.install]
    asked = [_packages(offer.install)] if offer.install else []
    asked += [f"{_packages(tests)} for the tests"] if tests else []
    assumed = ", by ASSUMED settings: no tsconfig.json" if tssettings.told(found.project, str(flags["verify"])) else ""
    return [
        "first message (yours to translate):",
        f"   Goal: {one_line(str(flags['goal']), 160)}",
        f"   Counted: {flags['metric_name']}{_limits(flags.get('require') or ())}{assumed}; "
        + (f"now {now}" if now else "not yet: something is missing"),
        f"   May change: {flags.get('scope')}; must not break: {held}",
        *([f"   To agree: {offer.fill_in.partition(': ')[2]}"] if offer.fill_in.startswith("FILE") else []),
        f"   May I install {', and '.join(asked)}? No file that git sees changes.",
        "   Each experiment is a commit on a branch of its own; what fails is undone by the tool.",
        "   Foreground (I work here; I would) or background (alone, with your rights unless you want it sandboxed)?",
        f"   Ends after 20 experiments at most{_floor(str(flags['direction']), offer)}, or when you say stop.",
        '   Reply "yes, foreground, 20, go" or "yes, background, 20, go", or tell me what to change.',
        "   (after such a yes tell the number that the dry run gives and start; ask again where it warns)",
    ]


def _limits(required: Sequence[str]) -> str:
    """The other numbers that may not grow, in words."""
    names = [text.partition(" ")[0] for text in required if re.fullmatch(r"\w+ <= baseline", text)]
    return f" ({', '.join(names)} may not grow)" if names else ""


def _floor(direction: str, offer: CheckProposal) -> str:
    """The end that a count of findings has by itself."""
    counts = (
        offer.kind in kinds.KINDS
        and kinds.of(offer.kind).exact
        and offer.kind not in ("size", "bundle", "queries", "dependencies", "loss")
    )
    return " or at 0" if direction == "lower" and counts else ""
