"""What a goal in words is about. Pure: a table of word stems in English, German, French and Spanish."""

from __future__ import annotations

import re

# The order is the rank: a goal that names several things is first about the earlier row.
_STEMS = {
    "flaky": r"flak|unzuverl|wackel|intermitt|instable|inestable",
    "any": r"\bany\b",
    "types": r"\btyp(?:e|es|ed|ing|en|fehler\w*|isier\w*|age|os?)\b|mypy|pyright|annotat|\btsc\b|\btip(?:os?|ado|i)\b",
    "coverage": r"coverage|untested|abdeck|\bdeck\w* .*\bab\b|couverture|cobertura|uncovered"
    r"|\btests?\b.*\b(?:miss|overlook|skip)"
    r"|\b(?:poorly|barely|hardly|kaum|schlecht|zu wenig|peu|poco) (?:getestet|tested|test[ée])"
    r"|\b(?:too few|zu wenige?|pas assez de|pocas?) (?:\w+ )?tests?\b"
    r"|\b(?:more|add|write|missing|mehr|schreib\w*|plus de|m[áa]s) (?:\w+ )?(?:unit)?(?:tests?|pruebas)\b",
    "lint": r"\blint|\bvet\b|ruff|eslint|clippy|flake8|golangci|warning|warnung|avertiss|advertenc",
    "queries": r"\bquer(?:y|ies)\b|\bsql\b|n\s*\+\s*1|abfrage|requ[êe]tes? sql|consultas?",
    "http": r"endpoint|\bapi\b|handler|\bhttp\b|request|page load|anfrage|route|response time",
    "startup": r"start-?\s?up|starts? (?:up |too |so |very )*slow|slow (?:to )?start|startet|"
    r"import time|imports? (?:faster|slow)|startzeit|cold start|d[ée]marrage|arranque|"
    r"\bimport\w*\b.*\b(?:dauer\w*|schnell\w*|langsam\w*|lange|slow\w*|long|forever|ages|lente?)\b|"
    r"\b(?:slow|long|forever|ages|lange) (?:to|beim) import",
    "memory": r"memory|\bram\b|speicher|\bleak|m[ée]moire|memoria|\brss\b",
    "build": r"\bbuild|compil|bauzeit|kompil",
    "speed": r"fast|slow|speed|latenc|perform|schnell|langsam|beschleun|rapid|\blent|durchsatz|optimi|laufzeit|"
    r"\blahm|\bträge|\bdauer\w* (?:\w+ ){0,2}(?:lang|ewig)|takes? (?:\w+ ){0,2}(?:long|forever|ages)|sluggish",
    "size": r"\bsize|smaller|bundle|binary|größe|groesse|\bklein|\bbytes\b|taille|tama[ñn]o",
    "loss": r"\bloss\b|accuracy|\btrain|genauigkeit|modell\b|\bmodel\b|val_bpb|perplex",
    "docs": r"docstring|documentation|\bdocument\b|\bdocs\b|dokument|undocumented",
    "complexity": r"complex|refactor|simplif|simpler|readab|easier to (?:read|understand)|einfacher|verständlich|"
    r"zu lesen|maintain|komplex|vereinfach|wartbar|lesbar|spaghetti",
    "duplicates": r"duplicat|copy.?paste|redundan|doppel|dupliz|dupliqu",
    "dependencies": r"dependenc|abh[äa]ngigk|d[ée]pendance|dependencia",
    "tests": r"\bfail|broken test|\bgreen\b|tests? pass|fehlschl|grün|schl[äa]gt fehl|[ée]chou|falla|tests?\b.*\brot\b"
    r"|tests?\b.*\b(?:laufen|work|run|passent|pasen)\b",
}
_VAGUE = re.compile(
    r"don'?t know|where (?:do|should|to|can) .*start|\bimprove\b|\bbetter\b|wo .*anfang|\bbesser\b|qualit|everything|"
    r"weiß nicht|weiss nicht|overall|aufr[äa]um|clean ?up|am[ée]lior|mejor|too slow somewhere",
    re.IGNORECASE,
)


def topics(goal: str) -> tuple[str, ...]:
    """The topics that the goal names, most telling first; none for a goal that names nothing known."""
    text = goal.lower()
    return tuple(name for name, stems in _STEMS.items() if re.search(stems, text))


def names_branches(goal: str) -> bool:
    """Whether the goal asks for branches that tests take, not for lines that they run."""
    return re.search(r"\bbranch(?:es)?\b|zweig|\bbranche|\bramas?\b", goal, re.IGNORECASE) is not None


def says_so(goal: str) -> bool:
    """Whether the user says that they do not know where to start."""
    return _VAGUE.search(goal) is not None
