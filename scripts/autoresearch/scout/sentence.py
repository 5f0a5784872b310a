"""What the user's words settle beside the goal: commands that must keep passing, what may change and what may not.

Pure but for asking whether a quoted text is a command here. English, German, French, Spanish, and the usual words of
Italian, Portuguese and Dutch.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from ..kernel.core import scope
from ..kernel.core.frozen import dataclass
from ..kernel.core.text import one_line
from . import topics
from .surroundings import Project

_QUOTED = re.compile(
    r"""`([^`\n]{2,300})`|"([^"\n]{2,300})"|“([^”\n]{2,300})”|„([^“”\n]{2,300})[“”]|«([^»\n]{2,300})»"""
    r"""|(?<!\w)'([^'\n]{2,300})'(?!\w)"""
)
_MARK = re.compile("\ue000(\\d+)\ue001")  # stands for a quoted command in a sentence
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+|;")
_JOINT = re.compile(r"\s*(?:,|\(|\s(?:and|but|while|und|aber|wobei|et|mais|y|pero|e|ma|mas|en|maar)\s)")
_LISTED = re.compile(r"\s*(?:,\s*)?(?:and|or|und|oder|sowie|et|ou|y|o|e|en|as well as|&|/|,)?\s*")

# Words before a command, at its side, that make it one which must keep passing.
_BEFORE = re.compile(
    r"(?:without (?:breaking|failing)|(?:n[o']t|never|don'?t) (?:break|fail)|must (?:keep|still) pass\w*:?"
    r"|guard(?:ed)?(?: by| with| is|:)?|sans casser|sin romper|senza rompere|sem quebrar|zonder te breken"
    r"|ne (?:casse|brise)\w* (?:pas|jamais)|no romp\w+|nicht brechen:?|weiter(?:hin)? (?:laufen|bestehen|passen):?)"
    r"\W*(?:\w+\W+){0,2}$", re.I
)  # fmt: skip
_HOLD = re.compile(
    r"\b(?:keep(?:s|ing)?|make sure(?: that)?|ensure(?: that)?|as long as|provided(?: that)?|so that|without"
    r"|halt\w*|ohne(?: dass)?|achte darauf, dass|solange|garde\w*|assure\w*|sans que|mant[eé]n\w*|asegura\w*|sin que)"
    r"\W*(?:\w+\W+){0,2}$", re.I
)  # fmt: skip
_HELD = re.compile(
    r"\W*(?:\w+\W+){0,3}?(?:green|pass\w*|work\w*|succeed\w*|run\w*|as (?:it is|is)|break\w*|fail\w*|grün|läuft|laufen"
    r"|besteh\w*|funktionier\w*|(?:zu )?brech\w*|bricht|kaputt|zerst\w*|scheiter\w*|fehlschl\w*|rot|vert\w*|passe\w*"
    r"|marche\w*|échoue\w*|verde\w*|pase\w*|funcion\w*|fall\w*|romp\w*)", re.I
)  # fmt: skip
_MUST = r"\b(?:must|should|shall|has to|have to|needs? to|will|may)"
_MUSS = r"\b(?:muss|müssen|soll|sollen|sollte\w*|darf|dürfen)"
# Words after a command: it passes today and must go on so.
_STRONG = re.compile(
    rf"{_MUST} (?:also |always )?(?:keep|still|stay|remain|continue|not (?:break|fail|regress|change|get worse|go red))"
    r"|\bstill (?:pass|succeed|work)|\bkeeps? (?:on )?(?:passing|working|succeeding|green)|\bnot to (?:break|fail)"
    r"|\b(?:stay|remain)s? (?:green|passing|ok|intact|working|unchanged)|\bcontinues? (?:to )?(?:pass|work|succeed)"
    rf"|{_MUSS}\b.*\b(?:weiter\w*|noch|immer|bleiben)"
    r"|\b(?:läuft|laufen|funktioniert|besteht|geht) (?:weiter|immer noch)"
    r"|\bweiter(?:hin)? (?:durch)?(?:lauf|läuf|funktion|besteh|grün|gehen)|\bbleib\w* (?:grün|heil|ganz|unverändert)"
    rf"|{_MUSS} (?:mir |uns |dabei )?nicht (?:kaputt|brechen|fehlschlagen|scheitern|rot|schlechter)"
    r"|\bdoi(?:t|vent) (?:toujours|encore|continuer|rester)|\brest(?:e|ent) (?:vert|ok)|\bpasse(?:nt)? toujours"
    r"|\bne doi(?:t|vent) pas (?:casser|échouer)|\bcontinue(?:nt)? (?:de|à) (?:passer|marcher|fonctionner)"
    r"|\b(?:debe|deben|tiene que|tienen que) (?:seguir|continuar|quedar)|\bsig(?:ue|a|uen|an) (?:pasando|funcionando)"
    r"|\bno (?:debe|deben|puede|pueden) (?:fallar|romperse)"
    r"|\bdev(?:e|ono|em) (?:ancora|continuare|continuar|restare|ainda)"
    r"|\bmoe(?:t|ten) (?:blijven|nog)", re.I
)  # fmt: skip
# Words after a command that may as well be the goal itself.
_WEAK = re.compile(
    rf"{_MUST} (?:also |always )?(?:pass|succeed|work|run|hold|be green|(?:exit|return|end) (?:with )?0)"
    rf"|{_MUSS} (?:auch |immer )?(?:durch)?(?:laufen|bestehen|passen|grün sein|funktionieren|klappen)"
    r"|\bdoi(?:t|vent) (?:passer|réussir|fonctionner|marcher)|\b(?:debe|deben|tiene que) (?:pasar|funcionar)", re.I
)  # fmt: skip

# A command that writes a file of the project, which is to be what it writes.
_MAKES = re.compile(
    r"\W*(?:\w+ )?(?:writes?|produces?|generates?|creates?|builds?|makes?|schreibt|erzeugt|baut|erstellt|génère|écrit"
    r"|produit|genera|escribe|produce)\s+(?:the |die |das |den |la |le |el )?(?P<path>[\w./-]*\w)", re.I
)  # fmt: skip

_CHANGE = re.compile(
    r"\b(?:chang\w*|edit\w*|touch\w*|modif\w*|alter(?:ed|ing)?|rewrit\w*|ver[äa]nder\w*|ge?[äa]nder\w*|änder\w*|aender\w*"
    r"|bearbeit\w*|anfass\w*|angefasst|fass\w*|anrühr\w*|rühr\w*|cambi\w*|to(?:car|ques|cado)\w*|tocc\w*|mexe\w*"
    r"|loos\w*|weaken\w*|locker\w*|aufweich\w*|wijzig\w*)\b", re.I
)  # fmt: skip
_WORK = re.compile(
    r"\b(?:work|stay|keep to|restrict\w*|limit\w*|arbeit\w*|travaill\w*|trabaj\w*|lavor\w*|werk)\b", re.I
)
_MODAL = re.compile(
    r"\b(?:must|may|should|shall|can|could|is|are|do|does|has|have|need\w*|darf|dürfen|soll\w*|kann|muss|müssen|wird|bleib\w*"
    r"|doi\w*|peu\w*|deb\w*|pued\w*|dev\w*|stays?|remains?|nicht|mag|moet\w*)\b", re.I
)  # fmt: skip
# What stands between a list of paths and its verb.
_FILLER = re.compile(
    r"(?:and|or|the|files?|folders?|director(?:y|ies)|modules?|in|under|below|of|from|und|oder|der|die|das|den|dateien?"
    r"|ordner|von|unter|et|ou|les?|la|l|fichiers?|dans|sous|y|o|los|las|el|en|archivos?|e|i|il|file|also|that|itself)",
    re.I,
)  # fmt: skip
_AIM = re.compile(
    r"\b(?:so that|in order|to make|until|damit|um|pour|afin|para|because|without|ohne|sans|sin|while)\b", re.I
)
_ONLY = re.compile(
    r"\b(?:only|solely|just|nothing but|anything but|exclusively|within|inside|nur|ausschließlich|bloß|allein|innerhalb"
    r"|seul\w*|uniquement|que|solo|sólo|solamente|únicamente|soltanto|somente|apenas|alleen)\b", re.I
)  # fmt: skip
_ELSE = re.compile(r"\b(?:nothing|anything) else|\bsonst nichts|\brien d.autre|\bnada m[áa]s|\bniente altro", re.I)
_OUTSIDE = re.compile(
    r"\b(?:outside(?: of)?|except(?: for)?|other than|beyond|außer\w*|ausser\w*|en dehors|hors|sauf|fuera|salvo|excepto"
    r"|fuori|buiten)\b", re.I
)  # fmt: skip
_NOT = re.compile(
    r"\b(?:not|never|no|nothing|cannot|without|nicht\w*|kein\w*|nie|niemals|ohne|ne|pas|jamais|rien|sans|nunca|nada|sin"
    r"|non|não|niet)\b|n['’]t\b", re.I
)  # fmt: skip
_LEFT = re.compile(
    r"\b(?:leave|keep)\b.*\b(?:alone|untouched|unchanged|as (?:it is|they are|is))|\b(?:stays?|remains?) (?:as|un)"
    r"|\bunveränder\w*|\bbleib\w* wie|\bin ruhe\b|\binchangée?s?\b|\bintactos?\b|\bsin cambios\b", re.I
)  # fmt: skip
_TOKEN = re.compile(r"[\w@.*~+/-]*[\w*/]")
_LIMIT = re.compile(
    r"\s*(?:no|never|don'?t|do not|without|keine?r?n?|ohne|pas d|sans|sin|senza|nessun\w*|geen)\b", re.I
)


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
    commands: list[str] = []

    def masked(match: re.Match[str]) -> str:
        """A mark in place of a quoted command; other quoted texts stay."""
        text = next(filter(None, match.groups())).strip()
        if not is_command(project, text):
            return match[0]
        commands.append(text)
        return f"\ue000{len(commands) - 1}\ue001"

    sentences = [part for part in _SENTENCE.split(_QUOTED.sub(masked, goal)) if part.strip()]
    roles = [role for sentence in sentences for role in _roles(sentence)]
    made = [pair for sentence in sentences for pair in _made(project, sentence)]
    roles = [(at, role) for at, role in roles if at not in dict(made)]
    plain = [at for at, role in roles if not role and (len(_words(commands[at])) > 1 or "/" in commands[at])]
    rest = _rest(project, sentences, frozenset(at for at, role in roles if role))
    if plain or set(topics.topics(rest)) - {"tests", "flaky"}:
        guards = [at for at, role in roles if role]
    else:
        guards, plain = ([at for at, role in roles if role == wanted] for wanted in ("strong", "weak"))
    check = commands[plain[0]] if plain else ""
    allowed, kept = _places(project, sentences)
    held = [commands[at] for at in guards]
    held += [f"{commands[at]} && git diff --exit-code -- {shlex.quote(path)}" for at, path in made]
    return GoalTerms(check, tuple(dict.fromkeys(held)), allowed, kept, rest)


def _made(project: Project, sentence: str) -> Iterator[tuple[int, str]]:
    """Each command of which a sentence says that it writes a file of the project, with that file."""
    pieces = _MARK.split(sentence)
    for number, after in zip(pieces[1::2], pieces[2::2]):
        found = _MAKES.match(after)
        if found and found["path"].removeprefix("./") in project.files:
            yield int(number), found["path"].removeprefix("./")


def _rest(project: Project, sentences: Iterable[str], guards: frozenset[int]) -> str:
    """The goal's own words: without limits (`No new casts`), without what says where changes may be made, and without
    what tells of a guard alone."""
    goals = [part for part in sentences if not _LIMIT.match(part) and not any(_places(project, [part]))]
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
    if _BEFORE.search(before) or _STRONG.search(after) or (_HOLD.search(before) and _HELD.match(after)):
        return "strong"
    return "weak" if _WEAK.search(after) else ""


def _places(project: Project, sentences: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What may change and what may not, as patterns of paths of the project."""
    found: dict[str, dict[str, None]] = {"scope": {}, "kept": {}}
    for sentence in sentences:
        alone = _ELSE.search(sentence) is not None
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
        if _CHANGE.search(part) or _LEFT.search(part) or _WORK.search(part):
            yield held
            held = ""
        else:
            held += " "
    yield held


def _told(project: Project, part: str, alone: bool) -> tuple[str, str]:
    """Whether a clause says what alone may change (scope) or what may not (kept), and the words that name it."""
    changes, denied, only, outside = (p.search(part) for p in (_CHANGE, _NOT, _ONLY, _OUTSIDE))
    if outside and (changes or _WORK.search(part)) and (denied or only):
        return "scope", _after(part, outside)
    but = re.search(r"\b(?:but|que)\b", part, re.I)
    if only and (changes or _WORK.search(part)) and (not denied or but):
        begun = but if denied and but else only
        between = part[begun.end() : changes.start()] if changes else ""
        texts = (between, _after(part, begun), _subject(project, part, only))
        return "scope", next((text for text in texts if any(_paths(project, text))), "")
    if changes and not denied and alone:
        return "scope", part
    left = _LEFT.search(part)
    if left:
        return "kept", f"{left[0]} {_subject(project, part, left)}"
    if changes and denied:
        modal = _MODAL.search(part)
        between = part[changes.end() : denied.start()]
        subject = _subject(project, part, modal) if modal else ""
        return "kept", f"{_after(part, denied)} {between} {subject}"
    return "", ""


def _after(part: str, match: re.Match[str]) -> str:
    """The words after a match, up to those that say what for."""
    return _AIM.split(part[match.end() :])[0]


def _subject(project: Project, part: str, match: re.Match[str]) -> str:
    """The list of paths that stands right before a match."""
    found: list[str] = []
    for word in reversed(part[: match.start()].split()):
        bare = word.strip("`'\".,()\u201c\u201d\u201e")
        if not _pattern(project, bare) and not _FILLER.fullmatch(bare):
            break
        found.append(bare)
    return " ".join(found)


def _paths(project: Project, text: str) -> Iterator[str]:
    """The paths of the project that words name, as patterns of a scope."""
    return filter(None, (_pattern(project, token) for token in _TOKEN.findall(text)))


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


# Programs that are commands by themselves, without an operand.
_RUNNERS = frozenset(
    (
        "pytest",
        "tox",
        "nox",
        "make",
        "jest",
        "vitest",
        "ctest",
        "rake",
        "mypy",
        "pyright",
        "ruff",
        "eslint",
        "tsc",
        "just",
    )
)
_SCRIPTS = frozenset(("npm", "pnpm", "yarn", "go", "cargo", "mvn", "gradle", "dotnet", "bundle", "mix", "composer"))
_SUBCOMMANDS = frozenset(
    ("test", "run", "build", "vet", "check", "clippy", "bench", "lint", "exec", "verify", "package", "spec", "t", "x")
)


def is_command(project: Project, text: str) -> bool:
    """Whether a quoted text is a command that can be run here: its program is there, and what it is given fits."""
    words = _words(text)
    if not words:
        return False
    program, rest = words[0], words[1:]
    if "/" in program:
        return _is_program(project, program)
    import shutil

    if shutil.which(program) is None:
        return False
    if program in _SCRIPTS:
        return bool(rest) and rest[0] in _SUBCOMMANDS
    if program == "make":
        return not rest or any(_is_target(project, word) for word in rest)
    return program in _RUNNERS or any(_is_operand(project, word) for word in rest)


def _words(text: str) -> list[str]:
    """The words of the first command of a text, without settings and without a change of folder before it."""
    try:
        words = shlex.split(text)
    except ValueError:
        return []
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0]):
        words = words[1:]
    return _words(text.split("&&", 1)[1]) if words[:1] == ["cd"] and "&&" in text else words


def _is_program(project: Project, program: str) -> bool:
    path = os.path.expanduser(program)
    path = path if os.path.isabs(path) else str(project.root / path)
    return program.removeprefix("./") in project.files or (os.path.isfile(path) and os.access(path, os.X_OK))


def _is_target(project: Project, word: str) -> bool:
    text = project.text("Makefile") or project.text("makefile") or project.text("GNUmakefile")
    return word.startswith("-") or re.search(rf"^{re.escape(word)}\s*:", text, re.MULTILINE) is not None


def _is_operand(project: Project, word: str) -> bool:
    """Whether a word is what a program is given rather than one of a phrase: an option, a path, code."""
    name = word.removeprefix("./").rstrip("/")
    there = bool(name) and (name in project.files or any(path.startswith(f"{name}/") for path in project.files))
    return there or re.match(r"-\w|--\w|\.{1,2}(?:/|$)", word) is not None or _is_somewhere(project, word)


def _is_somewhere(project: Project, word: str) -> bool:
    return "/" in word and len(word) > 1 and os.path.exists(os.path.join(project.root, os.path.expanduser(word)))


def labelled(guards: Sequence[str]) -> list[str]:
    """Each command that must keep passing as NAME=COMMAND, named by the program or script that it runs."""
    found: dict[str, str] = {}
    for command in guards:
        words = _words(command) or [command]
        scripts = [word for word in words if re.search(r"\.\w{1,4}$", word)] or [
            word for word in reversed(words) if not word.startswith("-")
        ]
        stem = scripts[0].rpartition("/")[2].partition(".")[0].lower() if scripts else ""
        name = re.sub(r"[^a-z0-9]+", "-", stem).strip("-") or "asked"
        name = name if name[0].isalpha() else f"run-{name}"
        while name in found:
            name += "-too"
        found[name] = command
    return [f"{one_line(name, 30)}={command}" for name, command in found.items()]
