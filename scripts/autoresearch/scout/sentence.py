"""What the user's words settle beside the goal: commands that must keep passing, what may change and what may not.

Pure but for asking whether a quoted text is a command here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from ..kernel.core import scope
from ..kernel.core.frozen import dataclass
from . import commands, goal_words, topics
from .surroundings import Project

_QUOTED = re.compile(
    r"""`([^`\n]{2,300})`|"([^"\n]{2,300})"|“([^”\n]{2,300})”|„([^“”\n]{2,300})[“”]|«([^»\n]{2,300})»"""
    r"""|(?<!\w)'([^'\n]{2,300})'(?!\w)"""
)
_MARK = re.compile("\ue000(\\d+)\ue001")  # stands for a quoted command in a sentence
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+|;")
_JOINT = re.compile(r"\s*(?:,|\(|\s(?:and|but|while|und|aber|wobei|et|mais|y|pero|e|ma|mas|en|maar)\s)")
_LISTED = re.compile(r"\s*(?:,\s*)?(?:and|or|und|oder|sowie|et|ou|y|o|e|en|as well as|&|/|,)?\s*")


@dataclass(frozen=True)
class GoalTerms:
    """Commands that the words quote (the one that measures, those that must keep passing), what may change, what may
    not, and the words without all that."""

    check: str = ""
    guards: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    rest: str = ""


def read(project: Project, goal: str) -> GoalTerms:
    """What the goal's words settle. A command that must pass is the check where nothing else could be one."""
    quoted: list[str] = []

    def masked(match: re.Match[str]) -> str:
        """A mark in place of a quoted command; other quoted texts stay."""
        text = next(filter(None, match.groups())).strip()
        if not commands.is_command(project, text):
            return match[0]
        quoted.append(text)
        return f"\ue000{len(quoted) - 1}\ue001"

    sentences = [part for part in _SENTENCE.split(_QUOTED.sub(masked, _marked(project, goal))) if part.strip()]
    roles = [role for sentence in sentences for role in _roles(sentence)]
    made = [pair for sentence in sentences for pair in _made(project, sentence)]
    roles = [(at, role) for at, role in roles if at not in dict(made)]
    plain = [at for at, role in roles if not role and (len(commands.words_of(quoted[at])) > 1 or "/" in quoted[at])]
    rest = _rest(project, sentences, frozenset(at for at, role in roles if role))
    if plain or set(topics.topics(rest)) - {"tests", "flaky"}:
        guards = [at for at, role in roles if role]
    else:
        guards, plain = ([at for at, role in roles if role == wanted] for wanted in ("strong", "weak"))
    check = quoted[plain[0]] if plain else ""
    allowed, kept = _places(project, sentences)
    held = [quoted[at] for at in guards]
    held += list(filter(None, (_remade(quoted[at], path, allowed) for at, path in made)))
    return GoalTerms(check, tuple(dict.fromkeys(held)), allowed, kept, rest)


def _marked(project: Project, goal: str) -> str:
    """The goal with marks around the commands that stand in it without any."""
    taken = [match.span() for match in _QUOTED.finditer(goal)]
    for begun, end in reversed(list(commands.unquoted(project, goal))):
        if not any(first < end and begun < last for first, last in taken):
            goal = f"{goal[:begun]}`{goal[begun:end]}`{goal[end:]}"
    return goal


def _made(project: Project, sentence: str) -> Iterator[tuple[int, str]]:
    """Each command of which a sentence says that it writes a file of the project, with that file."""
    pieces = _MARK.split(sentence)
    for number, after in zip(pieces[1::2], pieces[2::2]):
        found = goal_words.MAKES.match(after)
        if found and found["path"].removeprefix("./") in project.files:
            yield int(number), found["path"].removeprefix("./")


def _remade(command: str, path: str, allowed: Sequence[str]) -> str:
    """The guard that a file is what its program makes. A program that may change is called in a way that does not lock
    it, where Python has one; "" where there is none."""
    words = shlex.split(command)
    free = [word for word in words if any(scope.matcher(pattern)(word) for pattern in allowed)]
    if free:
        module = re.fullmatch(r"((?:\w+/)*\w+)\.py", words[-1])
        if free != words[-1:] or not module or not re.fullmatch(r"(?:.*/)?python[0-9.]*", words[0]) or len(words) != 2:
            return ""
        name = module[1].replace("/", ".")
        command = f'{words[0]} -c \'import runpy; runpy.run_module("{name}", run_name="__main__")\''
    return f"{command} && git diff --exit-code -- {shlex.quote(path)}"


def _rest(project: Project, sentences: Iterable[str], guards: frozenset[int]) -> str:
    """The goal's own words: without limits (`No new casts`), without what says where changes may be made, and without
    what tells of a guard alone."""
    goals = [part for part in sentences if not goal_words.LIMIT.match(part) and not any(_places(project, [part]))]
    own = [part for part in goals if not guards.intersection(map(int, _MARK.findall(part)))]
    chosen = own if topics.topics(" ".join(own)) else goals
    return _MARK.sub("", " ".join(chosen)).strip()


def _roles(sentence: str) -> Iterator[tuple[int, str]]:
    """Each quoted command of a sentence with what the words beside it make of it: strong, weak or "" for no guard.

    Commands that are listed (`a` and `b`) share the words around the list.
    """
    pieces = _MARK.split(sentence)
    texts, numbers = pieces[::2], [int(number) for number in pieces[1::2]]
    first = 0
    while first < len(numbers):
        last = first
        while last + 1 < len(numbers) and _LISTED.fullmatch(texts[last + 1]):
            last += 1
        before = _JOINT.split(texts[first])[-1] if first else texts[first]
        role = _role(before, _beside(texts[last + 1]))
        yield from ((numbers[at], role) for at in range(first, last + 1))
        first = last + 1


def _beside(after: str) -> str:
    """The words that belong to the command before them: up to a comma, a bracket or the next main clause."""
    return next((part for part in _JOINT.split(after) if part.strip()), "") if after[:1] != "," else ""


def _role(before: str, after: str) -> str:
    if (
        goal_words.BEFORE.search(before)
        or goal_words.STRONG.search(after)
        or (goal_words.HOLD.search(before) and goal_words.HELD.match(after))
    ):
        return "strong"
    return "weak" if goal_words.WEAK.search(after) else ""


def _places(project: Project, sentences: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What may change and what may not, as patterns of paths of the project."""
    found: dict[str, dict[str, None]] = {"scope": {}, "kept": {}}
    for sentence in sentences:
        alone = goal_words.ELSE.search(sentence) is not None
        for part in _clauses(sentence):
            kind, text = _told(project, part, alone)
            if kind:
                found[kind].update(dict.fromkeys(_paths(project, text)))
    return tuple(found["scope"]), tuple(name for name in found["kept"] if name not in found["scope"])


def _clauses(sentence: str) -> Iterator[str]:
    """Its parts between commas; one that says nothing of a change belongs to the next, as in a list."""
    held = ""
    for part in re.split(r",\s|\s(?=(?:but|aber|mais|pero)\s)", sentence):
        held += part
        if goal_words.CHANGE.search(part) or goal_words.LEFT.search(part) or goal_words.WORK.search(part):
            yield held
            held = ""
        else:
            held += " "
    yield held


def _told(project: Project, part: str, alone: bool) -> tuple[str, str]:
    """Whether a clause says what alone may change (scope) or what may not (kept), and the words that name it."""
    changes, denied, only, outside = (
        p.search(part) for p in (goal_words.CHANGE, goal_words.NOT, goal_words.ONLY, goal_words.OUTSIDE)
    )
    if outside and (changes or goal_words.WORK.search(part)) and (denied or only):
        return "scope", _after(part, outside)
    but = re.search(r"\b(?:but|que)\b", part, re.I)
    if only and (changes or goal_words.WORK.search(part)) and (not denied or but):
        begun = but if denied and but else only
        between = part[begun.end() : changes.start()] if changes else ""
        texts = (between, _after(part, begun), _subject(project, part, only))
        return "scope", next((text for text in texts if any(_paths(project, text))), "")
    if changes and not denied and alone:
        return "scope", part
    left = goal_words.LEFT.search(part)
    if left:
        return "kept", f"{left[0]} {_subject(project, part, left)}"
    if changes and denied:
        modal = goal_words.MODAL.search(part)
        between = part[changes.end() : denied.start()]
        subject = _subject(project, part, modal) if modal else ""
        return "kept", f"{_after(part, denied)} {between} {subject}"
    return "", ""


def _after(part: str, match: re.Match[str]) -> str:
    """The words after a match, up to those that say what for."""
    return goal_words.AIM.split(part[match.end() :])[0]


def _subject(project: Project, part: str, match: re.Match[str]) -> str:
    """The list of paths that stands right before a match."""
    found: list[str] = []
    for word in reversed(part[: match.start()].split()):
        bare = word.strip("`'\".,()\u201c\u201d\u201e")
        if not _pattern(project, bare) and not goal_words.FILLER.fullmatch(bare):
            break
        found.append(bare)
    return " ".join(found)


def _paths(project: Project, text: str) -> Iterator[str]:
    """The paths of the project that words name, as patterns of a scope."""
    return filter(None, (_pattern(project, token) for token in goal_words.TOKEN.findall(text)))


def _pattern(project: Project, token: str) -> str:
    root = str(project.root) + "/"
    name = token.removeprefix(root).removeprefix("./").rstrip("/")
    if name in project.files:
        return name
    if "*" in name:
        inside = scope.matcher(name)
        return name if any(inside(path) for path in project.files) else ""
    if name and any(path.startswith(name + "/") for path in project.files):
        return f"{name}/**"
    module = name.replace(".", "/") + ".py"
    return module if "." in name and module in project.files else ""
