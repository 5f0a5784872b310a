"""Metric extraction: exactly one finite decimal from what a check printed, or the reason why there is none.

Forms, first that applies: a `--metric-pattern` with one group; `METRIC name=value` lines; the last JSON document;
a lone number. The form of the baseline binds every later run (`form.Form`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from ..kernel.core import numbers
from ..kernel.core.errors import Refusal
from ..kernel.core.frozen import dataclass, field
from ..kernel.core.text import one_line
from . import form as forms
from . import jsondocs, quantity, screen, tells
from .form import JSON_KEY, METRIC_LINE, NUMBER, PATTERN, Form
from .quantity import NumberSpot, Quantity

_LINE = re.compile(r"^[ \t]*METRIC[ \t]+([^\s=]+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_NEARLY = re.compile(r"^.*\bMETRIC[ \t:]+\S.*$", re.MULTILINE)
_WITHIN = r"(?m)^(?![ \t]*METRIC[ \t]).*\bMETRIC[ \t]+%s[ \t]*=.*"
_SAYS_NONE = re.compile(r"\b(?:[Nn]o|NO|[Nn]one|[Zz]ero) [^\W\d_]+")
_NAMES = frozenset("name id fullname full_name title label benchmark test case command metric n file path key".split())
_TRIED = 80  # characters of a line for which a pattern is thought up
_OTHERS = 60  # further numbers that are kept


@dataclass(frozen=True)
class Reading:
    """`value` is the metric, or None with `problem` saying why; `others` are further named numbers; `form` is how
    the metric was found."""

    value: Decimal | None
    problem: str = ""
    others: Mapping[str, Decimal] = field(default_factory=dict)
    form: Form = Form()


@dataclass(frozen=True)
class Source:
    """How a run's metric is found: its name, an optional key, an optional pattern, the form it had at the baseline
    (blank before that), and which match of the pattern counts ("only", "first", "last")."""

    name: str = ""
    key: str = ""
    pattern: str = ""
    form: Form = Form()
    take: str = "only"


@dataclass(frozen=True)
class _Found:
    """A number that was read and how; `problem` instead of it."""

    number: Quantity | None
    form: Form
    problem: str = ""
    others: Mapping[str, Decimal] = field(default_factory=dict)


def check_pattern(pattern: str) -> None:
    """Raise `Refusal` unless `pattern` compiles and has exactly one group."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise Refusal(
            f"metric pattern does not compile ({error}), expected a regular expression with one group"
        ) from None
    if groups != 1:
        raise Refusal(f"metric pattern has {groups} groups, expected exactly one around the number; add or remove some")


def extract(stdout: str, source: Source) -> Reading:
    """Read the metric from a check's output."""
    text = screen.without_cut(screen.clean(stdout))
    found = _read(text, source)
    if found.number is None:
        return Reading(None, found.problem, found.others, found.form)
    known = source.form
    if not known.kind:
        return Reading(found.number.value, "", found.others, found.form)
    problem = forms.difference(found.form, known) or forms.torn(found.form, known)
    try:
        fitted = found.number if problem else forms.fitted(found.number, known)
    except Refusal as refusal:
        problem = str(refusal)
    return Reading(None, problem) if problem else Reading(fitted.value, "", found.others, found.form)


def named(stdout: str) -> Mapping[str, Decimal]:
    """The numbers of METRIC lines, where none of them is the metric."""
    return _plain((line[1], line[2]) for line in _LINE.finditer(screen.clean(stdout).replace("\r", "\n")))


def _read(text: str, source: Source) -> _Found:
    if source.pattern:
        return _by_pattern(screen.overwritten(text), source)
    broken = text.replace("\r", "\n")
    lines = list(_LINE.finditer(broken))
    if lines:
        return _by_line(broken, lines, source)
    nearly = _NEARLY.search(broken)
    if nearly:
        return _problem(
            METRIC_LINE, f"METRIC stands in {_shown(nearly[0])}; print METRIC name=value at the begin of its own line"
        )
    return _without_names(screen.overwritten(text), source)


def _without_names(text: str, source: Source) -> _Found:
    documents = jsondocs.find(text)
    if documents.cut:
        return _problem(JSON_KEY, "the output ends in the middle of a JSON document; let the check print all of it")
    if documents.last is not None:
        return _by_key(documents.last, source)
    if source.key or source.form.kind == JSON_KEY:
        return _unnamed(text, source.key or source.form.name)
    return _lone(text, source)


def _problem(kind: str, text: str) -> _Found:
    return _Found(None, Form(kind), text)


def _shown(text: str) -> str:
    return repr(one_line(text, 80))


# --- METRIC lines


def _by_line(text: str, lines: list[re.Match[str]], source: Source) -> _Found:
    names = [line[1] for line in lines]
    wanted = _wanted(source, METRIC_LINE, names)
    if not wanted:
        usable = lines if len(lines) == 1 else [line for line in lines if quantity.spots(line[2])]
        if len(usable) != 1:
            return _problem(METRIC_LINE, _candidates(len(usable), names))
        wanted = usable[0][1]
    chosen = [line for line in lines if line[1] == wanted]
    if len(chosen) != 1:
        printed = "" if chosen else f" (it prints {one_line(', '.join(names), 60)})"
        return _problem(METRIC_LINE, f"{_count(chosen)} values named {wanted!r} in the output, expected one{printed}")
    within = re.search(_WITHIN % re.escape(wanted), text)
    if within:
        return _problem(METRIC_LINE, f"a second METRIC {wanted} stands within {_shown(within[0])}; print it once")
    others = _plain((line[1], line[2]) for line in lines if line[1] != wanted)
    return _line_value(text, chosen[0], source, others)


def _line_value(text: str, line: re.Match[str], source: Source, others: Mapping[str, Decimal]) -> _Found:
    try:
        number = quantity.read(line[2], source.form.notation)
    except Refusal as refusal:
        name = one_line(line[1], 40)
        return _problem(METRIC_LINE, f"{refusal}, in the line {_shown(line[0])}; print METRIC {name}=NUMBER alone")
    form = Form(METRIC_LINE, line[1], number.unit, number.notation, ended="\n" in text[line.end() :])
    return _Found(number, form, "", others)


def _wanted(source: Source, kind: str, names: list[str]) -> str:
    """The name that binds: the baseline's, the one asked for, or the metric's own where it is printed."""
    known = source.form.name if source.form.kind == kind else ""
    return known or source.key or (source.name if source.name in names else "")


def _candidates(count: int, names: list[str]) -> str:
    return f"{count} candidates ({one_line(', '.join(names), 80)}); name one with --metric-key"


def _count(items: list[re.Match[str]]) -> str:
    return str(len(items) or "no")


def _plain(pairs: Iterable[tuple[str, object]]) -> dict[str, Decimal]:
    """Further numbers, for `--require`: only what can be kept exactly and has no unit that might change."""
    found: dict[str, Decimal] = {}
    for name, value in pairs:
        if len(found) < _OTHERS:
            try:
                found[one_line(name, 64)] = numbers.parse(str(value))
            except Refusal:
                continue
    return found


# --- JSON


def _by_key(document: object, source: Source) -> _Found:
    top = list(document) if isinstance(document, dict) else []
    wanted = _wanted(source, JSON_KEY, top)
    if not wanted:
        wanted, problem = _only_key(document, source)
        if problem:
            return _problem(JSON_KEY, problem)
    values = jsondocs.at(document, wanted)
    if len(values) != 1:
        return _problem(JSON_KEY, _missing(document, wanted) if not values else f"{wanted!r} leads to several values")
    return _key_value(document, wanted, values[0], source)


def _only_key(document: object, source: Source) -> tuple[str, str]:
    """The key of the only number at the top where nobody named one, or why there is no such key."""
    found = list(jsondocs.leaves(document))
    if source.name and any(leaf.key == source.name for leaf in found):
        return "", _missing(document, source.name)
    if not isinstance(document, dict):
        return "", _candidates(len(found), [leaf.path for leaf in found if jsondocs.is_number(leaf.value)])
    pairs = [(key, _text(value)) for key, value in document.items()]
    usable = pairs if len(pairs) == 1 else [(key, text) for key, text in pairs if _is_candidate(text)]
    nested = [leaf.path for leaf in found if jsondocs.is_number(leaf.value) and leaf.path not in document]
    if len(usable) != 1 or (len(document) == 1 and nested):
        return "", _candidates(len(usable), [key for key, _ in pairs] + nested)
    return usable[0][0], ""


def _is_candidate(text: str) -> bool:
    found = quantity.spots(text)
    return len(found) == 1 and found[0].start == 0


def _missing(document: object, wanted: str) -> str:
    """Where a key that is not there may be found."""
    inside = [leaf.path for leaf in jsondocs.leaves(document) if leaf.key == wanted]
    if inside:
        more = f" (or one of {len(inside) - 1} more)" if len(inside) > 1 else ""
        return f"{wanted!r} is nested in the JSON: name it with --metric-key '{one_line(inside[0], 80)}'{more}"
    numbers_ = [leaf.path for leaf in jsondocs.leaves(document) if jsondocs.is_number(leaf.value)]
    return f"no values named {wanted!r} in the JSON (it has {one_line(', '.join(numbers_[:8]), 100) or 'no numbers'})"


def _key_value(document: object, wanted: str, value: object, source: Source) -> _Found:
    if isinstance(value, jsondocs.Twice):
        return _problem(JSON_KEY, f"{wanted!r} stands twice in one JSON object; print it once")
    try:
        number = quantity.read(_text(value), source.form.notation if isinstance(value, str) else "")
    except Refusal as refusal:
        return _problem(JSON_KEY, f"{refusal}, at the JSON key {wanted!r}")
    around = jsondocs.holders(document, wanted)
    units = {key: item for key, item in (around[0] if around else {}).items() if _is_unit(key, item)}
    unit, told = number.unit, ""
    if not unit and len(units) == 1:
        unit = str(next(iter(units.values())))
    elif units:
        told = _units(units)
    number = Quantity(number.value, unit, number.notation)
    outer = {key: item for one in around[1:] for key, item in one.items() if _is_unit(key, item)}
    told = told or (_units(outer) if not unit else "")
    said = tells.in_json(around)
    form = Form(JSON_KEY, wanted, unit, number.notation, _entry(document, wanted), told=told, tells=said)
    return _Found(number, form, "", _json_others(document, wanted))


def _is_unit(key: str, item: object) -> bool:
    return "unit" in key.lower() and isinstance(item, str)


def _units(found: Mapping[str, object]) -> str:
    return one_line(", ".join(f"{key} {item}" for key, item in sorted(found.items())), 80)


def _entry(document: object, wanted: str) -> str:
    """How the entries of lists on the way to a number call themselves: another order makes `[0]` another entry."""
    said = []
    for place in re.finditer(r"\[-?[0-9]+\]", wanted):
        for entry in jsondocs.at(document, wanted[: place.end()]):
            items = entry.items() if isinstance(entry, dict) else ()
            said += [item for key, item in items if key.lower() in _NAMES and isinstance(item, str)]
    if not said:
        beside = (jsondocs.holders(document, wanted) or [{}])[0].items()
        said = [str(item) for key, item in beside if key.lower() in _NAMES and _is_plain(item)]
    return one_line(" ".join(said), 160)


def _is_plain(item: object) -> bool:
    """Whether a text may be the name of what is measured: what has digits may be that of one run."""
    return isinstance(item, str) and re.search(r"\d", item) is None


def _json_others(document: object, wanted: str) -> dict[str, Decimal]:
    found = ((leaf.path, leaf.value) for leaf in jsondocs.leaves(document) if leaf.path != wanted)
    return _plain((path, _text(value)) for path, value in found if "[" not in path)


def _text(value: object) -> str:
    return "" if isinstance(value, (bool, dict, list, jsondocs.Twice)) or value is None else str(value)


# --- a pattern


def _by_pattern(text: str, source: Source) -> _Found:
    found = list(re.finditer(source.pattern, text, re.MULTILINE))
    if not found:
        return _problem(PATTERN, f"no matches of the pattern in the output{_last_line(text)}")
    hidden = {"first": text.find(screen.CUT), "last": text.rfind(screen.CUT)}
    match = found[0] if source.take == "first" else found[-1]
    if len(found) > 1 and source.take == "only":
        lines = f"the last in {_shown(_line_at(text, match.start(1)))}" if match[1] is not None else ""
        return _problem(
            PATTERN, f"{len(found)} matches of the pattern in the output, {lines}; narrow it, or --metric-take last"
        )
    if screen.CUT in text and not _beyond(match, source.take, hidden):
        return _problem(PATTERN, "the output was cut in its middle, where the pattern may match; print less")
    return _pattern_value(text, match, source)


def _beyond(match: re.Match[str], take: str, hidden: Mapping[str, int]) -> bool:
    """Whether what was cut from the output cannot hold the match that is asked for."""
    if take == "only":
        return False
    return match.end() < hidden["first"] if take == "first" else match.start() > hidden["last"]


def _pattern_value(text: str, match: re.Match[str], source: Source) -> _Found:
    group = match[1] or ""
    start = match.start(1) + len(group) - len(group.lstrip())
    end = start + len(group.strip())
    line = _line_at(text, max(0, start))
    why = quantity.piece(text, start, end, match.span()) if group.strip() else ""
    if why:
        return _problem(
            PATTERN,
            f"the pattern takes {group.strip()!r} out of {_shown(line)}, which is a piece of a number ({why}); "
            r"let the group take in all of it, e.g. with (\S+)",
        )
    try:
        number = quantity.read(group, source.form.notation)
    except Refusal as refusal:
        return _problem(PATTERN, f"{refusal}, in the line {_shown(line)}")
    unit = number.unit or quantity.shared_unit(text, end)
    told = "" if unit else forms.units_told(text, line, _spans(line))
    before = text.rfind("\n", 0, start) + 1
    words, column = tells.branch(source.pattern, match), tells.column(text, start)
    said = tells.on_line(line, start - before, end - before)
    place = PATTERN, forms.label(line), unit, number.notation, words, column
    form = Form(*place, told, said, "\n" in text[end:])
    return _Found(Quantity(number.value, unit, number.notation), form)


def _spans(line: str) -> list[tuple[int, int]]:
    return [(spot.start, spot.stop) for spot in quantity.spots(line)]


def _line_at(text: str, place: int) -> str:
    return text[text.rfind("\n", 0, place) + 1 :].partition("\n")[0]


def _last_line(text: str) -> str:
    last = text.rstrip().rpartition("\n")[2]
    return f"; its last line is {_shown(last)}" if last else ""


# --- a lone number


def _lone(text: str, source: Source) -> _Found:
    if screen.CUT in text:
        return _problem(NUMBER, "the output was cut in its middle, so no number is surely the only one; print less")
    found = quantity.spots(text)
    if len(found) != 1:
        return _problem(NUMBER, _many(text, found, source) if found else f"no numbers in the output{_last_line(text)}")
    return _lone_value(text, found[0], source)


def _lone_value(text: str, spot: NumberSpot, source: Source) -> _Found:
    line, before = _line_at(text, spot.start), text.rfind("\n", 0, spot.start) + 1
    if spot.odd:
        shown = text[spot.start : spot.stop + 8].split("\n")[0]
        return _problem(
            NUMBER, f"{_shown(shown)} is not a finite decimal ({spot.odd}), in {_shown(line)}; {_name(text, line)}"
        )
    try:
        number = quantity.read(text[spot.start : spot.end], source.form.notation)
    except Refusal as refusal:
        return _problem(NUMBER, f"{refusal}, in {_shown(line)}; {_name(text, line)}")
    none = _SAYS_NONE.search(line)
    if none:
        said = f"{_shown(line)} says {none[0]!r} in words, so its number counts others"
        return _problem(NUMBER, f"{said}; {_name(text, line)}")
    words = forms.words_of(line, spot.start - before, spot.stop - before)
    told = "" if spot.unit else forms.units_told(text, line, [(spot.start - before, spot.stop - before)])
    form = Form(
        *(NUMBER, "", spot.unit, number.notation, words, "" if words else _place(text, spot.start), told),
        ended="\n" in text[spot.stop :],
    )
    return _Found(Quantity(number.value, spot.unit, number.notation), form)


def _place(text: str, start: int) -> str:
    """Where a line that holds nothing else stands among the lines with text."""
    number = text.count("\n", 0, start)
    filled = [n for n, line in enumerate(text.split("\n")) if line.strip()]
    return "last" if number == filled[-1] else "first" if number == filled[0] else "inner"


def _many(text: str, found: list[NumberSpot], source: Source) -> str:
    lines = list(dict.fromkeys(_line_at(text, spot.start) for spot in found))
    told = [line for line in lines if source.name and source.name.lower() in line.lower()]
    line = (told or lines)[-1]
    return f"{len(found)} numbers in the output, expected exactly one, in {_shown(line)}; {_name(text, line)}"


def _name(text: str, line: str) -> str:
    """The flag that reads a number of this line, where one can be told: it was tried."""
    for spot in quantity.spots(line[:_TRIED])[:6]:
        head = re.sub("[0-9]+", r"\\d+", re.sub(r"(?:\\?[\t ])+", " +", re.escape(line[: spot.start].lstrip())))
        word = re.match(r"[ \t]+([^\W\d]+)", line[spot.end :])
        tail = " +" + word[1] if word and not head else ""
        for group in (r"(\S+)", r"(-?[0-9.]+)"):
            usable = (head or tail) and head == one_line(head, 10 * _TRIED)  # nobody types a control character
            found = _by_pattern(text, Source("", "", head + group + tail)) if usable else None
            if found is not None and found.number is not None:
                return f"print METRIC name=value, or e.g. --metric-pattern {quoted(head + group + tail)}"
    return "print METRIC name=value, or name it with --metric-pattern"


def quoted(text: str) -> str:
    """`text` as one word for a shell."""
    import shlex

    return shlex.quote(text)


def _unnamed(text: str, wanted: str) -> _Found:
    line = re.search(rf"^[ \t]*{re.escape(wanted)}[ \t]*[:=][ \t]*(?=[0-9.+-]).*$", text, re.MULTILINE)
    hint = ""
    if line:
        pattern = quoted("^ *" + re.escape(wanted) + r" *[:=] *(\S+)")
        hint = f"; the line {_shown(line[0])} is read with --metric-pattern {pattern}"
    return _problem(JSON_KEY, f"no METRIC line or JSON object names {wanted!r}{hint or _last_line(text)}")
