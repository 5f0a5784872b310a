"""From source text to names."""

from __future__ import annotations

import keyword


def code(line: str) -> str:
    """The line without comment and strings. Escaped quotes are not understood."""
    kept = ""
    quote = ""
    for char in line:
        if quote:
            if char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif char == "#":
            break
        else:
            kept += char
    return kept


def code_lines(lines: list[str]) -> list[str]:
    """The code of each line; empty where a text between triple quotes begins, goes on or ends."""
    kept = []
    inside = False
    for line in lines:
        if (line.count('"""') + line.count("'''")) % 2 == 1:
            inside = not inside
            kept.append("")
        elif inside:
            kept.append("")
        else:
            kept.append(code(line))
    return kept


def words(text: str) -> list[str]:
    """The words of a text, left to right: runs of letters, digits and underscores."""
    found = []
    word = ""
    for char in text:
        if char.isalnum() or char == "_":
            word += char
        elif word:
            found.append(word)
            word = ""
    if word:
        found.append(word)
    return found


def is_name(word: str) -> bool:
    """Whether a word can name something: neither a number nor a keyword."""
    if word[0].isdigit():
        return False
    return not keyword.iskeyword(word)
