"""Scope patterns: which repository paths a run may change.

Patterns are split on commas and white space, but for blanks in quotes or behind a backslash; braces expand. A plain
name or a trailing `/` means that file or subtree; `*` and `?` stay within one folder, `**` crosses folders; `!pattern`
takes paths out again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .errors import Refusal

Matcher = Callable[[str], bool]


_QUOTED = re.compile(r"""(?<![^\s,!{])(?:"([^"\n]+)"|'([^'\n]+)')(?![^\s,}])""")
_BLANK, _COMMA = "\ue000", "\ue001"  # stand for quoted ones while the text is taken apart; private, so in no name


def split(scope: str) -> tuple[str, ...]:
    """The patterns of a scope text, braces expanded, `./` removed."""
    kept = _QUOTED.sub(lambda match: _hidden(match[1] or match[2]), scope).replace("\\ ", _BLANK)
    parts, depth, word = [], 0, ""
    for char in kept + " ":
        depth += (char == "{") - (char == "}")
        if depth < 0:
            break
        if depth == 0 and (char == "," or char.isspace()):
            parts.append(word)
            word = ""
        else:
            word += char
    if depth:
        raise Refusal(
            f"scope {scope[:60]!r} has an unpaired brace, expected patterns such as src/**/*.{{ts,tsx}}; pair it"
        )
    return tuple(_shown(_tidy(item)) for part in parts if part for item in _expand(part))


def _hidden(text: str) -> str:
    return text.replace(" ", _BLANK).replace(",", _COMMA)


def _shown(text: str) -> str:
    return text.replace(_BLANK, " ").replace(_COMMA, ",")


def _expand(pattern: str) -> list[str]:
    match = re.search(r"\{([^{}]*)\}", pattern)
    if not match:
        return [pattern]
    head, tail = pattern[: match.start()], pattern[match.end() :]
    return [done for item in match[1].split(",") for done in _expand(head + item.strip() + tail)]


def _tidy(pattern: str) -> str:
    negated, bare = pattern.startswith("!"), pattern.lstrip("!")
    while bare.startswith("./"):
        bare = bare[2:]
    if bare.startswith(("/", "~")) or ".." in bare.split("/"):
        raise Refusal(f"scope pattern {pattern[:60]!r} leaves the repository; expected paths relative to its root")
    return ("!" if negated else "") + (bare or ".")


def matcher(scope: str) -> Matcher:
    """A predicate on repository-relative POSIX paths; an empty scope means the whole repository."""
    patterns = split(scope)
    wanted = [_regex(item) for item in patterns if not item.startswith("!")] or [_regex(".")]
    unwanted = [_regex(item[1:]) for item in patterns if item.startswith("!")]

    def inside(path: str) -> bool:
        """Whether the path is wanted and not taken out again."""
        return any(r.fullmatch(path) for r in wanted) and not any(r.fullmatch(path) for r in unwanted)

    return inside


def _regex(pattern: str) -> re.Pattern[str]:
    pattern = pattern.rstrip("/")
    if pattern in ("", "."):
        return re.compile(r".*", re.DOTALL)
    try:
        return re.compile("".join(_piece(token) for token in _tokens(pattern)) + r"(?:/.*)?", re.DOTALL)
    except re.error:
        raise Refusal(
            f"scope pattern {pattern[:60]!r} has a range that runs backwards, expected one such as [a-z]; turn it round"
        ) from None


def _tokens(pattern: str) -> list[str]:
    return re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", pattern, re.DOTALL)


def _piece(token: str) -> str:
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if token in known:
        return known[token]
    if len(token) < 3 or token[0] != "[":
        return re.escape(token)
    negated = token[1] in "!^" and len(token) > 3
    body = re.sub(r"[^\w-]", r"\\\g<0>", token[2 if negated else 1 : -1])
    return f"(?!/)[{'^' if negated else ''}{body}]"


def outside(paths: Iterable[str], scope: str) -> tuple[str, ...]:
    """The paths that the scope does not allow, in their order."""
    inside = matcher(scope)
    return tuple(path for path in paths if not inside(path))
