"""Words by which people say what must keep passing, what may change and what may not: patterns alone.

English, German, French, Spanish, and the usual words of Italian, Portuguese and Dutch.
"""

from __future__ import annotations

import re

# Words before a command, at its side, that make it one which must keep passing.
BEFORE = re.compile(
    r"(?:without (?:breaking|failing)|(?:n[o']t|never|don'?t) (?:break|fail)|must (?:keep|still) pass\w*:?"
    r"|guard(?:ed)?(?: by| with| is|:)?|sans casser|sin romper|senza rompere|sem quebrar|zonder te breken"
    r"|ne (?:casse|brise)\w* (?:pas|jamais)|no romp\w+|nicht brechen:?|weiter(?:hin)? (?:laufen|bestehen|passen):?)"
    r"\W*(?:\w+\W+){0,2}$", re.I
)  # fmt: skip
HOLD = re.compile(
    r"\b(?:keep(?:s|ing)?|make sure(?: that)?|ensure(?: that)?|as long as|provided(?: that)?|so that|without"
    r"|halt\w*|ohne(?: dass)?|achte darauf, dass|solange|garde\w*|assure\w*|sans que|mant[eé]n\w*|asegura\w*|sin que)"
    r"\W*(?:\w+\W+){0,2}$", re.I
)  # fmt: skip
HELD = re.compile(
    r"\W*(?:\w+\W+){0,3}?(?:green|pass\w*|work\w*|succeed\w*|run\w*|as (?:it is|is)|break\w*|fail\w*|grün|läuft|laufen"
    r"|besteh\w*|funktionier\w*|(?:zu )?brech\w*|bricht|kaputt|zerst\w*|scheiter\w*|fehlschl\w*|rot|vert\w*|passe\w*"
    r"|marche\w*|échoue\w*|verde\w*|pase\w*|funcion\w*|fall\w*|romp\w*)", re.I
)  # fmt: skip
MUST = r"\b(?:must|should|shall|has to|have to|needs? to|will|may)"
MUSS = r"\b(?:muss|müssen|soll|sollen|sollte\w*|darf|dürfen)"
# Words after a command: it passes today and must go on so.
STRONG = re.compile(
    rf"{MUST} (?:also |always )?(?:keep|still|stay|remain|continue|not (?:break|fail|regress|change|get worse|go red))"
    r"|\bstill (?:pass|succeed|work)|\bkeeps? (?:on )?(?:passing|working|succeeding|green)|\bnot to (?:break|fail)"
    r"|\b(?:stay|remain)s? (?:green|passing|ok|intact|working|unchanged)|\bcontinues? (?:to )?(?:pass|work|succeed)"
    rf"|{MUSS}\b.*\b(?:weiter\w*|noch|immer|bleiben)"
    r"|\b(?:läuft|laufen|funktioniert|besteht|geht) (?:weiter|immer noch)"
    r"|\bweiter(?:hin)? (?:durch)?(?:lauf|läuf|funktion|besteh|grün|gehen)|\bbleib\w* (?:grün|heil|ganz|unverändert)"
    rf"|{MUSS} (?:mir |uns |dabei )?nicht (?:kaputt|brechen|fehlschlagen|scheitern|rot|schlechter)"
    r"|\bdoi(?:t|vent) (?:toujours|encore|continuer|rester)|\brest(?:e|ent) (?:vert|ok)|\bpasse(?:nt)? toujours"
    r"|\bne doi(?:t|vent) pas (?:casser|échouer)|\bcontinue(?:nt)? (?:de|à) (?:passer|marcher|fonctionner)"
    r"|\b(?:debe|deben|tiene que|tienen que) (?:seguir|continuar|quedar)|\bsig(?:ue|a|uen|an) (?:pasando|funcionando)"
    r"|\bno (?:debe|deben|puede|pueden) (?:fallar|romperse)"
    r"|\bdev(?:e|ono|em) (?:ancora|continuare|continuar|restare|ainda)"
    r"|\bmoe(?:t|ten) (?:blijven|nog)", re.I
)  # fmt: skip
# Words after a command that may as well be the goal itself.
WEAK = re.compile(
    rf"{MUST} (?:also |always )?(?:pass|succeed|work|run|hold|be green|(?:exit|return|end) (?:with )?0)"
    rf"|{MUSS} (?:auch |immer )?(?:durch)?(?:laufen|bestehen|passen|grün sein|funktionieren|klappen)"
    r"|\bdoi(?:t|vent) (?:passer|réussir|fonctionner|marcher)|\b(?:debe|deben|tiene que) (?:pasar|funcionar)", re.I
)  # fmt: skip

# A command that writes a file of the project, which is to be what it writes.
MAKES = re.compile(
    r"\W*(?:\w+ )?(?:writes?|produces?|generates?|creates?|builds?|makes?|schreibt|erzeugt|baut|erstellt|génère|écrit"
    r"|produit|genera|escribe|produce)\s+(?:the |die |das |den |la |le |el )?(?P<path>[\w./-]*\w)", re.I
)  # fmt: skip

CHANGE = re.compile(
    r"\b(?:chang\w*|edit\w*|touch\w*|modif\w*|alter(?:ed|ing)?|rewrit\w*|ver[äa]nder\w*|ge?[äa]nder\w*|änder\w*|aender\w*"
    r"|bearbeit\w*|anfass\w*|angefasst|fass\w*|anrühr\w*|rühr\w*|cambi\w*|to(?:car|ques|cado)\w*|tocc\w*|mexe\w*"
    r"|loos\w*|weaken\w*|locker\w*|aufweich\w*|wijzig\w*)\b", re.I
)  # fmt: skip
WORK = re.compile(r"\b(?:work|stay|keep to|restrict\w*|limit\w*|arbeit\w*|travaill\w*|trabaj\w*|lavor\w*|werk)\b", re.I)
MODAL = re.compile(
    r"\b(?:must|may|should|shall|can|could|is|are|do|does|has|have|need\w*|darf|dürfen|soll\w*|kann|muss|müssen|wird|bleib\w*"
    r"|doi\w*|peu\w*|deb\w*|pued\w*|dev\w*|stays?|remains?|nicht|mag|moet\w*)\b", re.I
)  # fmt: skip
# What stands between a list of paths and its verb.
FILLER = re.compile(
    r"(?:and|or|the|files?|folders?|director(?:y|ies)|modules?|in|under|below|of|from|und|oder|der|die|das|den|dateien?"
    r"|ordner|von|unter|et|ou|les?|la|l|fichiers?|dans|sous|y|o|los|las|el|en|archivos?|e|i|il|file|also|that|itself)",
    re.I,
)  # fmt: skip
AIM = re.compile(
    r"\b(?:so that|in order|to make|until|damit|um|pour|afin|para|because|without|ohne|sans|sin|while)\b", re.I
)
ONLY = re.compile(
    r"\b(?:only|solely|just|nothing but|anything but|exclusively|within|inside|nur|ausschließlich|bloß|allein|innerhalb"
    r"|seul\w*|uniquement|que|solo|sólo|solamente|únicamente|soltanto|somente|apenas|alleen)\b", re.I
)  # fmt: skip
ELSE = re.compile(r"\b(?:nothing|anything) else|\bsonst nichts|\brien d.autre|\bnada m[áa]s|\bniente altro", re.I)
OUTSIDE = re.compile(
    r"\b(?:outside(?: of)?|except(?: for)?|other than|beyond|außer\w*|ausser\w*|en dehors|hors|sauf|fuera|salvo|excepto"
    r"|fuori|buiten)\b", re.I
)  # fmt: skip
NOT = re.compile(
    r"\b(?:not|never|no|nothing|cannot|without|nicht\w*|kein\w*|nie|niemals|ohne|ne|pas|jamais|rien|sans|nunca|nada|sin"
    r"|non|não|niet)\b|n['’]t\b", re.I
)  # fmt: skip
LEFT = re.compile(
    r"\b(?:leave|keep)\b.*\b(?:alone|untouched|unchanged|as (?:it is|they are|is))|\b(?:stays?|remains?) (?:as|un)"
    r"|\bunveränder\w*|\bbleib\w* wie|\bin ruhe\b|\binchangée?s?\b|\bintactos?\b|\bsin cambios\b", re.I
)  # fmt: skip
TOKEN = re.compile(r"[\w@.*~+/-]*[\w*/]")
LIMIT = re.compile(r"\s*(?:no|never|don'?t|do not|without|keine?r?n?|ohne|pas d|sans|sin|senza|nessun\w*|geen)\b", re.I)

# Stems of what a program does, in German, French and Spanish, with the names that such functions have.
_DOES = {
    r"such|recherch|busc": "search find query", r"sortier|\btri\b|\btrier|orden": "sort",
    r"\bles(?:e|en)\b|einles|\blire\b|lecture|\bleer\b": "read load parse",
    r"schreib|[ée]cri|escrib": "write dump save",
    r"druck|ausgab|imprim": "print render format", r"formatier|format": "format", r"pars|zerleg|analys": "parse",
    r"\blad(?:e|en)\b|charg|carg": "load", r"einf[üu]g|ins[ée]r": "insert add",
    r"l[öo]sch|supprim|elimin": "delete remove",
    r"z[äa]hl|compt|cont(?:ar|eo)": "count", r"filter|filtr": "filter", r"grupp|group|agrup": "group groupby",
    r"vergleich|compar": "compare diff", r"umwandl|konvert|convert": "convert", r"verbind|joindre|\bunir": "join merge",
    r"kodier|encod|codific": "encode", r"dekodier|d[ée]cod": "decode", r"pr[üu]f|valid": "validate check",
}  # fmt: skip


def in_english(goal: str) -> list[str]:
    """English names of functions for what the goal says in other languages."""
    text = goal.lower()
    return [name for stem, names in _DOES.items() if re.search(stem, text) for name in names.split()]
