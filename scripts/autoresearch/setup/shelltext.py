"""What a check's shell text tells: failures that it hides, and words that only other shells know. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..kernel.core.frozen import dataclass, names
from .shellwords import Command, Item, parse, substitutions, unquoted

# Commands whose failure says nothing about the program that is measured.
_HARMLESS = frozenset(
    "echo printf cd set export unset true false : test [ [[ mkdir rm rmdir touch sleep trap umask ulimit read local"
    " return exit cat head tail sed awk cut tr sort uniq wc grep egrep fgrep rg jq date basename dirname expr seq tee"
    " xargs find ls source . shift eval exec wait kill cp mv ln shopt declare command type hash nproc git column"
    " paste break continue pushd popd alias readonly typeset let".split()
)
_FED = frozenset("echo printf true : seq yes grep egrep fgrep rg zgrep".split())  # may begin a pipe
_FILTERS = _FED | frozenset("sort uniq sed cut tr head tail tee awk cat wc column jq xargs".split())
# What a test of the surroundings is made of, or says its zero by failing: a number behind `||` is its answer.
_ASKS = frozenset("test [ [[ true false : grep egrep fgrep rg zgrep command type hash ls".split())
# What tells its findings by its exit code: `pytest || true` counts failing tests.
_REPORTS = frozenset(
    "pytest unittest tox nox mypy pyright ruff flake8 pylint pycodestyle pydocstyle bandit vulture black isort"
    " eslint tsc tslint stylelint prettier biome jest vitest mocha ava playwright cypress npm yarn pnpm npx go"
    " cargo golangci-lint staticcheck shellcheck hadolint yamllint clang-tidy cppcheck clang-format rubocop rspec"
    " phpunit phpstan psalm phpcs swiftlint ktlint detekt checkstyle mvn gradle gradlew dotnet ctest cmp diff comm"
    " codespell semgrep knip depcheck pip-audit safety gitleaks trivy axe pa11y lychee markdownlint sqlfluff"
    " terraform tflint".split()
)
_GOES_ON = re.compile(r"-[a-zA-Z]*i[a-zA-Z]*|--ignore-errors")
_ENDS = frozenset(("exit", "return", "false", "kill"))
_SHELLS = re.compile(r"(?:.*/)?(?:ba|z|da|k)?sh")
_WRAPPERS = frozenset("time env nice nohup timeout stdbuf command exec ionice taskset setsid".split())


@dataclass(frozen=True)
class Lost:
    """Programs whose failure a text hides: `unseen` before other commands, `piped` in a pipe, `replaced` by what
    stands behind `||`, `forgiven` by a `|| true` at the end."""

    unseen: tuple[str, ...] = ()
    piped: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    forgiven: tuple[str, ...] = ()


class _Reader:
    """Follows exit codes through a text. `strict` is `set -e`, `pipefail` the option of that name."""

    def __init__(self, strict: bool = False, pipefail: bool = False) -> None:
        self.strict, self.pipefail = strict, pipefail
        self.lost: dict[str, dict[str, None]] = {name: {} for name in names(Lost)}

    def items(self, found: Sequence[Item], final: bool) -> None:
        """A list; `final`: whether its own exit code is looked at."""
        for number, item in enumerate(found):
            after = found[number + 1 :]
            last = not after
            if item.then == "&":
                self.item(item, any(_waits(one) for one in after), False)
                continue
            asked = bool(after) and _asks(after[0])
            self.item(item, final if last else asked, self.strict, last and final)
            self.set_by(item)

    def item(self, item: Item, seen: bool, strict: bool, last: bool = False) -> None:
        """One and-or list: `seen` says whether its exit code is looked at, `strict` whether a failure ends the text."""
        end = len(item.pipelines) - 1
        for number, pipeline in enumerate(item.pipelines):
            way = self.way(item, number, last)
            alone = strict and number == end  # what stands before && or || does not end a text under set -e
            known = number in item.negated or way == "ends"
            if way in ("replaced", "numbered", "forgiven") and not known:
                self.pipeline(pipeline, way)
            elif known or seen or alone:
                self.pipeline(pipeline, "")
            else:
                self.pipeline(pipeline, "unseen")

    def way(self, item: Item, number: int, last: bool) -> str:
        """What becomes of a failure of this pipeline by the `||` behind it; "" where there is none."""
        behind = next((n for n in range(number, len(item.joints)) if item.joints[n] == "||"), None)
        if behind is None:
            return ""
        rescue = item.pipelines[behind + 1]
        if _ends(rescue):
            return "ends"
        forgiven = _name(rescue[0]) in ("true", ":") and len(rescue) == 1
        if forgiven:
            return "forgiven" if last else "unseen"
        return "numbered" if _prints_number(rescue) else "replaced"

    def pipeline(self, found: Sequence[Command], kind: str) -> None:
        """Its commands: all but the last lose their exit codes, unless pipefail holds."""
        for number, command in enumerate(found):
            if number == len(found) - 1:
                self.command(command, kind)
            elif self.pipefail:
                self.command(command, "")
            else:
                exempt = _FED if number == 0 else _FILTERS
                self.command(command, "piped" if _name(command) not in exempt else "")

    def command(self, found: Command, kind: str) -> None:
        """One command; `kind` is how its failure gets lost, "" where it does not."""
        if found.kind == "simple":
            self.simple(found, kind)
            return
        for number, part in enumerate(found.parts):
            if number < found.tested and _numbers_otherwise(found):
                self.compound(part, "numbered")
            elif number < found.tested or found.kind == "function":
                self.items(part, True)
            elif found.kind == "loop" and not self.strict:
                self.items(part, False)
            else:
                self.compound(part, kind)

    def compound(self, part: Sequence[Item], kind: str) -> None:
        """The list within a group or branch: its last command counts as the whole does."""
        if not kind or not part:
            self.items(part, True)
            return
        before = {name: dict(items) for name, items in self.lost.items()}
        self.items(part, False)
        for name in [name for name in self.lost["unseen"] if name not in before["unseen"]]:
            del self.lost["unseen"][name]
            self.lost["replaced" if kind == "numbered" else kind][name] = None

    def simple(self, found: Command, kind: str) -> None:
        """A simple command: its own name, what a shell is given as text, and what it substitutes."""
        inner = _nested(found)
        if inner:
            text, flags = inner
            reader = _Reader("e" in flags.split(" ")[0], flags.endswith("pipefail"))
            reader.items(parse(text), not kind)
            for name, programs in reader.lost.items():
                self.lost[name].update(programs)
        name = _name(found)
        if name == "make" and any(map(_GOES_ON.fullmatch, found.words)):
            kind = kind or "unseen"  # a recipe that fails is passed over
        exempt = _ASKS if kind == "numbered" else _HARMLESS if kind != "piped" else frozenset[str]()
        if kind == "forgiven" and not _REPORTS.isdisjoint(unquoted(word).rpartition("/")[2] for word in found.words):
            kind = ""
        if kind and name and name not in exempt and not inner:
            self.lost["replaced" if kind == "numbered" else kind][name] = None
        bare = not found.words
        for word in (*found.assigned, *found.words):
            for text in substitutions(word):
                # Only a bare assignment takes over the exit code of what it substitutes.
                self.items(parse(text), not kind if bare else False)

    def set_by(self, item: Item) -> None:
        """`set -e`, `set +e` and pipefail as they come."""
        command = item.pipelines[0][0] if item.pipelines else Command("simple")
        if command.words[:1] != ("set",):
            return
        options = command.words[1:]
        if any(re.fullmatch(r"-\w*e\w*|errexit", word) for word in options):
            self.strict = True
        if any(re.fullmatch(r"\+\w*e\w*", word) for word in options):
            self.strict = False
        if "pipefail" in options:
            self.pipefail = "+o" not in options


def lost(text: str, strict: bool = False) -> Lost:
    """The programs whose failure a shell text hides; none where the text cannot be read."""
    reader = _Reader(strict)
    reader.items(parse(text), True)
    return Lost(*(tuple(reader.lost[name]) for name in names(Lost)))


def _name(command: Command) -> str:
    """The program's name without the folders before it, "" for a mere assignment or a compound command."""
    for word in command.words:
        name = unquoted(word).rpartition("/")[2]
        wrapped = name in _WRAPPERS or re.fullmatch(r"-.*|\w+=.*|\d+[smh]?", word, re.DOTALL)
        if not wrapped or len(command.words) == 1:
            return name if re.search(r"\w|\[|^:$", name) and not name.startswith("$") else ""
    return ""


def _nested(command: Command) -> tuple[str, str] | None:
    """The text that a shell (or `eval`) is given, with the options before it."""
    words = [unquoted(word) for word in command.words]
    if words[:1] == ["eval"]:
        return (" ".join(words[1:]), "")
    start = next((n for n, word in enumerate(words) if _SHELLS.fullmatch(word)), None)
    if start is None:
        return None
    for number in range(start + 1, len(words) - 1):
        if re.fullmatch(r"-\w*c", words[number]):
            options = words[start + 1 : number + 1]
            flags = "".join(word for word in options if re.fullmatch(r"-[a-z]+", word) and word != "-o")
            return words[number + 1], f"{flags} {' '.join(word for word in options if word == 'pipefail')}"
    return None


def _prints_number(pipeline: Sequence[Command]) -> bool:
    """Whether a pipeline is `echo 0` or the like: what it prints passes for a measured number."""
    words = [unquoted(word) for word in pipeline[0].words]
    return words[:1] in (["echo"], ["printf"]) and any(re.search(r"\d", word) for word in words[1:])


def _numbers_otherwise(command: Command) -> bool:
    """Whether an `if` ends in `else echo 0`."""
    last = command.parts[-1] if command.kind == "if" and len(command.parts) > 2 * command.tested else ()
    return bool(last) and _prints_number(last[-1].pipelines[-1])


def _ends(pipeline: Sequence[Command]) -> bool:
    """Whether what stands behind `||` ends with a failure, as `{ echo broken >&2; exit 1; }` does."""
    if len(pipeline) != 1:
        return False
    (command,) = pipeline
    if command.kind == "group" and command.parts[0]:
        return _ends(command.parts[0][-1].pipelines[-1])
    if _name(command) in ("break",):
        return True
    return _name(command) in _ENDS and command.words[1:2] != ("0",)


def _asks(item: Item) -> bool:
    words = [word for pipeline in item.pipelines for command in pipeline for word in _all(command)]
    return any("$?" in word or "${?}" in word for word in words)


def _all(command: Command) -> tuple[str, ...]:
    inner = [
        word
        for part in command.parts
        for item in part
        for pipeline in item.pipelines
        for one in pipeline
        for word in _all(one)
    ]
    return (*command.assigned, *command.words, *inner)


def _waits(item: Item) -> bool:
    return any(_name(command) == "wait" and len(command.words) > 1 for line in item.pipelines for command in line)


_STARTS = re.compile(r"source|\[\[|function|declare|shopt|pushd|popd|mapfile|readarray|typeset|let|select")
# What tells of bash, whether it does so in double quotes too, and how it is named.
_INSIDE = (
    (re.compile(r"\w+\+?=\("), False, "arrays ({}…))"),
    (re.compile(r"\{-?\w+\.\.-?\w+(?:\.\.\d+)?\}"), False, "ranges such as {}"),
    (re.compile(r"\$\{\w+(?:\[|\^|,|/|:\d)[^}]*\}"), True, "{}"),
    (re.compile(r"\$\{?(?:RANDOM|BASHPID|BASH_\w+|EPOCHREALTIME|SECONDS|FUNCNAME|PIPESTATUS)\b"), True, "{}"),
)
_SIGNS = re.compile(r"<\(|>\(|<<<|&>|\|&|(?<!\$)\(\(|\$'")


def only_bash(text: str) -> str:
    """The first word that `sh` does not know, "" where there is none; what is quoted for another shell is its own."""
    started = next((word for word in _starts(parse(text)) if _STARTS.fullmatch(word)), "")
    if started:
        return started
    half = re.sub(r"(?<![$\\])'[^']*'", "''", text)
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', half)
    for pattern, quoted, said in _INSIDE:
        match = pattern.search(half if quoted else bare)
        if match:
            return said.format(match[0])
    sign = _SIGNS.search(bare)
    return sign[0] if sign else ""


def _starts(items: Sequence[Item]) -> list[str]:
    """The first word of every simple command, compound ones included."""
    found: list[str] = []
    for item in items:
        for pipeline in item.pipelines:
            for command in pipeline:
                found += command.words[:1]
                for part in command.parts:
                    found += _starts(part)
    return found
