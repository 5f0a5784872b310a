"""What a person would see of a program's output: decoded, without colours, overwritten text, byte order marks."""

from __future__ import annotations

import codecs
import re

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Texts, not compiled: plain output needs none of them, and every command would pay for it.
_COLOUR = "(?:\x1b\\[|\x9b)[0-9;:]*m"
_LINK = "\x1b\\][^\x07\x1b\n]*(?:\x07|\x1b\\\\)"
_TO_START = "(?:\x1b\\[|\x9b)[01]?G|(?:\x1b\\[|\x9b)2K"
_OTHER = "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b.?"
_CONTROL = "[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\ufffe]"
_BACKSPACE = "[^\n\x08]\x08"
CUT = "\ufffe"  # stands where output was cut; `clean` lets no other one through
# The notes that stand where output was too long to be kept (`capture`, `evidence`).
_CUT = r"\[(?:…|\.\.\.) [0-9]+ bytes cut (?:…|\.\.\.)\]"


def decode(data: bytes) -> str:
    """Bytes as text: by their byte order mark, as UTF-16 where every other byte is NUL, else as UTF-8."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    start = data[:200]
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = start[offset::2].count(0), start[1 - offset :: 2].count(0)
        if zeros and not others and 4 * zeros >= len(start):
            return data.decode(name, "replace")
    return data.decode("utf-8", "replace")


def clean(text: str) -> str:
    """`text` with `\\n` as its only line ends and `\\r` where a line was begun again.

    Colours and links vanish; what else moves the cursor becomes a blank, lest two numbers grow together.
    """
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    text = re.sub(_LINK, "", re.sub(_COLOUR, "", text))
    text = re.sub(_OTHER, " ", re.sub(_TO_START, "\r", text))
    text = re.sub("\r+\n", "\n", text)
    while "\x08" in text:
        shorter = re.sub(_BACKSPACE, "", text)
        text = shorter if shorter != text else text.replace("\x08", "")
    return re.sub(_CONTROL, " ", re.sub("(?m)^\ufeff", "", text)).replace("\ufeff", " ")


def without_cut(text: str) -> str:
    """`text` with `CUT` in place of each note on cut output and of the broken lines beside it."""
    if " bytes cut " not in text or not re.search(_CUT, text):
        return text
    lines = text.split("\n")
    notes = {n for n, line in enumerate(lines) if re.fullmatch(_CUT, line.strip())}
    broken = notes | {n - 1 for n in notes} | {n + 1 for n in notes}
    return "\n".join(CUT if n in notes else line for n, line in enumerate(lines) if n in notes or n not in broken)


def overwritten(text: str) -> str:
    """What stays to be seen of each line that was begun again: its last part."""
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
