"""Shell text taken apart as far as a warning needs it: tokens, then lists, pipelines and compound commands. Pure.

The grammar is that of POSIX, "Shell Command Language", 2.10, without its exotic corners; what cannot be read gives an
empty tree, for a warning that is not given is better than a wrong one.
"""

from __future__ import annotations

import re

from ..kernel.core.frozen import dataclass, field

_TOKEN = re.compile(
    r"(?P<blank>(?:[ \t\r]|\\\n)+)|(?P<comment>(?<![^\s;|&(])\#[^\n]*)"
    r"|(?P<redirect>\d*(?:<<<|>>|<>|[<>]&|>\||&>>?|<(?!<)|>))|(?P<here><<-?)"
    r"|(?P<operator>;;|&&|\|\||\|&|[;|&()\n])"
)
_CLOSING = {"then", "elif", "else", "fi", "do", "done", "esac", "}", ")", ";;", "in"}
_DEEP = 40  # nested commands that are followed


@dataclass(frozen=True)
class Command:
    """One command. `kind`: simple, group, if, loop, case or function; `parts`: the lists inside a compound one.

    `tested`: of `parts`, how many are conditions whose failure is looked at.
    """

    kind: str
    words: tuple[str, ...] = ()
    assigned: tuple[str, ...] = ()
    parts: tuple[tuple[Item, ...], ...] = ()
    tested: int = 0


@dataclass(frozen=True)
class Item:
    """One and-or list: pipelines (each of commands), the `&&` and `||` between them, and the operator behind it all."""

    pipelines: tuple[tuple[Command, ...], ...]
    joints: tuple[str, ...] = ()
    then: str = ";"
    negated: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Token:
    """A word with its quotes, or an operator."""

    text: str
    is_word: bool


class Unread(Exception):
    """The text is no shell text that is understood here."""


def parse(text: str) -> tuple[Item, ...]:
    """The items of a shell text, () where it cannot be read."""
    try:
        parser = _WordParser(tokens(text))
        found = parser.items()
        return found if parser.at_end() else ()
    except (Unread, RecursionError):
        return ()


def tokens(text: str) -> list[Token]:
    """The tokens of a shell text; comments, redirections and here-documents are left out. Raises `Unread`."""
    found: list[Token] = []
    place, skip, ends = 0, False, list[str]()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match and match.lastgroup in ("redirect", "here"):
            place, skip = match.end(), True
            if match.lastgroup == "here":
                ends.append("")
        elif match:
            place = match.end()
            if match[0] == "\n" and ends:
                place, ends = _after_documents(text, place, ends), []
            if match.lastgroup == "operator":
                found.append(Token(match[0], False))
        else:
            end = _word_end(text, place)
            word, place = text[place:end], end
            if skip and ends and not ends[-1]:
                ends[-1] = unquoted(word)
            elif not skip and not (word.isdigit() and text[end : end + 1] in "<>" and text[end : end + 1]):
                found.append(Token(word, True))
            skip = False
    return found


def _after_documents(text: str, place: int, ends: list[str]) -> int:
    for end in ends:
        while place < len(text):
            line, _, _ = text[place:].partition("\n")
            place += len(line) + 1
            if line.strip("\t") == end:
                break
    return place


def _word_end(text: str, place: int) -> int:
    """Where the word that begins at `place` ends; quotes and substitutions belong to it."""
    start = place
    while place < len(text):
        char = text[place]
        if char == "\\":
            place += 2
        elif char == "'" or text.startswith("$'", place):
            place = _found(text, "'", place + (2 if char == "$" else 1)) + 1
        elif char == '"':
            place = _quoted(text, place + 1)
        elif text.startswith("$(", place):
            place = closing(text, place + 2)
        elif char == "`":
            place = _found(text, "`", place + 1) + 1
        elif text.startswith("${", place):
            place = _found(text, "}", place + 2) + 1
        elif char in " \t\r\n;|&()<>":
            if char == "(" and text[place - 1 : place] == "=" and place > start:  # an array
                place = closing(text, place + 1)
                continue
            break
        else:
            place += 1
    return place


def _found(text: str, wanted: str, start: int) -> int:
    place = text.find(wanted, start)
    if place < 0:
        raise Unread
    return place


def _quoted(text: str, place: int) -> int:
    """Behind the double quote that ends what begins at `place`."""
    while place < len(text) and text[place] != '"':
        if text[place] == "\\":
            place += 2
        elif text.startswith("$(", place):
            place = closing(text, place + 2)
        elif text[place] == "`":
            place = _found(text, "`", place + 1) + 1
        else:
            place += 1
    if place >= len(text):
        raise Unread
    return place + 1


def closing(text: str, place: int) -> int:
    """Behind the parenthesis that closes the substitution whose text begins at `place`. Raises `Unread`."""
    depth = 1
    while place < len(text):
        char = text[place]
        if char in "()":
            depth += 1 if char == "(" else -1
            place += 1
            if not depth:
                return place
        elif char in "\"'`\\" or text.startswith(("${",), place):
            place = max(place + 1, _word_end(text, place) if char != '"' else _quoted(text, place + 1))
        else:
            place += 1
    raise Unread


def unquoted(word: str) -> str:
    """A word without its quotes, its substitutions as they stand."""
    if word[:1] == "'" and word.endswith("'") and word.count("'") == 2:
        return word[1:-1]
    bare = re.sub(r"'([^']*)'", r"\1", word) if '"' not in word else word
    return re.sub(r'\\(.)|"', lambda match: match[1] or "", bare, flags=re.DOTALL)


def substitutions(word: str) -> tuple[str, ...]:
    """The texts of `$(…)` and backquotes in a word, but for single quotes and arithmetic."""
    found: list[str] = []
    bare = re.sub(r"'[^']*'", "", word) if '"' not in word else word
    place = 0
    while place < len(bare):
        if bare.startswith("$((", place):
            place += 3
        elif bare.startswith("$(", place):
            try:
                end = closing(bare, place + 2)
            except Unread:
                return tuple(found)
            found.append(bare[place + 2 : end - 1])
            place = end
        elif bare[place] == "`":
            end = bare.find("`", place + 1)
            found += [bare[place + 1 : end]] if end > 0 else []
            place = end + 1 if end > 0 else len(bare)
        else:
            place += 2 if bare[place] == "\\" else 1
    return tuple(found)


class _WordParser:
    """A reader of tokens by recursive descent."""

    def __init__(self, found: list[Token]) -> None:
        self.found, self.place, self.depth = found, 0, 0

    def at_end(self) -> bool:
        """Whether no token is left."""
        return self.place >= len(self.found)

    def peek(self) -> str:
        """The next token's text, "" at the end."""
        return "" if self.at_end() else self.found[self.place].text

    def take(self, *wanted: str) -> bool:
        """Step over the next token where it is one of these."""
        if not self.at_end() and self.peek() in wanted:
            self.place += 1
            return True
        return False

    def need(self, *wanted: str) -> None:
        """Step over blank lines and one of these; raises `Unread` where it is another."""
        self.blanks()
        if not self.take(*wanted):
            raise Unread

    def blanks(self) -> None:
        """Step over blank lines."""
        while self.take("\n"):
            pass

    def items(self) -> tuple[Item, ...]:
        """A list of commands, up to what closes it; raises `Unread` where it is nested too deep."""
        self.depth += 1
        if self.depth > _DEEP:
            raise Unread
        found: list[Item] = []
        while True:
            while self.take("\n", ";"):
                pass
            if self.at_end() or self.peek() in _CLOSING:
                self.depth -= 1
                return tuple(found)
            found.append(self.item())

    def item(self) -> Item:
        """Pipelines joined by `&&` and `||`, with what ends them."""
        pipelines, joints, negated = [self.pipeline()], list[str](), set[int]()
        if self.turned:
            negated.add(0)
        while self.peek() in ("&&", "||") and not self.at_end():
            joints.append(self.peek())
            self.place += 1
            self.blanks()
            pipelines.append(self.pipeline())
            if self.turned:
                negated.add(len(pipelines) - 1)
        then = self.peek() if self.peek() in (";", "&", "\n") and not self.at_end() else ""
        self.place += bool(then)
        return Item(tuple(pipelines), tuple(joints), "&" if then == "&" else ";", frozenset(negated))

    def pipeline(self) -> tuple[Command, ...]:
        """Commands joined by `|`; `turned` tells whether `!` stood before them."""
        turned = self.take("!")
        found = [self.command()]
        while self.take("|", "|&"):
            self.blanks()
            found.append(self.command())
        self.turned = turned
        return tuple(found)

    def command(self) -> Command:
        """One command, simple or compound; raises `Unread` where none begins."""
        word = self.peek()
        if self.at_end() or (not self.found[self.place].is_word and word != "("):
            raise Unread
        compound = {"(": self.group, "{": self.group, "if": self.branches, "case": self.case}
        compound.update(dict.fromkeys(("while", "until", "for", "select"), self.loop))
        return compound[word]() if word in compound else self.simple()

    def simple(self) -> Command:
        """Assignments and words, or the function that they begin."""
        words: list[str] = []
        assigned: list[str] = []
        while not self.at_end() and self.found[self.place].is_word:
            word = self.peek()
            self.place += 1
            if not words and re.match(r"\w+(\[[^]]*\])?\+?=", word):
                assigned.append(word)
            else:
                words.append(word)
        if len(words) == 1 and self.peek() == "(" and not self.at_end():
            return self.function()
        if words[:1] == ["function"]:
            if self.take("("):
                self.need(")")
            self.blanks()
            return Command("function", parts=((Item(((self.command(),),)),),))
        return Command("simple", tuple(words), tuple(assigned))

    def function(self) -> Command:
        """The `()` and the body of a function whose name was read."""
        self.need("(")
        self.need(")")
        self.blanks()
        return Command("function", parts=((Item(((self.command(),),)),),))

    def group(self) -> Command:
        """`(…)` or `{…}`."""
        closing_ = ")" if self.take("(") else "}"
        if closing_ == "}":
            self.need("{")
        inner = self.items()
        self.need(closing_)
        return Command("group", parts=(inner,))

    def branches(self) -> Command:
        """`if … fi`, its conditions first."""
        conditions, bodies = list[tuple[Item, ...]](), list[tuple[Item, ...]]()
        self.need("if")
        while True:
            conditions.append(self.items())
            self.need("then")
            bodies.append(self.items())
            if not self.take("elif"):
                break
        if self.take("else"):
            bodies.append(self.items())
        self.need("fi")
        return Command("if", parts=(*conditions, *bodies), tested=len(conditions))

    def loop(self) -> Command:
        """`while`, `until`, `for` or `select` up to `done`."""
        conditions: tuple[tuple[Item, ...], ...] = ()
        if self.take("while", "until"):
            conditions = (self.items(),)
        else:
            self.need("for", "select")
            while not self.at_end() and self.peek() not in (";", "\n", "do"):
                self.place += 1
            while self.take(";", "\n"):
                pass
        self.need("do")
        body = self.items()
        self.need("done")
        return Command("loop", parts=(*conditions, body), tested=len(conditions))

    def case(self) -> Command:
        """`case … esac`; raises `Unread` where a branch does not end."""
        self.need("case")
        self.place += 1
        self.need("in")
        bodies: list[tuple[Item, ...]] = []
        while True:
            self.blanks()
            if self.take("esac"):
                return Command("case", parts=tuple(bodies))
            while not self.at_end() and not self.take(")"):
                self.place += 1
            bodies.append(self.items())
            if not self.take(";;") and self.peek() != "esac":
                raise Unread
