"""What a row must be before it enters a mode's log. Every fault is found before any is reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..kernel.core import numbers, text
from ..kernel.core.errors import Refusal
from ..kernel.core.statuses import those
from . import ship_log
from .mode_entries import FIELD_LIMIT, Context, ModeEntry, kind_of
from .mode_schemas import OWASP, STRIDE, Schema

_MEASURED = ("run", "counts")
SET_BY_TOOL = ("timestamp", "kind", "muted", *_MEASURED)
_SEVERAL = ("stride", "owasp", "lens")
_LOCATION = re.compile(r"(?P<path>[^:]+):(?P<line>[1-9][0-9]{0,7})(?:[:-][0-9]+)?")
_RESULTS = {"finding": ("confirmed", "disproven", "inconclusive"), "coverage": ("clean", "not applicable")}


def located_paths(location: str) -> tuple[str, ...]:
    """The paths in a `path:line, path:line` text; parts of another form are left out."""
    found = (_LOCATION.fullmatch(part.strip()) for part in location.split(","))
    return tuple(match["path"] for match in found if match)


def check_row(schema: Schema, given: Mapping[str, str], context: Context) -> ModeEntry:
    """The entry that the given fields make; raises one `Refusal` that names every problem."""
    values, problems = _cleaned(schema, given, context.measured)
    values = _completed(schema, values, context)
    kind = kind_of(schema, values)
    if kind:
        problems += [f"{name} is missing" for name in _absent(schema.kinds[kind], values, given)]
    elif not problems:
        problems.append(_no_kind(schema))
    problems += _location_problems(values.get("location", ""), context.files)
    problems += _RULES[schema.mode](kind, values, context)
    if problems:
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        what = f"this {kind} row" if kind else "this row"
        raise Refusal(f"{count} with {what}: {'; '.join(problems)}. Nothing was recorded; correct it and add it again")
    return ModeEntry(kind, {name: values[name] for name in schema.fields if values.get(name)})


def _absent(required: tuple[str, ...], values: Mapping[str, str], given: Mapping[str, str]) -> list[str]:
    """Required fields without a value; one that was given a bad value is reported as that, not as missing."""
    bad = {_field(raw) for raw, content in given.items() if content.strip() not in ("", "-")}
    return [name for name in required if not values.get(name) and name not in bad]


def _field(raw: str) -> str:
    return raw.strip().lower().replace("-", "_").replace(" ", "_")


def _cleaned(schema: Schema, given: Mapping[str, str], measured: bool) -> tuple[dict[str, str], list[str]]:
    """Known fields, bounded and in the schema's own spelling, and what was wrong with the others."""
    values: dict[str, str] = {}
    problems: list[str] = []
    for raw, content in given.items():
        name = _field(raw)
        if name in SET_BY_TOOL and not (measured and name in _MEASURED):
            problems.append(f"{name} is set by the tool, leave it out")
        elif name not in schema.fields:
            known = ", ".join(schema.fields)
            problems.append(f"{text.one_line(name, 40)!r} is no field of {schema.mode}, expected {known}")
        elif content.strip() not in ("", "-"):
            try:
                values[name] = _value(schema, name, content.strip())
            except ValueError as error:
                problems.append(str(error))
    return values, problems


def _value(schema: Schema, name: str, content: str) -> str:
    """One field's text; raises `ValueError` for a value outside the field's choices."""
    choices = schema.choices.get(name)
    if choices is None:
        multiline = name in schema.extras
        return text.block(content, FIELD_LIMIT) if multiline else text.one_line(content, FIELD_LIMIT)
    parts = content.split(",") if name in _SEVERAL else [content]
    return ", ".join(dict.fromkeys(_choice(name, part, choices) for part in parts if part.strip()))


def _choice(name: str, content: str, choices: tuple[str, ...]) -> str:
    wanted = _folded(content)
    if name == "owasp":
        number = re.match(r"a0?([0-9]{1,2})(?![0-9])", wanted)
        wanted = f"a{int(number[1]):02d}" if number else wanted
    for choice in choices:
        initial = name == "stride" and wanted == choice[0]
        if initial or wanted == _folded(choice) or (name == "owasp" and wanted == _folded(OWASP[choice])):
            return choice
    raise ValueError(f"{name} is {text.one_line(content, 40)!r}, expected one of {', '.join(choices)}")


def _folded(content: str) -> str:
    return re.sub(r"[\s_-]+", "-", content.strip().lower())


def _no_kind(schema: Schema) -> str:
    key = {"debug": "result", "fix": "status"}.get(schema.mode, "type")
    expected = schema.choices.get(key) or tuple(schema.kinds)
    return f"{key} does not name a kind of row, expected one of {', '.join(expected)}"


def _location_problems(location: str, files: Mapping[str, int]) -> list[str]:
    problems = []
    for part in filter(None, (part.strip() for part in location.split(","))):
        match, shown = _LOCATION.fullmatch(part), text.one_line(part, 120)
        if match is None:
            problems.append(f"location {shown!r} is not path:line")
        elif match["path"] not in files:
            problems.append(f"location {shown!r}: no such file in the repo")
        elif int(match["line"]) > max(1, files[match["path"]]):
            problems.append(f"location {shown!r}: the file has {files[match['path']]} lines")
    return problems


def _completed(schema: Schema, values: dict[str, str], context: Context) -> dict[str, str]:
    """The fields with those that the tool knows itself."""
    if schema.mode == "ship":
        return ship_log.completed(values, context)
    values.setdefault("iteration", _next_iteration(values, context))
    if schema.mode == "debug":
        values.setdefault("type", "hypothesis")
    if values.get("type") in _RESULTS:
        values.setdefault("result", _RESULTS[values["type"]][0])
    if "description" in values and kind_of(schema, values) in ("disproven", "inconclusive", "ruled-out", "coverage"):
        values.setdefault("evidence", values["description"])
    if "title" in values and kind_of(schema, values) in ("confirmed", "finding"):
        values.setdefault("description", text.one_line(values["title"]))
    return values


def _next_iteration(values: Mapping[str, str], context: Context) -> str:
    if values.get("status") == "baseline" and not context.history:
        return "0"
    return str(1 + max((_integer(entry.get("iteration")) for entry in context.history), default=0))


def _integer(iteration: str) -> int:
    digits = re.match(r"[0-9]{1,9}", iteration)
    return int(digits[0]) if digits else 0


def _numbered(values: Mapping[str, str]) -> list[str]:
    if re.fullmatch(r"[0-9]{1,9}[a-z]{0,8}", values["iteration"]):
        return []
    return [f"iteration is {text.one_line(values['iteration'], 20)!r}, expected a whole number"]


def _debug_rules(kind: str, values: dict[str, str], context: Context) -> list[str]:
    return _numbered(values) + _repeated(kind, values, context, ("hypothesis", "location"))


def _repeated(kind: str, values: Mapping[str, str], context: Context, names: tuple[str, ...]) -> list[str]:
    """A second identical row would count twice; it is what a repeated command after an interruption gives."""
    for number, entry in enumerate(context.history):
        same = kind and entry.kind == kind and all(entry.get(name) == values.get(name, "") for name in names)
        if same and not withdrawn(entry, context.history[number + 1 :]):
            back = "; to take it back add the same with another result" if "evidence" in entry.values else ""
            return [f"iteration {entry.get('iteration')} already records it (same {' and '.join(names)}){back}"]
    return []


def withdrawn(entry: ModeEntry, later: tuple[ModeEntry, ...]) -> bool:
    """Whether a later row of the same hypothesis or title, at its place or at none, takes a confirmed one back."""
    name = {"confirmed": "hypothesis", "finding": "title"}.get(entry.kind, "")
    return bool(name) and any(
        other.kind in ("disproven", "inconclusive", "ruled-out")
        and other.get(name) == entry.get(name)
        and other.get("location") in ("", entry.get("location"))
        for other in later
    )


def _security_rules(kind: str, values: dict[str, str], context: Context) -> list[str]:
    problems = _numbered(values)
    allowed = _RESULTS.get(values.get("type", ""), ())
    if values.get("result") and values["result"] not in allowed:
        expected = " or ".join(allowed) or "none"
        problems.append(f"result {values['result']!r} does not fit the type, expected {expected}")
    if kind == "coverage" and not (values.get("stride") or values.get("owasp")):
        problems.append(f"stride or owasp is missing, expected one of {', '.join((*STRIDE, *OWASP))}")
    if kind in ("finding", "ruled-out"):
        problems += _repeated(kind, values, context, ("title", "location"))
    return problems


def _fix_rules(kind: str, values: dict[str, str], context: Context) -> list[str]:
    problems = _numbered(values) + _metric_rules(values, context)
    problems += _repeated(kind, values, context, ("iteration", "commit", "category", "description"))
    if not re.fullmatch(r"[0-9a-f]{4,40}", values.get("commit", "0000")):
        problems.append(f"commit is {text.one_line(values['commit'], 50)!r}, expected a hash in hexadecimal digits")
    if not context.measured and kind != "blocked" and any(entry.get("run") for entry in context.history):
        problems.append("rows of the fix run are taken over by themselves, add only blocked ones")
    known = [item.get("id", "") for item in context.queue]
    if "finding" in values and values["finding"] not in known:
        shown = text.one_line(values["finding"], 20)
        problems.append(f"finding is {shown!r}, expected one of {', '.join(known) or 'none'}")
    if kind == "keep" and values.get("guard") == "fail":
        problems.append("guard failed, so this is no keep")
    if kind == "keep" and context.muted:
        problems.append(f"the patch mutes instead of fixing ({text.listing(context.muted)}), so this is no keep")
    if context.muted:
        values["muted"] = str(len(context.muted))
    return problems


def _metric_rules(values: dict[str, str], context: Context) -> list[str]:
    try:
        new = numbers.parse(values["metric"]) if "metric" in values else None
    except Refusal as error:
        return [str(error)]
    old = retained(context.history, values.get("category", ""))
    if new is None:
        values.pop("delta", None)
        return []
    values["metric"] = numbers.plain(new)
    if context.measured:  # the run that measured it has judged it, in its own direction
        return []
    delta = "0" if old is None else numbers.signed(numbers.difference(new, numbers.parse(old)))
    problems = []
    if values.get("delta", delta).lstrip("+") != delta.lstrip("+"):
        problems.append(f"delta is {delta} against the retained {old or 'metric'}, leave it out")
    if values.get("status") == "keep" and (old is None or new >= numbers.parse(old)):
        problems.append(f"a keep must be lower than the retained metric ({old or 'none yet, add the baseline first'})")
    values["delta"] = delta
    return problems


def retained(history: tuple[ModeEntry, ...], category: str) -> str | None:
    """The metric that stands for a category of errors: its last baseline, keep or drift."""
    for entry in reversed(history):
        counted = bool(entry.get("counts"))  # then its metric is the run's, over all categories
        if entry.kind in those("retains") and entry.get("category") == category and not counted:
            return entry.get("metric")
    return None


_RULES: Mapping[str, Callable[[str, dict[str, str], Context], list[str]]] = {
    "debug": _debug_rules,
    "fix": _fix_rules,
    "security": _security_rules,
    "ship": ship_log.rules,
}
